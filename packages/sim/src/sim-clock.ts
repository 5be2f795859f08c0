// The clocks of one machine over virtual time: a monotonic one with an own origin and drift, a wall
// clock that can be wrong and can jump. The monotonic clock goes on over restarts of the process
// but its origin is arbitrary, so nobody may compare readings of two boots.
import { assert } from "@quorate/base";
import type { Clock } from "@quorate/storage";
import type { World } from "./world.ts";

/** 2026-01-01T00:00:00Z: where simulated wall clocks start. */
export const wallStartMs = 1_767_225_600_000;

export class SimClock implements Clock {
  readonly #world: World;
  readonly #originMs: number;
  #driftPpm: number;
  /** Readings grow from here: time and reading when the drift last changed. */
  #sinceUs: number;
  #sinceMs: number;
  #wallSkewMs: number;

  constructor(world: World, originMs: number, driftPpm: number, wallSkewMs: number) {
    this.#world = world;
    this.#originMs = originMs;
    this.#driftPpm = driftPpm;
    this.#sinceUs = world.nowUs;
    this.#sinceMs = 0;
    this.#wallSkewMs = wallSkewMs;
  }

  monotonicMs(): number {
    return this.#originMs + this.#elapsedMs();
  }

  wallMs(): number {
    return Math.floor(wallStartMs + this.#world.nowMs + this.#wallSkewMs);
  }

  jumpWall(byMs: number): void {
    this.#wallSkewMs += byMs;
  }

  setDrift(ppm: number): void {
    assert(ppm > -1_000_000, "SimClock.setDrift: time would stand or go back");
    this.#sinceMs = this.#elapsedMs();
    this.#sinceUs = this.#world.nowUs;
    this.#driftPpm = ppm;
  }

  /** Virtual µs that pass while this clock shows `ms`. */
  worldUs(ms: number): number {
    return Math.max(0, Math.round((ms * 1000) / (1 + this.#driftPpm / 1_000_000)));
  }

  #elapsedMs(): number {
    const us = this.#world.nowUs - this.#sinceUs;
    return this.#sinceMs + (us / 1000) * (1 + this.#driftPpm / 1_000_000);
  }
}
