// Requests of a story: a single one whose outcome the story looks at, and a steady stream of writes
// whose latencies it measures. Both join the history that is judged at the end.
import { latin1Encode } from "@quorate/base";
import type { Credential } from "@quorate/host";
import { PutRequest } from "@quorate/kv";
import { type ClientOperation, type History, Outcome } from "../client/history.ts";
import type { RequestTarget } from "../client/request-target.ts";
import { planned, type PlannedOperation } from "../workloads/workload.ts";
import type { World } from "../world.ts";

/** Number of the story's own client in the history. */
const storyClient = 900;

export class Ask {
  readonly member: string;
  readonly operation: ClientOperation;
  readonly askedMs: number;
  /** When an answer of any kind came; null: none yet. */
  answeredMs: number | null;

  constructor(member: string, operation: ClientOperation, askedMs: number) {
    this.member = member;
    this.operation = operation;
    this.askedMs = askedMs;
    this.answeredMs = null;
  }

  get pending(): boolean {
    return this.operation.outcome === Outcome.Pending;
  }

  get acknowledged(): boolean {
    return this.operation.outcome === Outcome.Ok;
  }

  /** Told for certain that it never takes effect. */
  get refused(): boolean {
    return this.operation.outcome === Outcome.NotCommitted;
  }

  get unknown(): boolean {
    return this.operation.outcome === Outcome.Unknown;
  }

  /** From the question to the answer. */
  get tookMs(): number {
    return this.answeredMs === null ? Number.POSITIVE_INFINITY : this.answeredMs - this.askedMs;
  }
}

export class Asker {
  readonly #world: World;
  readonly #target: RequestTarget;
  readonly #history: History;
  #values: number;

  constructor(world: World, target: RequestTarget, history: History) {
    this.#world = world;
    this.#target = target;
    this.#history = history;
    this.#values = 0;
  }

  /** A put of a value that nobody else writes. */
  put(member: string, key: string, bytes: number): Ask {
    const value = latin1Encode(`story ${++this.#values} `.padEnd(bytes, "."));
    return this.ask(member, planned(new PutRequest({ key: latin1Encode(key), value })));
  }

  /** `credential`: what it brings; else what all do. */
  ask(
    member: string,
    plan: PlannedOperation,
    credential: Credential | null = this.#history.credential,
  ): Ask {
    const operation = this.#history.call(storyClient, member, plan, credential);
    const ask = new Ask(member, operation, this.#world.nowMs);
    this.#target.request(member, operation, {
      reply: (bytes) => {
        ask.answeredMs = this.#world.nowMs;
        this.#history.ok(operation, bytes);
      },
      fail: (failure) => {
        ask.answeredMs = this.#world.nowMs;
        this.#history.failed(operation, failure);
      },
    });
    return ask;
  }
}

/** One put every so often at a member that is chosen anew each time. */
export class Stream {
  readonly #world: World;
  readonly #ask: () => Ask | null;
  readonly #everyUs: number;
  readonly asks: Ask[];
  #stopped: boolean;

  constructor(world: World, everyMs: number, ask: () => Ask | null) {
    this.#world = world;
    this.#everyUs = Math.round(everyMs * 1000);
    this.#ask = ask;
    this.asks = [];
    this.#stopped = false;
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    this.#world.after(this.#everyUs, () => {
      if (this.#stopped) return;
      const ask = this.#ask();
      if (ask !== null) this.asks.push(ask);
      this.#next();
    });
  }
}
