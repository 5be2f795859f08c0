// The one timer of a member: ticks, clamped after a stall so that a paused process does not believe
// that its time has passed (architecture.md §3.4), and the longest stall seen.

export interface LoopClock {
  /** Longest gap beyond a tick, ms, since the process started. */
  readonly stallMaxMs: number;
  stop(): void;
}

/** Ticks handed on after a gap; the rest of the gap is a stall. */
const ticksAtOnceMax = 5;

export function startTicks(
  tickMs: number,
  onTick: (ticks: number) => void,
  onStall: (stallMs: number) => void,
): LoopClock {
  let last = performance.now();
  let owed = 0;
  let stallMaxMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const gap = now - last;
    last = now;
    if (gap > tickMs * 2) {
      stallMaxMs = Math.max(stallMaxMs, gap - tickMs);
      if (gap > tickMs * ticksAtOnceMax) {
        onStall(gap - tickMs);
      }
    }
    owed += gap / tickMs;
    const ticks = Math.min(Math.floor(owed), ticksAtOnceMax);
    owed = Math.min(owed - ticks, 1);
    if (ticks > 0) {
      onTick(ticks);
    }
  }, tickMs);
  return {
    get stallMaxMs() {
      return stallMaxMs;
    },
    stop: () => clearInterval(timer),
  };
}
