// The event loop's timer of one process: fires every tickMs of the machine's monotonic clock, late by
// what else the loop has to do, and makes up for what it missed up to a bound, as production does.
import type { SimClock } from "./sim-clock.ts";
import type { SimProcess } from "./sim-env.ts";
import type { SimRandom } from "./sim-random.ts";
import type { World } from "./world.ts";

/** As the production event loop clamps after a stall. */
const ticksAtOnceMax = 5;
const lateUsMax = 500;

export class TickTimer {
  readonly #world: World;
  readonly #clock: SimClock;
  readonly #random: SimRandom;
  readonly #incarnation: SimProcess;
  readonly #tickMs: number;
  readonly #tick: (ticks: number) => void;
  /** Monotonic time up to which ticks were given out. */
  #sinceMs: number;

  constructor(
    world: World,
    clock: SimClock,
    random: SimRandom,
    incarnation: SimProcess,
    tickMs: number,
    tick: (ticks: number) => void,
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#random = random;
    this.#incarnation = incarnation;
    this.#tickMs = tickMs;
    this.#tick = tick;
    this.#sinceMs = clock.monotonicMs();
  }

  start(): void {
    const lateUs = this.#random.below(lateUsMax);
    this.#world.after(this.#clock.worldUs(this.#tickMs) + lateUs, () => {
      if (!this.#incarnation.alive) return;
      if (!this.#incarnation.paused) {
        const ticks = this.take();
        if (ticks > 0) this.#incarnation.run(() => this.#tick(ticks));
      }
      this.start();
    });
  }

  /** Ticks that are due now; what lies more than the bound behind is forgotten. */
  take(): number {
    const nowMs = this.#clock.monotonicMs();
    const owed = Math.floor((nowMs - this.#sinceMs) / this.#tickMs);
    const ticks = Math.min(owed, ticksAtOnceMax);
    this.#sinceMs = owed > ticksAtOnceMax ? nowMs : this.#sinceMs + ticks * this.#tickMs;
    return ticks;
  }
}
