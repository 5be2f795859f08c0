// What a quorum is, written anew and apart from the core's own arithmetic, which it is to judge.

/** The voting part of a configuration; both halves while it is joint. */
export interface Voters {
  readonly voters: readonly number[];
  /** Empty unless joint. */
  readonly votersOutgoing: readonly number[];
}

/** More than half of each half. Learners are in neither. Asks no more of them than it needs. */
export function isQuorum(conf: Voters, has: (raftId: number) => boolean): boolean {
  return isMajority(conf.voters, has) && isMajority(conf.votersOutgoing, has);
}

/** Of none: yes. */
function isMajority(half: readonly number[], has: (raftId: number) => boolean): boolean {
  let missing = half.length === 0 ? 0 : Math.floor(half.length / 2) + 1;
  for (const id of half) {
    if (missing === 0) return true;
    if (has(id)) missing--;
  }
  return missing === 0;
}

/** Whether any two decisions, one under each of these, have a voter in common. Up to 20 voters. */
export function quorumsIntersect(one: Voters, other: Voters): boolean {
  const all = [...new Set([...votersOf(one), ...votersOf(other)])];
  // Whoever is not in a quorum of the one is all that a disjoint quorum of the other could have.
  for (let subset = 0; subset < 2 ** all.length; subset++) {
    const inSubset = (id: number): boolean => (subset & (1 << all.indexOf(id))) !== 0;
    if (isQuorum(one, inSubset) && isQuorum(other, (id) => !inSubset(id))) return false;
  }
  return true;
}

function votersOf(conf: Voters): number[] {
  return [...conf.voters, ...conf.votersOutgoing];
}
