// All streams of watchers of this member. Its part of a turn: tell what apply has changed, feed those
// who are behind, answer who asked how far they were told.
import type { AuthView, HeaderSource, Watches } from "@quorate/kv";
import type { Random } from "@quorate/storage";
import { FailureCode } from "../host-api.ts";
import type { WatchSink, WatchStream } from "../host-api.ts";
import { failure } from "../proposals.ts";
import type { WatchLimits } from "./watch-limits.ts";
import { WatchRights } from "./watch-rights.ts";
import { WatchSession } from "./watch-session.ts";
import type { WatchShared } from "./watch-session.ts";

/** A stream that requires a leader ends after so many election timeouts without one, as in etcd. */
const leaderlessTimeouts = 3;
/** How many ticks pass between two looks at time. */
const lookTicks = 10;
/** etcd's jitter of the interval between words of progress: up to a tenth more. */
const jitterShare = 0.1;

export interface WatchStreamsParts {
  readonly hub: Watches;
  readonly auth: AuthView;
  readonly limits: WatchLimits;
  readonly random: Random;
  readonly tickMs: number;
  readonly electionTimeoutTicks: number;
  header(): HeaderSource;
  schedule(): void;
  hasLeader(): boolean;
  missing(): readonly string[];
}

export class WatchStreams {
  readonly #parts: WatchStreamsParts;
  readonly #shared: WatchShared;
  /** Each with the tick of its next words of progress. */
  readonly #sessions: Map<WatchSession, number>;
  #nowTick: number;
  #leaderTick: number;

  constructor(parts: WatchStreamsParts) {
    this.#parts = parts;
    this.#sessions = new Map();
    this.#shared = {
      hub: parts.hub,
      rights: new WatchRights(parts.auth),
      limits: parts.limits,
      header: () => parts.header(),
      schedule: () => parts.schedule(),
      watchers: 0,
      perConnection: new WeakMap(),
      buffered: 0,
      waiting: new Set(),
      awaiting: new Set(),
      onClose: (session) => this.#sessions.delete(session),
    };
    this.#nowTick = 0;
    this.#leaderTick = 0;
  }

  get streams(): number {
    return this.#sessions.size;
  }

  get watchers(): number {
    return this.#shared.watchers;
  }

  /** Written and not yet taken, of all streams together. */
  get bufferedBytes(): number {
    return this.#shared.buffered;
  }

  open(sink: WatchSink, requiresLeader: boolean): WatchStream {
    const session = new WatchSession(this.#shared, sink, requiresLeader);
    this.#sessions.set(session, this.#nextProgress());
    if (requiresLeader && !this.#parts.hasLeader()) session.fail(this.#noLeader());
    return session;
  }

  /** The end of a turn's apply; true when somebody is still behind and could be fed. */
  turn(): boolean {
    const { hub, waiting, awaiting, rights } = this.#shared;
    if (rights.changed()) {
      for (const session of [...this.#sessions.keys()]) session.recheck();
    }
    hub.flush();
    if (hub.settled) for (const session of [...waiting]) session.serve();
    const more = hub.catchUp();
    for (const session of awaiting) {
      if (session.answerProgress()) awaiting.delete(session);
    }
    return more;
  }

  stateGone(): void {
    this.#shared.hub.stateGone();
  }

  stateBack(): void {
    this.#shared.hub.stateBack();
    for (const session of [...this.#sessions.keys()]) session.serve();
  }

  tick(nowTick: number): void {
    if (this.#parts.hasLeader()) this.#leaderTick = nowTick;
    if (nowTick < this.#nowTick + lookTicks) return;
    this.#nowTick = nowTick;
    const leaderless = nowTick - this.#leaderTick;
    const isLeaderless = leaderless >= leaderlessTimeouts * this.#parts.electionTimeoutTicks;
    for (const [session, progressTick] of [...this.#sessions]) {
      if (isLeaderless && session.requiresLeader) {
        session.fail(this.#noLeader());
      } else if (progressTick <= nowTick) {
        this.#sessions.set(session, this.#nextProgress());
        session.progress();
      }
    }
  }

  stop(): void {
    for (const session of [...this.#sessions.keys()]) session.fail(failure(FailureCode.Stopped));
  }

  #nextProgress(): number {
    const { limits, random, tickMs } = this.#parts;
    const jitterMs = random.below(Math.max(1, Math.floor(limits.progressMs * jitterShare)));
    return this.#nowTick + Math.ceil((limits.progressMs + jitterMs) / tickMs);
  }

  #noLeader(): ReturnType<typeof failure> {
    return failure(FailureCode.NoLeader, this.#parts.missing());
  }
}
