// What stood still or jumped: this process between two ticks, its disk under a batch, the wall clock
// beside the monotonic one. Facts for the journal (DESIGN.md 19); steers nothing.
import type { Clock } from "@quorate/storage";
import type { HostConfig } from "./host-api.ts";
import { JournalKind } from "./journal.ts";

/** The wall clock has run so far away from the monotonic one between two ticks. */
const stepMsMin = 1000;

export class Stalls {
  readonly #clock: Clock;
  readonly #tickMs: number;
  /** Others notice a silence of this length. */
  readonly #stallMsMin: number;
  /** A disk that is slow all the time is told about so often. */
  readonly #againMs: number;
  readonly #tell: (kind: JournalKind, ms: number) => void;
  #lastMs: number;
  #lastWallMs: number;
  #diskToldMs: number;

  constructor(
    clock: Clock,
    config: HostConfig,
    tell: (kind: JournalKind, milliseconds: number) => void,
  ) {
    this.#clock = clock;
    this.#tickMs = config.tickMs;
    this.#stallMsMin = config.heartbeatIntervalMs;
    this.#againMs = config.electionTimeoutMs;
    this.#tell = tell;
    this.#lastMs = clock.monotonicMs();
    this.#lastWallMs = clock.wallMs();
    this.#diskToldMs = Number.NEGATIVE_INFINITY;
  }

  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    const passedMs = nowMs - this.#lastMs;
    const stepMs = wallMs - this.#lastWallMs - passedMs;
    this.#lastMs = nowMs;
    this.#lastWallMs = wallMs;
    const stallMs = passedMs - this.#tickMs;
    if (stallMs >= this.#stallMsMin) this.#tell(JournalKind.Stall, Math.round(stallMs));
    if (Math.abs(stepMs) >= stepMsMin) this.#tell(JournalKind.ClockStepped, Math.round(stepMs));
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** A batch that was given to the disk at `sinceMs` is durable. */
  persisted(sinceMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const tookMs = nowMs - sinceMs;
    if (tookMs < this.#stallMsMin || nowMs - this.#diskToldMs < this.#againMs) return;
    this.#diskToldMs = nowMs;
    this.#tell(JournalKind.SlowDisk, Math.round(tookMs));
  }
}
