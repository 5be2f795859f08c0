// Majority arithmetic over one set of voters (thesis §3.4, §3.6). Pure functions on values; joint
// configurations are in joint.ts. An empty set is the absent half of a joint configuration: it
// never holds the other half back, so everything is committed and won by it.
import type { Index, NodeId } from "../types.ts";

export const VoteResult = { Pending: 1, Lost: 2, Won: 3 } as const;
export type VoteResult = (typeof VoteResult)[keyof typeof VoteResult];

export function quorumOf(votersCount: number): number {
  return Math.floor(votersCount / 2) + 1;
}

/** The highest index that a quorum has matched. Empty: MAX_SAFE_INTEGER. */
export function committedIndex(voters: readonly NodeId[], match: (id: NodeId) => Index): Index {
  return quorumNewest(voters, match);
}

/**
 * The quorum-th largest value: a quorum of the voters has at least this. Used for indexes and for
 * the ticks of last answers (P7). Empty: MAX_SAFE_INTEGER. `value` must not call back into here:
 * all calls share one scratch array.
 */
export function quorumNewest(voters: readonly NodeId[], value: (id: NodeId) => number): number {
  const count = voters.length;
  if (count === 0) return Number.MAX_SAFE_INTEGER;
  if (count > scratch.length) scratch = new Float64Array(2 * count);
  // Insertion sort, descending: the sets are small, and nothing is allocated.
  for (let i = 0; i < count; i++) {
    const inserted = value(voters[i]!);
    let at = i;
    while (at > 0 && scratch[at - 1]! < inserted) {
      scratch[at] = scratch[at - 1]!;
      at--;
    }
    scratch[at] = inserted;
  }
  return scratch[quorumOf(count) - 1]!;
}

let scratch = new Float64Array(16);

/** Who is missing from `votes` has not answered yet. Empty: Won. */
export function voteResult(
  voters: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  if (voters.length === 0) return VoteResult.Won;
  let granted = 0;
  let missing = 0;
  for (let i = 0; i < voters.length; i++) {
    const vote = votes.get(voters[i]!);
    if (vote === undefined) missing++;
    else if (vote) granted++;
  }
  const quorum = quorumOf(voters.length);
  if (granted >= quorum) return VoteResult.Won;
  return granted + missing >= quorum ? VoteResult.Pending : VoteResult.Lost;
}

/** Whether a quorum satisfies `acked`. Empty: true. */
export function quorumAcked(voters: readonly NodeId[], acked: (id: NodeId) => boolean): boolean {
  if (voters.length === 0) return true;
  let count = 0;
  for (let i = 0; i < voters.length; i++) {
    if (acked(voters[i]!)) count++;
  }
  return count >= quorumOf(voters.length);
}
