// What a member's process and the simulator see of a Host: configuration in, requests in, replies
// and status out. Everything is synchronous or by callback; the Host runs on its Env alone.
import type {
  Alarm,
  AlarmCommand,
  AuthCommand,
  AuthView,
  ClientOperationKind,
  Digest,
  DowngradeCommand,
  HashKvTask,
  Identity,
  KvError,
  LeaseGrantRequest,
  LeaseId,
  LeaseTimeToLiveRequest,
} from "@quorate/kv";
import type { ConfState, ProgressStatus, Role } from "@quorate/raft";
import type { StorageOptions, StorageUsage } from "@quorate/storage";
import type { Credential, Need } from "./auth/credential.ts";
import type { HeldState } from "./held-state-api.ts";
import type { JournalEvent } from "./journal.ts";
import type { LoadLevel } from "./load/load-level.ts";
import type { MemberRequest } from "./members/member-request.ts";
import { MemberError } from "./members/members-change.ts";
import type { PeerStatus } from "./peers/peers-api.ts";

/** One line of --initial-cluster. */
export interface ListedMember {
  /** etcd's 64-bit member id as 16 hex digits; lives in membership records only (DESIGN.md 4). */
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** "host:port" of each peer URL, for the transport. */
  readonly peerAddresses: readonly string[];
}

export interface HostConfig {
  /** This member; also in `members`. */
  readonly memberId: string;
  readonly clusterId: string;
  /** etcd's --initial-cluster-token; members with another one are refused. */
  readonly token: string;
  readonly members: readonly ListedMember[];
  /**
   * An empty directory joins a running cluster as the member with these peer URLs (etcd's
   * --initial-cluster-state existing), and is told its ids; a used one says them itself. The ids
   * above are then only what tells this member among the listed ones.
   */
  readonly join: boolean;
  readonly clientUrls: readonly string[];
  readonly directory: string;
  readonly walDirectory: string | null;
  readonly storage: StorageOptions;
  readonly tickMs: number;
  readonly electionTimeoutMs: number;
  readonly electionTimeoutRandomizationMs: number;
  /** Between the turns of ranked successors (raft/src/succession.ts); 0: random waits only. */
  readonly electionRankSlotMs: number;
  /** Pre-votes asked for too early are answered when the lease ends (raft/src/late-answers.ts). */
  readonly lateVoteAnswers: boolean;
  readonly heartbeatIntervalMs: number;
  /** etcd: 5 s + 2 × election timeout. Then the outcome of a write is unknown. */
  readonly requestTimeoutMs: number;
  readonly requestBytesMax: number;
  readonly txnOpsMax: number;
  readonly rangeBytesMax: number;
  /** Client operations waiting in this member; past it the caller hears so at once. */
  readonly requestsMax: number;
  readonly requestBytesInFlightMax: number;
  /** Entries committed and not applied, past which nothing new is proposed here (etcd: 5,000). */
  readonly applyGapMax: number;
  /** A checkpoint at least after this much log, or this long under load. */
  readonly checkpointBytes: number;
  readonly checkpointIntervalMs: number;
  /** Log kept in memory and WAL behind the checkpoint for followers to catch up. */
  readonly catchUpEntriesMax: number;
  readonly catchUpBytesMax: number;
  /** Log kept beyond that for a follower that a snapshot is on its way to. */
  readonly snapshotHoldBytesMax: number;
  /** Bytes of snapshot per second to one follower. */
  readonly snapshotBytesPerSecond: number;
  /** A follower that got no further was sent so much: then one append a second (raft/src/tracker/breaker.ts). */
  readonly futileBytesMax: number;
  /** Changes of members count on voters that have been connected for so long (etcd: 5 s). */
  readonly memberHealthMs: number;
  /** Watchers that asked for it hear so often up to where they were told, when nothing happens. */
  readonly watchProgressMs: number;
  readonly watchersPerStreamMax: number;
  readonly watchersPerConnectionMax: number;
  readonly watchersMax: number;
  /** Written to a stream of watchers and not yet taken, after which it waits; and to all of them. */
  readonly watchStreamBufferBytes: number;
  readonly watchBufferBytes: number;
  /** etcd's --quota-backend-bytes, on live bytes; Infinity: none. */
  readonly quotaBytes: number;
  /** What a long lease has left is written down so often (etcd: 5 min). */
  readonly leaseCheckpointIntervalMs: number;
  /** Leases whose time is up that are ended in a second (etcd: 1,000). */
  readonly leaseRevokesPerSecondMax: number;
  /** etcd's --max-learners: members that are meant to stay learners, as this member as a leader has it. */
  readonly learnersMax: number;
}

export const hostDefaults: Omit<
  HostConfig,
  "memberId" | "clusterId" | "token" | "members" | "clientUrls" | "directory" | "storage"
> = {
  join: false,
  walDirectory: null,
  tickMs: 10,
  electionTimeoutMs: 1000,
  electionTimeoutRandomizationMs: 1000,
  electionRankSlotMs: 0,
  lateVoteAnswers: false,
  heartbeatIntervalMs: 100,
  requestTimeoutMs: 7000,
  requestBytesMax: 1_572_864,
  txnOpsMax: 128,
  rangeBytesMax: 536_870_912,
  requestsMax: 20_000,
  requestBytesInFlightMax: 67_108_864,
  applyGapMax: 5000,
  checkpointBytes: 67_108_864,
  checkpointIntervalMs: 5000,
  catchUpEntriesMax: 20_000,
  catchUpBytesMax: 33_554_432,
  snapshotHoldBytesMax: 268_435_456,
  snapshotBytesPerSecond: 67_108_864,
  futileBytesMax: 67_108_864,
  memberHealthMs: 5000,
  watchProgressMs: 600_000,
  watchersPerStreamMax: 10_000,
  watchersPerConnectionMax: 50_000,
  watchersMax: 1_000_000,
  watchStreamBufferBytes: 1_048_576,
  watchBufferBytes: 268_435_456,
  quotaBytes: 2_147_483_648,
  leaseCheckpointIntervalMs: 300_000,
  leaseRevokesPerSecondMax: 1000,
  learnersMax: 1,
};

// ---- Requests ------------------------------------------------------------------------------------

/** Read of keys; beside the operations of the state machine that carry a client's bytes. */
export const rangeRequest = 1;
export type RequestKind = typeof rangeRequest | ClientOperationKind;

export const FailureCode = {
  /** Refused by the state machine or the edge check; `kvError` says why. Nothing was changed. */
  Kv: 1,
  /** Not committed: no leader is known, or this leader has stepped down. */
  NoLeader: 2,
  /** Not committed: its place in the log was given to another entry. */
  LeaderChanged: 3,
  /** Unknown: it may or may not commit (DESIGN.md 22). */
  TimedOut: 4,
  /** Not committed: a bound is reached (requestsMax, uncommitted bytes, unsaved rows). */
  TooManyRequests: 5,
  TooLarge: 6,
  /** Not committed: this member is stopping, or has not started serving. */
  Stopped: 7,
  /** Refused: `memberError` says why. Nothing was changed. */
  Membership: 8,
  /** Not committed: this member's state is being rebuilt, and says nothing till then. */
  Rebuilding: 9,
} as const;
export type FailureCode = (typeof FailureCode)[keyof typeof FailureCode];

export class Failure {
  readonly code: FailureCode;
  readonly kvError: KvError;
  /** Names of the voters this member misses, when that is the cause; for trailing metadata and logs. */
  readonly missing: readonly string[];
  readonly memberError: MemberError;

  constructor(
    code: FailureCode,
    kvError: KvError,
    missing: readonly string[],
    memberError: MemberError = MemberError.None,
  ) {
    this.code = code;
    this.kvError = kvError;
    this.missing = missing;
    this.memberError = memberError;
  }
}

/** Exactly one of the two is called, once, never inside `request`. */
export interface ReplySink {
  /** An encoded etcd response. */
  reply(bytes: Uint8Array): void;
  fail(failure: Failure): void;
  /** So much that was read lies untaken by clients that this must not be another read. */
  readonly full?: boolean;
}

// ---- Streams of watchers ---------------------------------------------------------------------------

/** Whoever carries a client's stream: the server's gRPC calls, the clients of the simulator. */
export interface WatchSink {
  /** One encoded WatchResponse, in order. */
  write(message: Uint8Array): void;
  /** Bytes written that have not left yet. */
  readonly buffered: number;
  /** So much that `WatchStream.drained` will be called when all has left. */
  readonly needsDrain: boolean;
  /** The same one for all streams of a connection; absent: it has no other. */
  readonly connection?: object;
  /** The stream has ended; nothing is written any more. */
  fail(failure: Failure): void;
}

export interface WatchStream {
  /** One encoded WatchRequest, by nobody unless it is said; a failure: why nobody was found to be it. */
  message(bytes: Uint8Array, caller?: Identity | Failure): void;
  /** What the sink had buffered has left. */
  drained(): void;
  /** The client has gone. */
  close(): void;
}

// ---- Users and rights ------------------------------------------------------------------------------

/** Exactly one of the two is called, once, maybe inside `admit`. */
export interface AdmissionSink {
  admitted(identity: Identity): void;
  refused(failure: Failure): void;
}

export interface AuthApi {
  /** Users, roles and rights as this member has applied them; null before it has a state. */
  view(): AuthView | null;
  /** The reply is empty, and comes when this member has applied the change. */
  change(command: AuthCommand, identity: Identity, sink: ReplySink): void;
  /** Who is it that brings this, and may that one come in at all? At once where it is known for sure. */
  admit(credential: Credential | null, need: Need, sink: AdmissionSink): void;
}

// ---- Status --------------------------------------------------------------------------------------

export const Phase = {
  /** Opening the directory. */
  Opening: 1,
  /** Waiting for all listed members (P1), or to be told who it is. */
  Genesis: 2,
  /** Recovering the log. */
  Recovering: 3,
  /** Raft runs (votes, acknowledges, forwards); the key index is being rebuilt, no reads yet. */
  Scanning: 4,
  Running: 5,
  Stopping: 6,
  Stopped: 7,
  /** An older copy of its directory: speaks no more, says why, and ends (P4). */
  Refused: 8,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export interface MemberStatus {
  readonly memberId: string;
  readonly raftId: number;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface HostStatus {
  readonly phase: Phase;
  /** Why the phase is what it is; while it is Running, what is to be mended. One line, or empty. */
  readonly reason: string;
  readonly name: string;
  readonly memberId: string;
  readonly clusterId: string;
  readonly raftId: number;
  readonly bootCount: number;
  readonly session: number;
  readonly role: Role;
  readonly term: number;
  readonly leaderMemberId: string;
  readonly committed: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly durableIndex: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly keys: number;
  readonly liveBytes: number;
  readonly liveDigest: Digest;
  readonly applyDigest: Digest;
  readonly quiet: boolean;
  readonly level: number;
  readonly confState: ConfState | null;
  readonly members: readonly MemberStatus[];
  readonly peers: readonly PeerStatus[];
  readonly progress: readonly ProgressStatus[];
  /** Voters this member has not heard from for an election timeout (or since start). */
  readonly missing: readonly string[];
  readonly usage: StorageUsage | null;
  readonly requestsInFlight: number;
  readonly quotaBytes: number;
  /** Active ones, as this member has applied them; sorted by kind and member. */
  readonly alarms: readonly Alarm[];
  /** The version that a downgrade was enabled to and not cancelled, or empty. */
  readonly downgradeTarget: string;
}

export interface HostCounters {
  /** How late the process is (load/load-level.ts), 0: not; and requests refused for having too much to do. */
  readonly loadLevel: LoadLevel;
  readonly requestsRefused: number;
  readonly proposalsCommitted: number;
  readonly proposalsApplied: number;
  readonly proposalsPending: number;
  readonly proposalsFailed: number;
  readonly leaderChanges: number;
  readonly heartbeatSendFailures: number;
  readonly slowReadIndexes: number;
  readonly snapshotsSent: number;
  readonly snapshotsReceived: number;
  /** Rows that the state machine has ever written, and keys that it has deleted. */
  readonly puts: number;
  readonly deletes: number;
  /** Open streams of watchers, their watchers, those of them that are behind; what streams hold unread. */
  readonly watchStreams: number;
  readonly watchers: number;
  readonly slowWatchers: number;
  readonly watchBufferedBytes: number;
}

export const TransferResult = { Done: 1, NotLeader: 2, BadTarget: 3, TimedOut: 4 } as const;
export type TransferResult = (typeof TransferResult)[keyof typeof TransferResult];

/** etcd's Lease service; replies are encoded etcd responses. */
export interface LeaseApi {
  grant(request: LeaseGrantRequest, sink: ReplySink, identity?: Identity): void;
  /** While authentication is on it needs the right to write every key of the lease. */
  revoke(id: LeaseId, sink: ReplySink, identity?: Identity): void;
  /** Of an unknown lease, too, the reply is a reply: with a TTL of 0. */
  keepAlive(id: LeaseId, sink: ReplySink, identity?: Identity): void;
  /** Of an unknown lease the TTL is -1. */
  timeToLive(request: LeaseTimeToLiveRequest, sink: ReplySink, identity?: Identity): void;
  list(sink: ReplySink, identity?: Identity): void;
}

export interface HostApi {
  /** Opens the directory, founds or joins the genesis, recovers, starts Raft. */
  start(): void;
  /** Once per tickMs; `ticks` > 1 after a stall, already clamped by the caller (architecture.md §3.4). */
  tick(ticks: number): void;
  /** By nobody, unless it is said who asks: what `auth.admit` has found out. */
  request(
    kind: RequestKind,
    payload: Uint8Array,
    serializable: boolean,
    sink: ReplySink,
    identity?: Identity,
  ): void;
  /** Linearizable barrier without a read: for MemberList and health. */
  readBarrier(sink: ReplySink): void;
  /**
   * Changes the members, by the leader; the empty reply comes when this member has applied it, so
   * that its status shows it.
   */
  changeMembers(request: MemberRequest, sink: ReplySink): void;
  /** The reply is the list of alarms that the command found or made (kv's decodeAlarms). */
  alarm(command: AlarmCommand, sink: ReplySink, identity?: Identity): void;
  /** The empty reply comes when this member has applied it. */
  downgrade(command: DowngradeCommand, sink: ReplySink, identity?: Identity): void;
  /**
   * A client's stream of watchers, on this member alone. `requiresLeader`: it ends when this member
   * has known of no leader for three election timeouts. Where no stream is taken the sink fails.
   */
  watch(sink: WatchSink, requiresLeader: boolean): WatchStream;
  readonly leases: LeaseApi;
  readonly auth: AuthApi;
  transferLeadership(memberId: string, done: (result: TransferResult) => void): void;
  /** etcd's HashKV at `revision` (0: now), in slices between turns. */
  hashKv(revision: number, done: (result: HashKvTask | KvError) => void): void;
  /**
   * The state as applied, held until it is released; null: this member has no whole state to give. Not
   * linearizable: what others have committed and this one has not applied is not in it.
   */
  holdState(done: (held: HeldState | null) => void): void;
  /** Hands leadership over if it leads, finishes what is in flight, closes the disk. */
  stop(done: () => void): void;
  /** It does not vote, or not yet: by the table as applied. Costs nothing. */
  isLearner(): boolean;
  /** As `status` tells it; costs nothing. */
  phase(): Phase;
  status(): HostStatus;
  counters(): HostCounters;
  /** Newest last, bounded. */
  journal(): readonly JournalEvent[];
}
