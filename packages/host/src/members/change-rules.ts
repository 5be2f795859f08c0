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
  quorumOf,
} from "@quorate/raft";
import type { ConfState, NodeId } from "@quorate/raft";
import { MemberAim } from "./member-record.ts";
import type { MemberRecord } from "./member-record.ts";
import { MemberRequestKind } from "./member-request.ts";
import type { MemberRequest, SeveralRequest, SingleRequest } from "./member-request.ts";
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
  /** etcd's --max-learners. */
  readonly learnersMax: number;
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
/** Of a cluster: each one more is an acknowledgement more that every write waits for. */
export const votersMax = 9;

export function decide(view: MembersView, request: MemberRequest): Decision {
  const isSeveral = request.kind === MemberRequestKind.Several;
  const decision = isSeveral ? decideSeveral(view, request) : decideSingle(view, request);
  if ("error" in decision) return decision;
  const error = boundsError(view, isSeveral ? request.changes : [request]);
  return error === MemberError.None ? decision : { error };
}

/** By what the members will be: a request that only takes some away, or changes URLs, is never too much. */
function boundsError(view: MembersView, requests: readonly SingleRequest[]): MemberError {
  const aims = new Map(view.table.members.map(({ memberId, aim }) => [memberId, aim]));
  const before = countsOf(aims);
  for (const request of requests) {
    const { kind, memberId } = request;
    if (kind === MemberRequestKind.Add) aims.set(memberId, request.aim);
    else if (kind === MemberRequestKind.Promote) aims.set(memberId, MemberAim.Voter);
    else if (kind === MemberRequestKind.Remove) aims.delete(memberId);
  }
  const { voters, learners } = countsOf(aims);
  if (voters > votersMax && voters > before.voters) return MemberError.TooManyMembers;
  if (learners > view.learnersMax && learners > before.learners) return MemberError.TooManyLearners;
  return MemberError.None;
}

function countsOf(aims: ReadonlyMap<string, MemberAim>): { voters: number; learners: number } {
  const voters = [...aims.values()].filter((aim) => aim === MemberAim.Voter).length;
  return { voters, learners: aims.size - voters };
}

function decideSingle(view: MembersView, request: SingleRequest): Decision {
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
  const phases = phasesOf(conf, change);
  return phases === null || phases.some((phase) => !survivesOneLoss(phase, reaches));
}

/** The configurations that it leads through, the joint one among them; null: it cannot be made. */
function phasesOf(conf: ConfState, change: ConfChange): readonly ConfState[] | null {
  const next = applyChange(conf, change);
  if (isConfChangeError(next)) return null;
  if (!isJoint(next)) return [next];
  const left = applyChange(next, new ConfChange(ConfTransition.Leave, [], nothing));
  return isConfChangeError(left) ? null : [next, left];
}

function hasQuorum(conf: ConfState, reaches: (id: NodeId) => boolean): boolean {
  return survivesLosses(conf, reaches, 0);
}

/** Whoever of the reachable ones is lost, each half has a majority left. */
function survivesOneLoss(conf: ConfState, reaches: (id: NodeId) => boolean): boolean {
  return survivesLosses(conf, reaches, 1);
}

function survivesLosses(
  conf: ConfState,
  reaches: (id: NodeId) => boolean,
  losses: number,
): boolean {
  return [conf.voters, conf.votersOutgoing]
    .filter((half) => half.length > 0)
    .every((half) => half.filter(reaches).length - losses >= quorumOf(half.length));
}

/** One change for all of it; which voters are lost by it is P2's matter, not that of etcd's counts. */
function decideSeveral(view: MembersView, request: SeveralRequest): Decision {
  const { table } = view;
  const singles: (readonly [ConfChangeType, NodeId])[] = [];
  const records: RecordChange[] = [];
  for (const change of request.changes) {
    const error = gather(view, change, singles, records);
    if (error !== MemberError.None) return { error };
  }
  const error = checkRecordChanges(table, records);
  if (error !== MemberError.None) return { error };
  const voters = records.filter(
    (change) => change.kind === RecordChangeKind.Add && change.aim === MemberAim.Voter,
  );
  if (!mayPile(table.members, voters.length)) return { error: MemberError.NotEnoughStarted };
  if (singles.length === 0) return { records };
  const change = changeOf(singles, records);
  // A joint phase is waited for.
  if (isJoint(table.confState)) return { change };
  const phases = phasesOf(table.confState, change);
  if (phases === null) return { error: MemberError.NotEnoughStarted };
  const reaches = (id: NodeId): boolean => id === view.selfId || view.connectedMs(id) >= 0;
  // It would never end: that cannot be meant, forced or not.
  if (!phases.every((phase) => hasQuorum(phase, reaches))) return { error: MemberError.Unhealthy };
  const isWeaker = !request.force && weakens(table.confState, change, reaches);
  return isWeaker ? { error: MemberError.Weakens } : { change };
}

/** What one of them comes to, added to the rest. */
function gather(
  view: MembersView,
  request: SingleRequest,
  singles: (readonly [ConfChangeType, NodeId])[],
  records: RecordChange[],
): MemberError {
  const { memberId } = request;
  if (request.kind === MemberRequestKind.Add) {
    const { name, peerUrls, aim } = request;
    records.push({ kind: RecordChangeKind.Add, memberId, name, peerUrls, aim });
    return MemberError.None;
  }
  const present = view.table.byMemberId(memberId);
  if (present === null) return MemberError.NotFound;
  switch (request.kind) {
    case MemberRequestKind.Update:
      records.push({ kind: RecordChangeKind.Urls, memberId, peerUrls: request.peerUrls });
      return MemberError.None;
    case MemberRequestKind.Remove:
      if (present.raftId === 0) records.push({ kind: RecordChangeKind.Drop, memberId });
      else singles.push([ConfChangeType.Remove, present.raftId]);
      return MemberError.None;
    case MemberRequestKind.Promote: {
      const error = promotionError(view, present);
      if (error !== MemberError.None) return error;
      singles.push([ConfChangeType.AddVoter, present.raftId]);
      records.push(...aimsOf(present));
      return MemberError.None;
    }
    default:
      return assertNever(request, "member request");
  }
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
  const { table } = view;
  const { memberId, raftId } = member;
  const error = promotionError(view, member);
  if (error !== MemberError.None) return { error };
  if (!mayPromote(table.members, memberId)) return { error: MemberError.NotEnoughStarted };
  return { change: changeOf([[ConfChangeType.AddVoter, raftId]], aimsOf(member)) };
}

function promotionError(view: MembersView, { raftId }: MemberRecord): MemberError {
  const { table, selfId } = view;
  if (raftId === 0) return MemberError.LearnerNotReady;
  if (isVoter(table.confState, raftId)) return MemberError.NotLearner;
  const ready = view.match(raftId) >= view.match(selfId) * readyShare;
  return ready ? MemberError.None : MemberError.LearnerNotReady;
}

function aimsOf({ memberId, aim }: MemberRecord): RecordChange[] {
  if (aim === MemberAim.Voter) return [];
  return [{ kind: RecordChangeKind.Aim, memberId, aim: MemberAim.Voter }];
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

/**
 * Unborn ones cost no quorum, so that 1 may become 3 in one request; but whoever has not started what
 * was added before is held to etcd's count.
 */
function mayPile(members: readonly MemberRecord[], added: number): boolean {
  const voters = votersOf(members);
  if (added === 0 || voters.every((m) => m.raftId !== 0)) return true;
  return voters.filter(isStarted).length >= quorumOf(voters.length + added);
}

function mayRemoveVoter(members: readonly MemberRecord[], memberId: string): boolean {
  const left = votersOf(members, memberId);
  return left.filter(isStarted).length >= quorumOf(left.length);
}

function mayPromote(members: readonly MemberRecord[], memberId: string): boolean {
  const others = votersOf(members, memberId);
  return others.filter(isStarted).length + 1 >= quorumOf(others.length + 1);
}

const nothing = new Uint8Array(0);
