// In which order cases run, and which of them side by side. Groups that share a cluster follow each
// other; what brings a cluster of its own runs beside them, because it mostly waits: for elections, and
// for leases and requests to end.
import type { Case, Group } from "./case.ts";

export interface Turn {
  readonly group: Group;
  readonly cases: readonly Case[];
}

/** Two lines of turns: of clusters of one member, and of all others. */
export function linesOf(groups: readonly Group[]): readonly (readonly Turn[])[] {
  const alone: Turn[] = [];
  const several: Turn[] = [];
  for (const group of groups) {
    const own = group.cases.filter((each) => each.own !== undefined);
    const shared = group.cases.filter((each) => each.own === undefined);
    const line = group.setup.members === 1 ? alone : several;
    if (shared.length > 0) line.push({ group, cases: shared });
    if (own.length > 0) several.push({ group, cases: own });
  }
  return [alone, several].filter((line) => line.length > 0);
}
