// The one timer of a member: ticks, clamped after a stall so that a paused process does not believe
// that its time has passed (architecture.md §3.4), and the longest stall seen.

export interface LoopClock {
  /** Longest gap beyond a wake-up, ms, since the process started. */
  readonly stallMaxMs: number;
  stop(): void;
}

export interface TickTimes {
  readonly tickMs: number;
  /** What the ticks must serve in time: a wake-up comes at least twice in each. */
  readonly heartbeatIntervalMs: number;
}

/** Ticks handed on after a gap; the rest of the gap is a stall. */
const ticksAtOnceMax = 5;
/** A wake-up of a process that has nothing to do costs more than the ticks it brings. */
const wakeTicksMax = 2;

export function startTicks(
  { tickMs, heartbeatIntervalMs }: TickTimes,
  onTick: (ticks: number) => void,
  onStall: (stallMs: number) => void,
  nowMs: () => number = () => performance.now(),
): LoopClock {
  const wakeTicks = heartbeatIntervalMs >= 2 * wakeTicksMax * tickMs ? wakeTicksMax : 1;
  const wakeMs = wakeTicks * tickMs;
  let last = nowMs();
  let owed = 0;
  let stallMaxMs = 0;
  const timer = setInterval(() => {
    const now = nowMs();
    const gap = now - last;
    last = now;
    if (gap > wakeMs + tickMs) {
      stallMaxMs = Math.max(stallMaxMs, gap - wakeMs);
      if (gap > tickMs * ticksAtOnceMax) {
        onStall(gap - wakeMs);
      }
    }
    owed += gap / tickMs;
    const ticks = Math.min(Math.floor(owed), ticksAtOnceMax);
    owed = Math.min(owed - ticks, 1);
    if (ticks > 0) {
      onTick(ticks);
    }
  }, wakeMs);
  return {
    get stallMaxMs() {
      return stallMaxMs;
    },
    stop: () => clearInterval(timer),
  };
}
