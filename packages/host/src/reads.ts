// Linearizable reads by ReadIndex (thesis §6.4). All reads of a turn share one batch, and one batch
// one round: on the leader a heartbeat round of the core, on a follower a forwarded question. A read
// is answered when this member has applied at least the index that the round returned. A round's
// index was committed when the leader answered it after the batch had been formed, so an answer
// stays valid across any later leadership change (raft-lessons 16 and 18).
import { Failure, FailureCode } from "./host-api.ts";
import type { ReplySink } from "./host-api.ts";
import { failure } from "./proposals.ts";
import { KvError } from "@quorate/kv";
import type { Identity } from "@quorate/kv";

export const ReadKind = { Range: 1, Txn: 2, Barrier: 3 } as const;
export type ReadKind = (typeof ReadKind)[keyof typeof ReadKind];

export class PendingRead {
  readonly kind: ReadKind;
  readonly payload: Uint8Array;
  readonly sink: ReplySink;
  readonly deadlineTick: number;
  readonly identity: Identity;

  constructor(
    kind: ReadKind,
    payload: Uint8Array,
    sink: ReplySink,
    deadlineTick: number,
    identity: Identity,
  ) {
    this.kind = kind;
    this.payload = payload;
    this.sink = sink;
    this.deadlineTick = deadlineTick;
    this.identity = identity;
  }
}

class ReadBatch {
  /** The core's context or the forward number of its present round. */
  round: number;
  readonly reads: PendingRead[];
  /** Rounds are asked anew when unanswered at this tick: messages may be lost. */
  retryTick: number;
  /** 0 until the round has answered. */
  index: number;
  /** Asked of the own core, not forwarded. */
  local: boolean;

  constructor(reads: PendingRead[]) {
    this.round = 0;
    this.reads = reads;
    this.retryTick = 0;
    this.index = 0;
    this.local = false;
  }
}

export const AskOutcome = { AskedSelf: 1, Forwarded: 2, NoLeader: 3, Overloaded: 4 } as const;
export type AskOutcome = (typeof AskOutcome)[keyof typeof AskOutcome];

export interface ReadsEnv {
  /** Starts a round under this number: with the own core, or by forwarding to the leader. */
  ask(round: number): AskOutcome;
  serve(read: PendingRead): void;
  missing(): readonly string[];
}

/** Rounds in flight; later reads join the batch that waits for a free place. */
const roundsInFlightMax = 4;

/** Of all reads that wait, how many may be those of clients when one more comes. */
const clientShare = 7 / 8;

export class Reads {
  readonly #env: ReadsEnv;
  readonly #retryTicks: number;
  readonly #countMax: number;
  #waiting: PendingRead[];
  /** Rounds asked, by number; in order of asking. */
  readonly #asked: Map<number, ReadBatch>;
  /** Answered, waiting for apply; ascending by index. */
  #answered: ReadBatch[];
  readonly #local: ReadBatch;
  #nextRound: number;
  #count: number;
  /** Rounds asked anew because nothing came back in time. */
  retries: number;

  constructor(env: ReadsEnv, retryTicks: number, countMax: number) {
    this.#env = env;
    this.#retryTicks = retryTicks;
    this.#countMax = countMax;
    this.#waiting = [];
    this.#asked = new Map();
    this.#answered = [];
    this.#local = new ReadBatch([]);
    this.#nextRound = 1;
    this.#count = 0;
    this.retries = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Reads wait and a round could start. */
  get wantsTurn(): boolean {
    return this.#waiting.length > 0 && this.#asked.size < roundsInFlightMax;
  }

  /** False: too many reads wait already. */
  add(read: PendingRead): boolean {
    // What leases, rights and health stand on finds a place when clients' reads have taken theirs.
    const share = read.kind === ReadKind.Barrier ? 1 : clientShare;
    if (this.#count >= this.#countMax * share) {
      return false;
    }
    this.#count += 1;
    this.#waiting.push(read);
    return true;
  }

  /** A serializable read: answered from this member's own state as soon as there is one. */
  addLocal(read: PendingRead): boolean {
    if (this.#count >= this.#countMax) {
      return false;
    }
    this.#count += 1;
    this.#local.reads.push(read);
    return true;
  }

  /** Once a turn: what waits goes into one round. */
  startRounds(nowTick: number): void {
    if (this.#waiting.length === 0 || this.#asked.size >= roundsInFlightMax) {
      return;
    }
    const batch = new ReadBatch(this.#waiting);
    this.#waiting = [];
    this.#ask(batch, nowTick);
  }

  /** A round of the core or of the leader has its answer; unknown rounds are old ones. */
  answered(round: number, index: number): void {
    const batch = this.#asked.get(round);
    if (batch === undefined) {
      return;
    }
    this.#asked.delete(round);
    batch.index = index;
    let at = this.#answered.length;
    while (at > 0 && this.#answered[at - 1]!.index > index) {
      at -= 1;
    }
    this.#answered.splice(at, 0, batch);
  }

  /** The round will not be answered: leadership was lost before it was confirmed. */
  refused(round: number, nowTick: number): void {
    const batch = this.#asked.get(round);
    if (batch !== undefined) {
      this.#asked.delete(round);
      this.#ask(batch, nowTick);
    }
  }

  /** Everything up to `applied` is in the state: answers what waited for that. */
  applied(applied: number): void {
    this.#serve(this.#local);
    let served = 0;
    while (served < this.#answered.length && this.#answered[served]!.index <= applied) {
      this.#serve(this.#answered[served]!);
      served += 1;
    }
    if (served > 0) {
      this.#answered.splice(0, served);
    }
  }

  tick(nowTick: number): void {
    for (const [round, batch] of [...this.#asked]) {
      this.#expire(batch, nowTick);
      if (batch.reads.length === 0) {
        this.#asked.delete(round);
      } else if (!batch.local && batch.retryTick <= nowTick) {
        this.retries += 1;
        this.#asked.delete(round);
        this.#ask(batch, nowTick);
      }
    }
    for (const batch of this.#answered) {
      this.#expire(batch, nowTick);
    }
    this.#expire(this.#local, nowTick);
  }

  /** The member stops, or its state is lost. */
  abandon(why: Failure): void {
    const batches = [
      ...this.#asked.values(),
      ...this.#answered,
      this.#local,
      new ReadBatch(this.#waiting),
    ];
    this.#asked.clear();
    this.#answered = [];
    this.#waiting = [];
    for (const batch of batches) {
      this.#fail(batch, why);
    }
  }

  #ask(batch: ReadBatch, nowTick: number): void {
    batch.round = this.#nextRound;
    this.#nextRound += 1;
    batch.retryTick = nowTick + this.#retryTicks;
    this.#asked.set(batch.round, batch);
    const outcome = this.#env.ask(batch.round);
    batch.local = outcome === AskOutcome.AskedSelf;
    if (outcome === AskOutcome.NoLeader || outcome === AskOutcome.Overloaded) {
      this.#asked.delete(batch.round);
      this.#fail(
        batch,
        outcome === AskOutcome.NoLeader
          ? failure(FailureCode.NoLeader, this.#env.missing())
          : failure(FailureCode.TooManyRequests),
      );
    }
  }

  #serve(batch: ReadBatch): void {
    for (const read of batch.reads) {
      this.#count -= 1;
      this.#env.serve(read);
    }
    batch.reads.length = 0;
  }

  #expire(batch: ReadBatch, nowTick: number): void {
    let late = 0;
    while (late < batch.reads.length && batch.reads[late]!.deadlineTick <= nowTick) {
      batch.reads[late]!.sink.fail(new Failure(FailureCode.TimedOut, KvError.None, []));
      late += 1;
    }
    if (late > 0) {
      this.#count -= late;
      batch.reads.splice(0, late);
    }
  }

  #fail(batch: ReadBatch, why: Failure): void {
    for (const read of batch.reads) {
      this.#count -= 1;
      read.sink.fail(why);
    }
    batch.reads.length = 0;
  }
}
