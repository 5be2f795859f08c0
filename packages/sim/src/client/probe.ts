// The harness's own client in the liveness phase: one write, or reads of everything, at a named
// member, repeated while the member says "not committed". Its operations join the history.
import { latin1Encode } from "@quorate/base";
import { type Failure, FailureCode } from "@quorate/host";
import { KvError, PutRequest, RangeRequest } from "@quorate/kv";
import type { ModelState } from "../model/kv-model.ts";
import type { World } from "../world.ts";
import { planned, type PlannedOperation } from "../workloads/workload.ts";
import { type History, Outcome } from "./history.ts";
import type { RequestTarget } from "./request-target.ts";

const client = 999;
const retryUs = 50_000;
/** A member that has just come back may answer "unknown": its entry was covered by a snapshot. */
const unknownMax = 2;

export class Probe {
  readonly #world: World;
  readonly #target: RequestTarget;
  readonly #history: History;
  #open: number;
  #failed: string[];
  #over: boolean;

  constructor(world: World, target: RequestTarget, history: History) {
    this.#world = world;
    this.#target = target;
    this.#history = history;
    this.#open = 0;
    this.#failed = [];
    this.#over = false;
  }

  /** Asks nothing more. */
  giveUp(): void {
    this.#over = true;
  }

  get answered(): boolean {
    return this.#open === 0;
  }

  get succeeded(): boolean {
    return this.#failed.length === 0;
  }

  describe(): string {
    return `${this.#open} probes open, failed: [${this.#failed.join(", ")}]`;
  }

  put(member: string): void {
    this.#open++;
    this.#ask(member, 0, () => {
      const value = `probe ${this.#history.operations.length}`;
      return planned(
        new PutRequest({ key: latin1Encode(`probe/${member}`), value: latin1Encode(value) }),
      );
    });
  }

  /**
   * Everything as it is now; as it was at the oldest revision that can be read, and halfway; and what
   * the compaction took away, which must be refused. The checkers of histories judge the answers.
   */
  readAll(member: string, { revision, compactRevision }: ModelState): void {
    const oldest = Math.max(1, compactRevision);
    const middle = Math.floor((oldest + revision) / 2);
    this.#read(member, {});
    this.#read(member, { revision: oldest });
    this.#read(member, { revision: middle, keysOnly: true });
    if (oldest > 1) this.#read(member, { revision: oldest - 1, countOnly: true });
  }

  #read(member: string, fields: Partial<RangeRequest>): void {
    this.#open++;
    const everything = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") };
    this.#ask(member, 0, () => planned(new RangeRequest({ ...everything, ...fields })));
  }

  #ask(member: string, unknowns: number, plan: () => PlannedOperation): void {
    if (this.#over) return;
    const operation = this.#history.call(client, member, plan());
    this.#target.request(member, operation, {
      reply: (bytes) => {
        this.#history.ok(operation, bytes);
        this.#open--;
      },
      fail: (failure: Failure) => {
        this.#history.failed(operation, failure);
        const unknown = operation.outcome === Outcome.Unknown;
        if (isTransient(failure) || isOver(failure) || (unknown && unknowns < unknownMax)) {
          const next = unknowns + (unknown ? 1 : 0);
          this.#world.after(retryUs, () => this.#ask(member, next, plan));
          return;
        }
        // A refusal by the state machine is an answer, too.
        if (failure.code !== FailureCode.Kv) this.#failed.push(`${member}: code ${failure.code}`);
        this.#open--;
      },
    });
  }
}

/**
 * Lack of room is over by now, and whoever asked for the alarm takes it back. The last change of users may
 * come between who asks and what is asked.
 */
function isOver({ kvError }: Failure): boolean {
  return kvError === KvError.NoSpace || kvError === KvError.AuthOldRevision;
}

/**
 * Stopped: told to stop in the last moment of the faults; it will be started again. Too many: the
 * rows of the last load wait for a checkpoint.
 */
function isTransient({ code }: Failure): boolean {
  return (
    code === FailureCode.NoLeader ||
    code === FailureCode.LeaderChanged ||
    code === FailureCode.TooManyRequests ||
    code === FailureCode.Rebuilding ||
    code === FailureCode.Stopped
  );
}
