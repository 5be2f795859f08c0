// How many changes that nobody heard of a key must still have had before what is seen of it next, and
// whether there are gaps enough for all keys: the search need not go to where the last gap is spent.
import type { Life } from "./rules.ts";
import type { Seen } from "./seen-cells.ts";

export interface Need {
  readonly changes: number;
  /** Revision before which they come. */
  readonly before: number;
}

/** `puts`: revisions of all known puts of the key, in order. */
export function needOf(
  life: Life | null,
  next: Seen,
  revision: number,
  puts: readonly number[],
): Need {
  const goesOn = life !== null && next.create === life.create;
  const from = goesOn ? revision + 1 : next.create;
  const known = countBetween(puts, from, next.mod);
  const missing = next.version - (goesOn ? life.version : 0) - known;
  return { changes: Math.max(0, missing), before: next.mod };
}

/**
 * `gaps`: free revisions behind the present one, in order. `keysMax`: of so many keys at most one who
 * fills a gap makes a change each, so that as many needs may be met by it.
 */
export function areMet(needs: readonly Need[], gaps: readonly number[], keysMax: number): boolean {
  let sum = 0;
  return needs
    .toSorted((a, b) => a.before - b.before)
    .every(({ changes, before }) => {
      sum += changes;
      const free = countBetween(gaps, 0, before);
      return changes <= free && sum <= keysMax * free;
    });
}

function countBetween(sorted: readonly number[], from: number, to: number): number {
  return firstFrom(sorted, to + 1) - firstFrom(sorted, from);
}

function firstFrom(sorted: readonly number[], number: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
