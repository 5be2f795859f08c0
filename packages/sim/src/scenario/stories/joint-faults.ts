// What can befall five members at one moment, the first three of which are the old voters: each of the
// fifteen ways to cut them in two, and the death of each, by kill -9 and by power loss.
import type { Scenario } from "../scenario.ts";

export interface Fault {
  readonly name: string;
  /** Those who can still reach each other, the larger side of a cut. */
  readonly up: readonly string[];
  readonly strike: (s: Scenario) => void;
}

/** Sides as bits of places: a majority of all five that is none of the old three. */
const newAlone = [0b11001, 0b11100];

/** Whoever counts one half of a joint configuration alone, or both as one, goes wrong in these. */
export function tellingCuts(names: readonly string[]): Fault[] {
  return newAlone.map((side) => cutInTwo(names, side));
}

export function otherFaults(names: readonly string[]): Fault[] {
  const faults = names.flatMap((name): Fault[] => {
    const up = names.filter((other) => other !== name);
    return [
      { name: `kill -9 of ${name}`, up, strike: (s) => s.kill(name) },
      { name: `power loss of ${name}`, up, strike: (s) => s.powerLoss(name) },
    ];
  });
  const all = 2 ** names.length - 1;
  // The first one's side: each cut once.
  for (let side = 1; side < all; side += 2) {
    const isTelling = newAlone.includes(side) || newAlone.includes(all - side);
    if (!isTelling) faults.push(cutInTwo(names, side));
  }
  return faults;
}

function cutInTwo(names: readonly string[], side: number): Fault {
  const one = names.filter((_, at) => (side & (1 << at)) !== 0);
  const other = names.filter((_, at) => (side & (1 << at)) === 0);
  const up = one.length > other.length ? one : other;
  return {
    name: `cut ${one.join(" ")} | ${other.join(" ")}`,
    up,
    strike: (s) => s.cutForGood(one, other),
  };
}
