// Ranges of many keys, a slice a turn, one after the other: whoever reads everything must not hold up
// heartbeats (reliability.md §6.4), nor take the memory of many answers at once.
import type { KvApi, RangeTask } from "@quorate/kv";
import { FailureCode } from "../host-api.ts";
import type { Failure } from "../host-api.ts";
import { failure, kvFailure } from "../proposals.ts";
import type { PendingRead } from "../reads.ts";

/** Read at once, by any range; about ten milliseconds. */
export const rowsAtOnce = 4000;
/** Ranges that wait for others. */
const waitingMax = 1024;

export class LargeReads {
  readonly #kv: Pick<KvApi, "largeRange">;
  #waiting: PendingRead[];
  #running: { readonly read: PendingRead; readonly task: RangeTask } | null;

  constructor(kv: Pick<KvApi, "largeRange">) {
    this.#kv = kv;
    this.#waiting = [];
    this.#running = null;
  }

  /** False: it is none. */
  take(read: PendingRead, term: number): boolean {
    const task = this.#kv.largeRange(read.payload, term, read.identity, rowsAtOnce);
    if (task === null) return false;
    if (this.#running === null && this.#waiting.length === 0) {
      this.#running = { read, task };
      return true;
    }
    // It begins anew, at a later state, which is as good.
    task.abandon();
    if (this.#waiting.length < waitingMax) this.#waiting.push(read);
    else read.sink.fail(failure(FailureCode.TooManyRequests));
    return true;
  }

  /** A slice; `small` answers what has become small meanwhile. True: there is more. */
  turn(term: number, nowTick: number, small: (read: PendingRead) => void): boolean {
    const running = this.#running;
    if (running !== null) {
      if (running.read.deadlineTick <= nowTick) this.#fail(failure(FailureCode.TimedOut));
      else if (running.task.step(rowsAtOnce)) this.#answer(running.read, running.task);
    } else if (this.#waiting.length > 0) {
      this.#begin(term, nowTick, small);
    }
    return this.#running !== null || this.#waiting.length > 0;
  }

  /** The member stops, or its state is gone. */
  abandon(why: Failure): void {
    if (this.#running !== null) this.#fail(why);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { sink } of waiting) sink.fail(why);
  }

  #begin(term: number, nowTick: number, small: (read: PendingRead) => void): void {
    const read = this.#waiting.shift()!;
    if (read.deadlineTick <= nowTick) return read.sink.fail(failure(FailureCode.TimedOut));
    if (read.sink.full === true) return read.sink.fail(failure(FailureCode.TooManyRequests));
    const task = this.#kv.largeRange(read.payload, term, read.identity, rowsAtOnce);
    if (task === null) small(read);
    else this.#running = { read, task };
  }

  #answer({ sink }: PendingRead, task: RangeTask): void {
    this.#running = null;
    if (task.bytes !== null) sink.reply(task.bytes);
    else sink.fail(task.stale ? failure(FailureCode.Rebuilding) : kvFailure(task.error));
  }

  #fail(why: Failure): void {
    const { read, task } = this.#running!;
    this.#running = null;
    task.abandon();
    read.sink.fail(why);
  }
}
