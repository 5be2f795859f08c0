// The rule of the majority over the digests that members hold at one applied index (reliability.md
// §3.8). Only equal indexes may be put in here. Knows no time and keeps nothing.
import { digestText } from "@quorate/kv";
import { isVoter, jointAcked } from "@quorate/raft";
import type { ConfState, NodeId } from "@quorate/raft";
import type { DigestPoint } from "../peers/peers-api.ts";

export const Verdict = {
  /** Who has not told yet decides. */
  Open: 0,
  /** A majority of the voters holds this member's digest. */
  Agreed: 1,
  /** A majority of the voters holds another one. */
  Odd: 2,
  /** Whatever the others may yet tell, no digest can have a majority. */
  NoMajority: 3,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface Judgement {
  readonly verdict: Verdict;
  /** A point that differs from the judged member's; null: none does. Of the majority, if there is one. */
  readonly other: DigestPoint | null;
  readonly otherId: NodeId;
}

const open: Judgement = { verdict: Verdict.Open, other: null, otherId: 0 };

/** All points are of one index. Learners and strangers among them are judged, and count for nobody. */
export function judge(
  conf: ConfState,
  points: ReadonlyMap<NodeId, DigestPoint>,
  judged: NodeId,
): Judgement {
  const own = points.get(judged);
  if (own === undefined) return open;
  const isSilent = (id: NodeId): boolean => !points.has(id);
  let [otherId, other]: [NodeId, DigestPoint | null] = [0, null];
  let possible = jointAcked(conf, isSilent);
  for (const [id, point] of points) {
    const holds = (voter: NodeId): boolean => isEqual(points.get(voter), point);
    const isMajority = jointAcked(conf, holds);
    const isOwn = isEqual(own, point);
    if (isMajority && isOwn) return { verdict: Verdict.Agreed, other: null, otherId: 0 };
    if (isMajority) return { verdict: Verdict.Odd, other: point, otherId: id };
    possible ||= jointAcked(conf, (voter) => isSilent(voter) || holds(voter));
    if (!isOwn && other === null && isVoter(conf, id)) [otherId, other] = [id, point];
  }
  return { verdict: possible ? Verdict.Open : Verdict.NoMajority, other, otherId };
}

function isEqual(one: DigestPoint | undefined, other: DigestPoint): boolean {
  return (
    one !== undefined &&
    one.liveLow === other.liveLow &&
    one.liveHigh === other.liveHigh &&
    one.applyLow === other.applyLow &&
    one.applyHigh === other.applyHigh
  );
}

/** One line that names where two states part, and both digests. */
export function describeDifference(own: DigestPoint, other: DigestPoint, name: string): string {
  const live = own.liveLow !== other.liveLow || own.liveHigh !== other.liveHigh;
  const text = (point: DigestPoint): string =>
    live
      ? digestText({ low: point.liveLow, high: point.liveHigh })
      : digestText({ low: point.applyLow, high: point.applyHigh });
  const what = live ? "live" : "apply";
  return `${what} digest differs at applied index ${own.index}: ${text(own)}, and ${text(other)} of ${name}`;
}
