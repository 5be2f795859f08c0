// The clocks of one machine over virtual time: a monotonic one with an own origin and drift, a wall
// clock that can be wrong, can drift and can jump. The monotonic clock goes on over restarts of the
// process but its origin is arbitrary, so nobody may compare readings of two boots. While the machine
// is suspended the monotonic clock stands still and the wall clock does not (as Linux's do).
import { assert } from "@quorate/base";
import type { Clock } from "@quorate/storage";
import type { World } from "./world.ts";

/** 2026-01-01T00:00:00Z: where simulated wall clocks start. */
export const wallStartMs = 1_767_225_600_000;
/** No system sets its clock before 1970; broken ones stand in 2262, at 2^63 ns. */
const wallMinMs = 0;
const wallMaxMs = 9_223_372_036_854;
/** Monotonic clocks gain no more than this: the bound of `highestWallMs`. */
export const driftPpmMost = 100_000;

export class SimClock implements Clock {
  readonly #world: World;
  readonly #originMs: number;
  /** Readings grow from here: time and readings when something last changed. */
  #sinceUs: number;
  #sinceMs: number;
  #sinceWallMs: number;
  #sinceHighestMs: number;
  #driftPpm: number;
  #wallDriftPpm: number;
  #suspended: boolean;

  constructor(world: World, originMs: number, driftPpm: number, wallSkewMs: number) {
    this.#world = world;
    this.#originMs = originMs;
    this.#driftPpm = driftPpm;
    this.#wallDriftPpm = 0;
    this.#sinceUs = world.nowUs;
    this.#sinceMs = 0;
    this.#sinceWallMs = wallStartMs + world.nowMs + wallSkewMs;
    this.#sinceHighestMs = this.#sinceWallMs;
    this.#suspended = false;
  }

  monotonicMs(): number {
    return this.#originMs + this.#elapsedMs();
  }

  wallMs(): number {
    return Math.floor(this.#exactWallMs());
  }

  /**
   * The most that anybody can take for this wall clock's reading who has read it at any time before
   * and counted on by another monotonic clock. Never goes back.
   */
  highestWallMs(): number {
    const grownMs = (this.#passedUs() / 1000) * (1 + driftPpmMost / 1_000_000);
    return Math.max(this.#sinceHighestMs + grownMs, this.#exactWallMs());
  }

  jumpWall(byMs: number): void {
    this.#settle();
    const toMs = this.#sinceWallMs + byMs;
    this.#sinceWallMs = Math.min(Math.max(toMs, wallMinMs), wallMaxMs);
    this.#sinceHighestMs = Math.max(this.#sinceHighestMs, this.#sinceWallMs);
  }

  setDrift(ppm: number): void {
    assert(ppm > -1_000_000, "SimClock.setDrift: time would stand or go back");
    assert(ppm <= driftPpmMost, "SimClock.setDrift: faster than any clock");
    this.#settle();
    this.#driftPpm = ppm;
  }

  /** Of the wall clock alone: it is slewed, or its oscillator is bad. */
  setWallDrift(ppm: number): void {
    assert(ppm > -1_000_000, "SimClock.setWallDrift: time would stand or go back");
    this.#settle();
    this.#wallDriftPpm = ppm;
  }

  /** The machine sleeps: monotonic time stands still until `wake`. */
  suspend(): void {
    this.#settle();
    this.#suspended = true;
  }

  wake(): void {
    this.#settle();
    this.#suspended = false;
  }

  /** Virtual µs that pass while this clock shows `ms`, awake. */
  worldUs(ms: number): number {
    return Math.max(0, Math.round((ms * 1000) / (1 + this.#driftPpm / 1_000_000)));
  }

  #settle(): void {
    const elapsedMs = this.#elapsedMs();
    const wallMs = this.#exactWallMs();
    this.#sinceHighestMs = this.highestWallMs();
    this.#sinceMs = elapsedMs;
    this.#sinceWallMs = wallMs;
    this.#sinceUs = this.#world.nowUs;
  }

  #passedUs(): number {
    return this.#world.nowUs - this.#sinceUs;
  }

  #elapsedMs(): number {
    if (this.#suspended) return this.#sinceMs;
    return this.#sinceMs + (this.#passedUs() / 1000) * (1 + this.#driftPpm / 1_000_000);
  }

  #exactWallMs(): number {
    return this.#sinceWallMs + (this.#passedUs() / 1000) * (1 + this.#wallDriftPpm / 1_000_000);
  }
}
