// One client: up to `depth` operations at once, each in a loop of its own that thinks, asks one
// member, waits for the answer or its own timeout, and thinks again. It never repeats an operation:
// what it did not hear of stays unknown.
import { assert } from "@quorate/base";
import { type Failure, FailureCode } from "@quorate/host";
import type { SimRandom } from "../sim-random.ts";
import type { Workload } from "../workloads/workload.ts";
import type { World, WorldEvent } from "../world.ts";
import type { ClientOperation, History } from "./history.ts";
import type { RequestTarget } from "./request-target.ts";

/** May change while the client runs. */
export interface ClientTimings {
  /** Operations at once; at most `depthMax`. */
  depth: number;
  thinkMinUs: number;
  thinkMaxUs: number;
  timeoutMinUs: number;
  timeoutMaxUs: number;
  /** Chance that an answer is lost on its way to the client. */
  replyLossChance: number;
  /** Chance that it asks another member than before, for no reason. */
  moveChance: number;
}

export const depthMax = 4;

/** After the n-th refusal in a row a client waits this long, doubled n times. */
const refusedPauseUs = 1_000;
const refusedDoublingsMax = 6;
/** A loop that is one too many looks again after so long. */
const restUs = 100_000;

interface Asked {
  readonly operation: ClientOperation;
  readonly timeout: WorldEvent;
}

export class SimClient {
  readonly id: number;
  readonly timings: ClientTimings;
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #target: RequestTarget;
  readonly #history: History;
  readonly #workload: Workload;
  /** The member it prefers; it moves on when that one fails it. */
  #member: string;
  /** What each loop waits for. */
  readonly #asked: (Asked | null)[];
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
    assert(
      timings.depth >= 1 && timings.depth <= depthMax,
      "a client asks at least once at a time",
    );
    this.id = id;
    this.timings = timings;
    this.#world = world;
    this.#random = world.random(`client ${id}`);
    this.#target = target;
    this.#history = history;
    this.#workload = workload;
    this.#member = this.#random.pick(target.memberNames);
    this.#asked = Array.from({ length: depthMax }, () => null);
    this.#stopped = false;
    this.#refusals = 0;
  }

  start(): void {
    for (let loop = 0; loop < depthMax; loop++) this.#think(loop);
  }

  /** What is in flight still gets its answer or its timeout. */
  stop(): void {
    this.#stopped = true;
  }

  get idle(): boolean {
    return this.#asked.every((asked) => asked === null);
  }

  #think(loop: number): void {
    if (this.#stopped) return;
    const us = this.#random.doublings(this.timings.thinkMinUs, this.timings.thinkMaxUs);
    const backoffUs = refusedPauseUs * 2 ** Math.min(this.#refusals, refusedDoublingsMax);
    this.#world.after(us + (this.#refusals > 0 ? backoffUs : 0), () => this.#ask(loop));
  }

  #ask(loop: number): void {
    if (this.#stopped) return;
    if (loop >= this.timings.depth) {
      this.#world.after(restUs, () => this.#ask(loop));
      return;
    }
    if (this.#random.chance(this.timings.moveChance)) this.#move();
    const plan = this.#workload.next(this.id, this.#random);
    const admitted = this.#world.actions.admit(this.#world.nowUs, `client ${this.id}`);
    if (!admitted) return this.#think(loop);
    const operation = this.#history.call(this.id, this.#member, plan);
    const timeoutUs = this.#random.between(this.timings.timeoutMinUs, this.timings.timeoutMaxUs);
    const timeout = this.#world.after(timeoutUs, () => this.#gaveUp(loop, operation));
    this.#asked[loop] = { operation, timeout };
    let inside = true;
    this.#target.request(this.#member, operation, {
      reply: (bytes) => {
        assert(!inside, "ReplySink.reply inside request");
        this.#replied(loop, operation, bytes);
      },
      fail: (failure) => {
        assert(!inside, "ReplySink.fail inside request");
        this.#failed(loop, operation, failure);
      },
    });
    inside = false;
  }

  #isOpen(loop: number, operation: ClientOperation): boolean {
    return this.#asked[loop]?.operation === operation;
  }

  #replied(loop: number, operation: ClientOperation, bytes: Uint8Array): void {
    if (!this.#isOpen(loop, operation)) return;
    if (this.#random.chance(this.timings.replyLossChance)) return;
    this.#refusals = 0;
    this.#history.ok(operation, bytes);
    this.#workload.heard(operation);
    this.#finished(loop);
  }

  #failed(loop: number, operation: ClientOperation, failure: Failure): void {
    if (!this.#isOpen(loop, operation)) return;
    this.#history.failed(operation, failure);
    this.#refusals = failure.code === FailureCode.Kv ? 0 : this.#refusals + 1;
    if (this.#refusals > 0) this.#move();
    this.#finished(loop);
  }

  #gaveUp(loop: number, operation: ClientOperation): void {
    if (!this.#isOpen(loop, operation)) return;
    this.#history.failed(operation, null);
    this.#move();
    this.#finished(loop);
  }

  #finished(loop: number): void {
    this.#world.cancel(this.#asked[loop]!.timeout);
    this.#asked[loop] = null;
    this.#think(loop);
  }

  #move(): void {
    this.#member = this.#random.pick(this.#target.memberNames);
  }
}
