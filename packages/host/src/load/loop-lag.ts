// How late this process is: CoDel's question, asked of the event loop. A tick that comes late waited
// behind everything else. One long turn is no overload; a loop that was late for a whole second is.

const intervalMs = 1000;

export class LoopLag {
  readonly #tickMs: number;
  #lastMs: number;
  #leastMs: number;
  #endMs: number;
  #ms: number;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#lastMs = -1;
    this.#leastMs = Infinity;
    this.#endMs = 0;
    this.#ms = 0;
  }

  /** The least lateness of a second's ticks; a tick in time ends it. */
  get ms(): number {
    return this.#ms;
  }

  tick(nowMs: number): void {
    const first = this.#lastMs < 0;
    const lateMs = first ? 0 : Math.max(0, nowMs - this.#lastMs - this.#tickMs);
    this.#lastMs = nowMs;
    if (first) this.#endMs = nowMs + intervalMs;
    this.#leastMs = Math.min(this.#leastMs, lateMs);
    this.#ms = Math.min(this.#ms, lateMs);
    if (nowMs < this.#endMs) return;
    // A pause longer than the interval is one late tick, not a late second.
    const isOne = lateMs >= intervalMs;
    this.#ms = isOne ? 0 : this.#leastMs;
    this.#leastMs = Infinity;
    this.#endMs = nowMs + intervalMs;
  }
}
