// The harness's own client in the liveness phase: one write, or one read of everything, at a named
// member, repeated while the member says "not committed". Its operations join the history.
import { latin1Encode } from "@quorate/base";
import { type Failure, FailureCode } from "@quorate/host";
import { PutRequest, RangeRequest } from "@quorate/kv";
import type { World } from "../world.ts";
import { planned, type PlannedOperation } from "../workloads/workload.ts";
import { type History, Outcome } from "./history.ts";
import type { RequestTarget } from "./sim-client.ts";

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

  constructor(world: World, target: RequestTarget, history: History) {
    this.#world = world;
    this.#target = target;
    this.#history = history;
    this.#open = 0;
    this.#failed = [];
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

  readAll(member: string): void {
    this.#open++;
    const everything = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") };
    this.#ask(member, 0, () => planned(new RangeRequest(everything)));
  }

  #ask(member: string, unknowns: number, plan: () => PlannedOperation): void {
    const operation = this.#history.call(client, member, plan());
    this.#target.request(member, operation, {
      reply: (bytes) => {
        this.#history.ok(operation, bytes);
        this.#open--;
      },
      fail: (failure: Failure) => {
        const unknown = failure.code === FailureCode.TimedOut;
        const outcome = unknown ? Outcome.Unknown : Outcome.NotCommitted;
        this.#history.failed(operation, outcome, failure.code);
        if (isTransient(failure) || (unknown && unknowns < unknownMax)) {
          const next = unknowns + (unknown ? 1 : 0);
          this.#world.after(retryUs, () => this.#ask(member, next, plan));
          return;
        }
        this.#failed.push(`${member}: code ${failure.code}`);
        this.#open--;
      },
    });
  }
}

/** Stopped: told to stop in the last moment of the faults; it will be started again. */
function isTransient({ code }: Failure): boolean {
  return (
    code === FailureCode.NoLeader ||
    code === FailureCode.LeaderChanged ||
    code === FailureCode.Stopped
  );
}
