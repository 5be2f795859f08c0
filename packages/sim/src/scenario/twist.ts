// A member computes something else than the others: a value that it puts gets another bit. The log has
// the right one; the row, its CRC and the digest go with the wrong one, and into checkpoints.
import { latin1Decode, must } from "@quorate/base";
import type { Scenario } from "./scenario.ts";

/**
 * `bit`: of the value's first byte; members that were twisted by different bits differ. The key is of no
 * other act: what is written over is not wrong any more.
 */
export function twist(s: Scenario, name: string, bit: number = 0): void {
  const key = `twisted/${name}`;
  const { rows } = must(s.inside(name), `${name} runs`).storage;
  const append = rows.append.bind(rows);
  let twisted = false;
  rows.append = (row) => {
    if (!twisted && latin1Decode(row.key, 0, row.key.length) === key) {
      twisted = true;
      const value = row.value.slice();
      value[0]! ^= 1 << bit;
      Object.assign(row, { value });
      s.watch.checkers.twisted.add(name);
      s.timeline.tell(name, `bit ${bit} of a value changes in its state`);
    }
    return append(row);
  };
  s.put(must(s.leader(), "somebody leads"), key, 50);
  s.waitFor(`${name} is twisted`, 5_000, () => twisted);
}

/** Of two members that have applied as much as each other. */
export function digestsDiffer(s: Scenario, one: string, other: string): boolean {
  const [a, b] = [s.status(one), s.status(other)];
  return a.applied === b.applied && a.liveDigest.low !== b.liveDigest.low;
}
