// CoDel (Nichols and Jacobson, 2012) for a queue of requests: a queue that was never short for a whole
// interval is a standing one, and only makes everybody wait; a burst is not. Packets are dropped one by
// one until the sender slows down; requests are refused as long as they would wait for longer than the
// target, because clients that are refused come again by themselves.

export interface DelayLimits {
  /** A wait that is no harm. */
  readonly targetMs: number;
  /** A queue that was above it for so long stands. */
  readonly intervalMs: number;
}

export class ControlledDelay {
  readonly #limits: DelayLimits;
  /** Since when the oldest has always waited for longer than the target; -1: it has not. */
  #aboveSinceMs: number;
  /** The queue stands. */
  overloaded: boolean;

  constructor(limits: DelayLimits) {
    this.#limits = limits;
    this.#aboveSinceMs = -1;
    this.overloaded = false;
  }

  /** The oldest in the queue has waited for so long. */
  sample(waitedMs: number, nowMs: number): void {
    if (waitedMs <= this.#limits.targetMs) return this.empty();
    if (this.#aboveSinceMs < 0) this.#aboveSinceMs = nowMs;
    this.overloaded = nowMs - this.#aboveSinceMs >= this.#limits.intervalMs;
  }

  /** Nothing waits, or not for long. */
  empty(): void {
    this.#aboveSinceMs = -1;
    this.overloaded = false;
  }
}
