// Where a directory's files go when it sets itself aside: a folder inside it, named by the time. The
// names are also the memory of how often that has happened: a disk that fails again and again must
// end loudly, not copy the whole state from its peers for ever (reliability.md §3.6). Pure.

import { utcSeconds, utcText } from "./utc-time.ts";

const minuteMs = 60_000;
/** By itself at most once in so long. */
export const setAsideGapMs: number = 10 * minuteMs;
const dayMs = 24 * 60 * minuteMs;
/** And at most so often in a day. */
export const setAsidesPerDayMax = 3;

const prefix = "quarantine-";

/** At 2026-11-29 02:20:30: "quarantine-20261129T022030Z"; a second later where that is taken. */
export function quarantineName(wallMs: number, taken: readonly string[]): string {
  for (let atMs = sane(wallMs); ; atMs += 1000) {
    const name = prefix + utcText(atMs / 1000);
    if (!taken.includes(name)) return name;
  }
}

export function isQuarantine(name: string): boolean {
  return timeOf(name) !== null;
}

/** Why a directory with these names must not set itself aside now; null: it may. */
export function whyNotAgain(names: readonly string[], wallMs: number): string | null {
  const nowMs = sane(wallMs);
  const times = names.flatMap((name) => timeOf(name) ?? []);
  // Clocks jump: a time ahead of the clock counts like one as far behind it.
  const within = (ms: number): number =>
    times.filter((seconds) => Math.abs(nowMs - seconds * 1000) < ms).length;
  if (within(setAsideGapMs) > 0) {
    return `it has set files aside within ${setAsideGapMs / minuteMs} minutes already`;
  }
  const today = within(dayMs);
  return today < setAsidesPerDayMax ? null : `it has set files aside ${today} times within a day`;
}

/** A clock that shows a year of more than four digits shows the last one here. */
function sane(wallMs: number): number {
  return Math.min(Math.max(wallMs, 0), 253_370_000_000_000);
}

function timeOf(name: string): number | null {
  return name.startsWith(prefix) ? utcSeconds(name.slice(prefix.length)) : null;
}
