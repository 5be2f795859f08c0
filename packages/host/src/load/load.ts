// Whether there is too much to do, and what is refused then, in the order of reliability.md §6.5: at
// first snapshots and reads of whole ranges, then reads, then what makes the state larger, then
// everything but what others rely on. Two things can be too slow: the log (disk, network, apply), which
// the queue of writes shows; and this process, which is seen by its ticks. Raft's own messages and the
// ends of leases wait nowhere here.
import { decodeRangeRequest } from "@quorate/kv";
import type { RaftApi } from "@quorate/raft";
import type { Clock } from "@quorate/storage";
import { rangeRequest } from "../host-api.ts";
import type { HostConfig, RequestKind } from "../host-api.ts";
import type { Proposals } from "../proposals.ts";
import { LoadLevel } from "./load-level.ts";
import { LoopLag } from "./loop-lag.ts";
import { shareOf, Urgency, urgencyOf } from "./urgency.ts";
import { WriteQueue } from "./write-queue.ts";
import type { Room } from "./write-queue.ts";

/** Keys that a range may name as its limit and still be a small one. */
const smallRange = 1000;
/** So many writes without an answer for so long: the log stands still. */
const standingWrites = 256;
const standingMs = 1000;
/** Of all that may wait, what is in the log already; more of it would only wait there. */
const logShare = 1 / 2;

export interface LoadParts {
  readonly config: Pick<
    HostConfig,
    "requestsMax" | "requestBytesInFlightMax" | "applyGapMax" | "electionTimeoutMs" | "tickMs"
  >;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly proposals: Pick<Proposals, "count" | "bytes" | "answered">;
  readonly raft: Pick<RaftApi, "leader">;
  /** Committed and not applied. */
  applyPending(): number;
}

export class Load {
  readonly #parts: LoadParts;
  readonly #lag: LoopLag;
  readonly queue: WriteQueue;
  /** Ticks in a row without an answer although many wait, and answers at the last tick. */
  #standingTicks: number;
  #answered: number;
  /** Requests refused so far, for metrics. */
  refused: number;

  constructor(parts: LoadParts) {
    this.#parts = parts;
    this.#lag = new LoopLag(parts.config.tickMs);
    this.queue = new WriteQueue();
    this.#standingTicks = 0;
    this.#answered = 0;
    this.refused = 0;
  }

  get level(): LoadLevel {
    const { ms } = this.#lag;
    const { electionTimeoutMs } = this.#parts.config;
    if (ms < electionTimeoutMs / 10) return LoadLevel.None;
    if (ms < electionTimeoutMs / 4) return LoadLevel.Late;
    return ms < electionTimeoutMs / 2 ? LoadLevel.VeryLate : LoadLevel.Overloaded;
  }

  tick(ticks: number): void {
    const { clock, proposals } = this.#parts;
    this.#lag.tick(clock.monotonicMs());
    const moves = proposals.count < standingWrites || proposals.answered !== this.#answered;
    this.#standingTicks = moves ? 0 : this.#standingTicks + ticks;
    this.#answered = proposals.answered;
  }

  /** Of all that may wait, how much may when this one is among it. */
  shareOf(kind: number): number {
    return shareOf[urgencyOf(kind)];
  }

  refusesWrite(kind: number): boolean {
    const urgency = urgencyOf(kind);
    const refuses = this.#refusesWrite(urgency);
    if (refuses) this.refused += 1;
    return refuses;
  }

  #refusesWrite(urgency: Urgency): boolean {
    const { config } = this.#parts;
    // etcd lets what it calls critical pass a wider gap.
    const gap = urgency === Urgency.Ordinary ? config.applyGapMax : 2 * config.applyGapMax;
    if (this.#parts.applyPending() > gap) return true;
    if (urgency === Urgency.First) return false;
    if (this.#stands || this.queue.refuses(urgency)) return true;
    return urgency === Urgency.Ordinary && this.level === LoadLevel.Overloaded;
  }

  /** `payload`: of the client's request. */
  refusesRead(kind: RequestKind, payload: Uint8Array): boolean {
    const { level } = this;
    if (level === LoadLevel.None) return false;
    const refuses = level === LoadLevel.Late ? isLarge(kind, payload) : !isProbe(kind, payload);
    if (refuses) this.refused += 1;
    return refuses;
  }

  /** For writes that are not in the log yet. */
  room(): Room {
    const { config, proposals } = this.#parts;
    const { queue } = this;
    const inLog = proposals.count - queue.count;
    const count = config.requestsMax * logShare - inLog;
    const bytes = config.requestBytesInFlightMax * logShare - (proposals.bytes - queue.bytes);
    const idle = inLog <= 0;
    return {
      count: Math.max(idle ? 1 : 0, Math.floor(count)),
      bytes: Math.max(0, Math.floor(bytes)),
      idle,
    };
  }

  /** Without a leader that is what clients are told. */
  get #stands(): boolean {
    const { config, raft } = this.#parts;
    return this.#standingTicks * config.tickMs >= standingMs && raft.leader() !== 0;
  }
}

/** Without a limit, or with a wide one. A transaction is bounded by its operations. */
function isLarge(kind: RequestKind, payload: Uint8Array): boolean {
  if (kind !== rangeRequest) return false;
  const range = decodeRangeRequest(payload);
  if (range === null || range.countOnly || range.rangeEnd.length === 0) return false;
  return range.limit <= 0 || range.limit > smallRange;
}

/** Who only looks whether this member can read: it shall not be taken for dead. */
function isProbe(kind: RequestKind, payload: Uint8Array): boolean {
  if (kind !== rangeRequest) return false;
  const range = decodeRangeRequest(payload);
  return range !== null && range.serializable && range.keysOnly && range.limit === 1;
}
