// The wall clock as the core may hear of it (P11). Entries are stamped with it, and stamps become hlc
// of 53 bits: wallMs × 1024, and one more for each revision.
import type { Clock } from "@quorate/storage";

/**
 * 2200-01-01. A clock beyond that is broken (2^63 ns, a usual one, is in 2262), and what it says
 * would be in the log for good: as of 2248 an hlc has no room left, and no member could write a
 * checkpoint again. Below, room for 2^50 revisions is left.
 */
export const wallMsMax = 7_258_118_400_000;

/** Whole milliseconds, at least 1: to the core 0 is a clock that it does not know. */
export function wallReadingMs(clock: Clock): number {
  return Math.min(Math.max(1, Math.floor(clock.wallMs())), wallMsMax);
}
