// What the leader holds a change against before it proposes it: etcd's rules of reconfiguration
// (etcd-api.md M1, M2) for what comes through its API, and P2's for what the leader does by itself.
// Pure: what is known of the others comes in.
import { assertNever } from "@quorate/base";
import {
  applyChange,
  ConfChange,
  ConfChangeSingle,
  ConfChangeType,
  ConfTransition,
  isConfChangeError,
  isJoint,
  isVoter,
} from "@quorate/raft";
import type { ConfState, NodeId } from "@quorate/raft";
import { MemberAim } from "./member-record.ts";
import type { MemberRecord } from "./member-record.ts";
import { MemberRequestKind } from "./member-request.ts";
import type { MemberRequest } from "./member-request.ts";
import {
  checkRecordChanges,
  encodeRecordChanges,
  MemberError,
  RecordChangeKind,
} from "./members-change.ts";
import type { RecordChange } from "./members-change.ts";
import type { MembershipTable } from "./membership-table.ts";

/** What the leader knows of the others. */
export interface MembersView {
  readonly table: MembershipTable;
  readonly selfId: NodeId;
  /** Who was not connected for so long is not counted on (etcd's HealthInterval). */
  readonly healthMs: number;
  /** How long its connection has stood; -1: there is none. */
  connectedMs(raftId: NodeId): number;
  /** Of its log and the leader's, as far as acknowledged; 0: not known. */
  match(raftId: NodeId): number;
}

/** Either why not, or what to propose: a change of the configuration, or of records alone. */
export type Decision =
  | { readonly error: Exclude<MemberError, 0> }
  | { readonly records: readonly RecordChange[] }
  | { readonly change: ConfChange };

/** etcd's: a learner may be promoted when it has so much of the leader's log. */
const readyShare = 0.9;

export function decide(view: MembersView, request: MemberRequest): Decision {
  const present = view.table.byMemberId(request.memberId);
  if (request.kind === MemberRequestKind.Add) return decideAdd(view, request);
  if (present === null) return { error: MemberError.NotFound };
  switch (request.kind) {
    case MemberRequestKind.Update: {
      const { memberId, peerUrls } = request;
      return ofRecords(view, [{ kind: RecordChangeKind.Urls, memberId, peerUrls }]);
    }
    case MemberRequestKind.Remove:
      return decideRemove(view, present);
    case MemberRequestKind.Promote:
      return decidePromote(view, present);
    default:
      return assertNever(request, "member request");
  }
}

export function changeOf(
  singles: readonly (readonly [ConfChangeType, NodeId])[],
  records: readonly RecordChange[],
): ConfChange {
  const changes = singles.map(([type, id]) => new ConfChangeSingle(type, id));
  const context = records.length === 0 ? nothing : encodeRecordChanges(records);
  return new ConfChange(ConfTransition.Auto, changes, context);
}

/**
 * One phase of it would not survive the loss of one more of the reachable voters, although the
 * present configuration would (P2): not by itself, not now.
 */
export function weakens(
  conf: ConfState,
  change: ConfChange,
  reaches: (id: NodeId) => boolean,
): boolean {
  if (!survivesOneLoss(conf, reaches)) return false;
  const next = applyChange(conf, change);
  if (isConfChangeError(next)) return true;
  if (!survivesOneLoss(next, reaches)) return true;
  if (!isJoint(next)) return false;
  const left = applyChange(next, new ConfChange(ConfTransition.Leave, [], nothing));
  return isConfChangeError(left) || !survivesOneLoss(left, reaches);
}

/** Whoever of the reachable ones is lost, each half has a majority left. */
function survivesOneLoss(conf: ConfState, reaches: (id: NodeId) => boolean): boolean {
  return [conf.voters, conf.votersOutgoing]
    .filter((half) => half.length > 0)
    .every((half) => half.filter(reaches).length - 1 >= quorumOf(half.length));
}

function decideAdd(
  view: MembersView,
  request: Extract<MemberRequest, { kind: typeof MemberRequestKind.Add }>,
): Decision {
  const { memberId, name, peerUrls, aim } = request;
  const { table } = view;
  if (aim === MemberAim.Voter && !mayAddVoter(table.members)) {
    return { error: MemberError.NotEnoughStarted };
  }
  const healthy = table.confState.voters.every((id) => isHealthy(view, id));
  if (!healthy) return { error: MemberError.Unhealthy };
  return ofRecords(view, [{ kind: RecordChangeKind.Add, memberId, name, peerUrls, aim }]);
}

function decideRemove(view: MembersView, member: MemberRecord): Decision {
  const { table, selfId } = view;
  const { memberId, raftId } = member;
  if (member.aim === MemberAim.Voter && !mayRemoveVoter(table.members, memberId)) {
    return { error: MemberError.NotEnoughStarted };
  }
  if (raftId === 0) return ofRecords(view, [{ kind: RecordChangeKind.Drop, memberId }]);
  const { voters } = table.confState;
  const reached = raftId === selfId || view.connectedMs(raftId) >= 0;
  if (voters.includes(raftId) && voters.length > 1 && reached) {
    const active = voters.filter((id) => isHealthy(view, id)).length;
    if (active - 1 < quorumOf(voters.length - 1)) return { error: MemberError.Unhealthy };
  }
  const change = changeOf([[ConfChangeType.Remove, raftId]], []);
  const next = applyChange(table.confState, change);
  // The last voter cannot go; a joint phase is waited for.
  const isLast = isConfChangeError(next) && !isJoint(table.confState);
  return isLast ? { error: MemberError.NotEnoughStarted } : { change };
}

function decidePromote(view: MembersView, member: MemberRecord): Decision {
  const { table, selfId } = view;
  const { memberId, raftId } = member;
  if (raftId === 0) return { error: MemberError.LearnerNotReady };
  if (isVoter(table.confState, raftId)) return { error: MemberError.NotLearner };
  if (view.match(raftId) < view.match(selfId) * readyShare) {
    return { error: MemberError.LearnerNotReady };
  }
  if (!mayPromote(table.members, memberId)) return { error: MemberError.NotEnoughStarted };
  const records: RecordChange[] =
    member.aim === MemberAim.Voter
      ? []
      : [{ kind: RecordChangeKind.Aim, memberId, aim: MemberAim.Voter }];
  return { change: changeOf([[ConfChangeType.AddVoter, raftId]], records) };
}

function ofRecords(view: MembersView, records: readonly RecordChange[]): Decision {
  const error = checkRecordChanges(view.table, records);
  return error === MemberError.None ? { records } : { error };
}

function isHealthy(view: MembersView, id: NodeId): boolean {
  return id === view.selfId || view.connectedMs(id) >= view.healthMs;
}

// ---- etcd's counts of started members (membership.RaftCluster.IsReadyTo…) ----------------------------

function isStarted(member: MemberRecord): boolean {
  return member.name !== "" && member.raftId !== 0;
}

function votersOf(members: readonly MemberRecord[], without: string = ""): MemberRecord[] {
  return members.filter((m) => m.aim === MemberAim.Voter && m.memberId !== without);
}

function mayAddVoter(members: readonly MemberRecord[]): boolean {
  const voters = votersOf(members);
  const started = voters.filter(isStarted).length;
  // One lonely member may take a second one.
  if (started === 1 && voters.length === 1) return true;
  return started >= quorumOf(voters.length + 1);
}

function mayRemoveVoter(members: readonly MemberRecord[], memberId: string): boolean {
  const left = votersOf(members, memberId);
  return left.filter(isStarted).length >= quorumOf(left.length);
}

function mayPromote(members: readonly MemberRecord[], memberId: string): boolean {
  const others = votersOf(members, memberId);
  return others.filter(isStarted).length + 1 >= quorumOf(others.length + 1);
}

function quorumOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

const nothing = new Uint8Array(0);
