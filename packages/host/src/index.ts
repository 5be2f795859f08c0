// The public face of one cluster member.
export { requestBytesLimit } from "./config-check.ts";
export { CredentialKind, Need } from "./auth/credential.ts";
export type { Credential } from "./auth/credential.ts";
export { Host } from "./host.ts";
export {
  Failure,
  FailureCode,
  hostDefaults,
  Phase,
  rangeRequest,
  TransferResult,
} from "./host-api.ts";
export type {
  AdmissionSink,
  AuthApi,
  HostApi,
  HostConfig,
  HostCounters,
  HostStatus,
  ListedMember,
  MemberStatus,
  ReplySink,
  RequestKind,
  WatchSink,
  WatchStream,
} from "./host-api.ts";
export type {
  HeldAuth,
  HeldLease,
  HeldMember,
  HeldPermission,
  HeldState,
} from "./held-state-api.ts";
export { LoadLevel } from "./load/load-level.ts";
export { writeImported } from "./import/write-imported.ts";
export type { Import, ImportedMember, ImportRows } from "./import/write-imported.ts";
export { votersMax } from "./members/change-rules.ts";
export { MemberAim } from "./members/member-record.ts";
export { MemberRequestKind } from "./members/member-request.ts";
export type { MemberRequest, SingleRequest } from "./members/member-request.ts";
export { MemberError } from "./members/members-change.ts";
export type { HostInside } from "./running.ts";
export { JournalEvent, journalEventsMax, JournalKind } from "./journal.ts";
export { SnapshotPace } from "./peers/snapshot-pace.ts";
export type { PeerStatus } from "./peers/peers-api.ts";
export { Announced, Announcement } from "./recover/announcement.ts";
export { addressOfUrl } from "./members/peer-list.ts";
export { byNewest, planAlone, planRecovery } from "./recover/plan.ts";
export { quorumOf } from "@quorate/raft";
export type { LostMember, PlanRefusal, RecoveryPlan } from "./recover/plan.ts";
export { isSurvivor, readSurvivor, recoveriesOf } from "./recover/survivor.ts";
export type { Survivor } from "./recover/survivor.ts";
export { writeMembers } from "./recover/write-members.ts";
export type { NewDirectory, Recovery } from "./recover/write-members.ts";
