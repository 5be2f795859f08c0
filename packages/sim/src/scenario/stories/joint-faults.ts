// What can befall five members at one moment: each of the fifteen ways to cut them in two, and the
// death of each, by kill -9 and by power loss.
import type { Scenario } from "../scenario.ts";

export interface Fault {
  readonly name: string;
  /** Those who can still reach each other, the larger side of a cut. */
  readonly up: readonly string[];
  readonly strike: (s: Scenario) => void;
}

export function allFaults(names: readonly string[]): Fault[] {
  const deaths = names.flatMap((name): Fault[] => {
    const up = names.filter((other) => other !== name);
    return [
      { name: `kill -9 of ${name}`, up, strike: (s) => s.kill(name) },
      { name: `power loss of ${name}`, up, strike: (s) => s.powerLoss(name) },
    ];
  });
  return [...cutsInTwo(names), ...deaths];
}

function cutsInTwo(names: readonly string[]): Fault[] {
  const cuts: Fault[] = [];
  // The first one's side, as bits: never all of them.
  for (let side = 1; side < 2 ** names.length - 1; side += 2) {
    const one = names.filter((_, at) => (side & (1 << at)) !== 0);
    const other = names.filter((_, at) => (side & (1 << at)) === 0);
    const up = one.length > other.length ? one : other;
    const name = `cut ${one.join(" ")} | ${other.join(" ")}`;
    cuts.push({ name, up, strike: (s) => s.cut(one, other) });
  }
  return cuts;
}
