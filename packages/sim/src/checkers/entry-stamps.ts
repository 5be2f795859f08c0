// P11: an entry's wall time is never lower than that of the entry before it, and never more than a
// second above the median of the voters' clocks, or the entry before, whichever is greater. One wrong
// clock can so neither turn time back nor carry the cluster into the future.
//
// The leader knows clocks as of their last answers, moved on by its ticks, and at least those of the
// quorum whose grants told them. Of q clocks the lower median is not above floor(q / 2) + 1 of them,
// so a stamp is allowed as soon as so many clocks could be taken for that high.
import { demand } from "./violation.ts";

const property = "P11 entry stamps";

const aheadMsMax = 1_000;
/** Rounding to ticks and whole milliseconds. */
const roundingMs = 100;

export interface StampedEntry {
  readonly index: number;
  readonly term: number;
  readonly wallMs: number;
}

/** Neighbours in one log. */
export function checkStampOrder(before: StampedEntry, entry: StampedEntry): void {
  demand(
    entry.wallMs >= before.wallMs,
    property,
    () => `the stamp of ${name(entry)} is below that of ${name(before)}`,
  );
}

/** What an entry's stamp may be. */
export interface StampLimits {
  /** Of each member, the most that anybody may take its clock for. */
  readonly clocks: readonly number[];
  /** So many of them at least are known to the leader. */
  readonly quorum: number;
  /** Stamps up to here stand in some log already. */
  readonly highestBefore: number;
}

export function checkStampBound(entry: StampedEntry, limits: StampLimits): void {
  const descending = [...limits.clocks].sort((a, b) => b - a);
  const median = descending[Math.floor(limits.quorum / 2)]!;
  const most = Math.max(median + aheadMsMax + roundingMs, limits.highestBefore);
  demand(
    entry.wallMs <= most,
    property,
    () => `the stamp of ${name(entry)} is above what the voters' clocks allow, ${most}`,
  );
}

function name({ index, term, wallMs }: StampedEntry): string {
  return `entry ${index} of term ${term}, ${wallMs}`;
}
