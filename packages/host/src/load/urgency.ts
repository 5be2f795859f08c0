// The order in which a member goes on when it has too much to do (reliability.md §6.5): what Raft itself
// sends and the revokes of leases whose time is up never wait here; then come these, and then reads.
import { OperationKind } from "@quorate/kv";

export const Urgency = {
  /** What others rely on, and what makes room: ends of leases, alarms, members, answers of the host. */
  First: 0,
  /** What makes the state smaller or safer: deletes, compaction, users and rights. */
  Early: 1,
  /** What makes it larger. */
  Ordinary: 2,
} as const;
export type Urgency = (typeof Urgency)[keyof typeof Urgency];

const early: ReadonlySet<number> = new Set([
  OperationKind.DeleteRange,
  OperationKind.Compact,
  OperationKind.Auth,
]);
const ordinary: ReadonlySet<number> = new Set([
  OperationKind.Put,
  OperationKind.Txn,
  OperationKind.LeaseGrant,
]);

/** Of an entry's kind; the host's own kinds come first. */
export function urgencyOf(kind: number): Urgency {
  if (ordinary.has(kind)) return Urgency.Ordinary;
  return early.has(kind) ? Urgency.Early : Urgency.First;
}

/** Of everything that may wait at a time: the rest is kept for what is more urgent. */
export const shareOf: Readonly<Record<Urgency, number>> = {
  [Urgency.First]: 1,
  [Urgency.Early]: 15 / 16,
  [Urgency.Ordinary]: 7 / 8,
};
