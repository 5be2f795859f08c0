// L5: what has come to rest stays at rest. Once all is mended and somebody leads, terms hardly grow any
// more, and the leader ends its probes: every follower that takes part gets a stream of appends.
import { demand } from "./violation.ts";

const property = "L5 no livelock";
const termsMax = 3;

/** A follower as its leader sees it. */
export interface FedFollower {
  readonly raftId: number;
  readonly streams: boolean;
}

/** `termThen`: when the leader of L1 was found; `termNow`: the highest anywhere, later. */
export function checkTermGrowth(termThen: number, termNow: number): void {
  demand(
    termNow <= termThen + termsMax,
    property,
    () => `terms went on from ${termThen} to ${termNow} with nothing in the way of the leader`,
  );
}

/** Of these members all but the leader itself are fed by a stream. */
export function allStream(
  leader: number,
  members: readonly number[],
  followers: readonly FedFollower[],
): boolean {
  return members.every(
    (id) => id === leader || followers.some(({ raftId, streams }) => raftId === id && streams),
  );
}
