// One closed-loop client: thinks, asks one member, waits for the answer or its own timeout, thinks
// again. It never repeats an operation: what it did not hear of stays unknown.
import { assert } from "@quorate/base";
import { type Failure, FailureCode, type ReplySink } from "@quorate/host";
import type { SimRandom } from "../sim-random.ts";
import type { Workload } from "../workloads/workload.ts";
import type { World, WorldEvent } from "../world.ts";
import type { ClientOperation, History } from "./history.ts";

/** Where clients send requests; a member that is not there answers nothing. */
export interface RequestTarget {
  readonly memberNames: readonly string[];
  request(member: string, operation: ClientOperation, sink: ReplySink): void;
}

export interface ClientTimings {
  thinkMinUs: number;
  thinkMaxUs: number;
  timeoutMinUs: number;
  timeoutMaxUs: number;
  /** Chance that an answer is lost on its way to the client. */
  replyLossChance: number;
}

/** After the n-th refusal in a row a client waits this long, doubled n times. */
const refusedPauseUs = 1_000;
const refusedDoublingsMax = 6;

export class SimClient {
  readonly id: number;
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #target: RequestTarget;
  readonly #history: History;
  readonly #workload: Workload;
  readonly #timings: ClientTimings;
  /** The member it prefers; it moves on when that one fails it. */
  #member: string;
  #pending: ClientOperation | null;
  #timeout: WorldEvent | null;
  #stopped: boolean;
  /** Answers in a row that said: not committed, nobody here to commit. */
  #refusals: number;

  constructor(
    id: number,
    world: World,
    target: RequestTarget,
    history: History,
    workload: Workload,
    timings: ClientTimings,
  ) {
    this.id = id;
    this.#world = world;
    this.#random = world.random(`client ${id}`);
    this.#target = target;
    this.#history = history;
    this.#workload = workload;
    this.#timings = timings;
    this.#member = this.#random.pick(target.memberNames);
    this.#pending = null;
    this.#timeout = null;
    this.#stopped = false;
    this.#refusals = 0;
  }

  start(): void {
    this.#think();
  }

  /** What is in flight still gets its answer or its timeout. */
  stop(): void {
    this.#stopped = true;
  }

  get idle(): boolean {
    return this.#pending === null;
  }

  #think(): void {
    if (this.#stopped) return;
    const us = this.#random.doublings(this.#timings.thinkMinUs, this.#timings.thinkMaxUs);
    const backoffUs = refusedPauseUs * 2 ** Math.min(this.#refusals, refusedDoublingsMax);
    this.#world.after(us + (this.#refusals > 0 ? backoffUs : 0), () => this.#ask());
  }

  #ask(): void {
    if (this.#stopped) return;
    if (this.#random.chance(0.1)) this.#move();
    const plan = this.#workload.next(this.id, this.#random);
    if (!this.#world.actions.admit(this.#world.nowUs, `client ${this.id}`)) return this.#think();
    const operation = this.#history.call(this.id, this.#member, plan);
    this.#pending = operation;
    const timeoutUs = this.#random.between(this.#timings.timeoutMinUs, this.#timings.timeoutMaxUs);
    this.#timeout = this.#world.after(timeoutUs, () => this.#gaveUp(operation));
    let inside = true;
    this.#target.request(this.#member, operation, {
      reply: (bytes) => {
        assert(!inside, "ReplySink.reply inside request");
        this.#replied(operation, bytes);
      },
      fail: (failure) => {
        assert(!inside, "ReplySink.fail inside request");
        this.#failed(operation, failure);
      },
    });
    inside = false;
  }

  #replied(operation: ClientOperation, bytes: Uint8Array): void {
    if (this.#pending !== operation) return;
    if (this.#random.chance(this.#timings.replyLossChance)) return;
    this.#refusals = 0;
    this.#history.ok(operation, bytes);
    this.#workload.heard(operation);
    this.#finished();
  }

  #failed(operation: ClientOperation, failure: Failure): void {
    if (this.#pending !== operation) return;
    this.#history.failed(operation, failure);
    this.#refusals = failure.code === FailureCode.Kv ? 0 : this.#refusals + 1;
    if (this.#refusals > 0) this.#move();
    this.#finished();
  }

  #gaveUp(operation: ClientOperation): void {
    if (this.#pending !== operation) return;
    this.#timeout = null;
    this.#history.failed(operation, null);
    this.#move();
    this.#finished();
  }

  #finished(): void {
    this.#pending = null;
    if (this.#timeout !== null) this.#world.cancel(this.#timeout);
    this.#timeout = null;
    this.#think();
  }

  #move(): void {
    this.#member = this.#random.pick(this.#target.memberNames);
  }
}
