// Between a Host and the other members: the peer protocol over Env's links (frames, hello, sessions,
// queues, backoff, genesis talk, snapshot bytes). Peers decides about connections, never about Raft.
import type { Message, NodeId, Session } from "@quorate/raft";
import type {
  CheckpointInfo,
  PeerRecord,
  SnapshotFile,
  SnapshotSink,
  SnapshotSource,
} from "@quorate/storage";
import type { LeaseAnswer, LeaseAsk } from "./lease-codec.ts";
import type { LogAnswer, LogAsk } from "./log-codec.ts";
import type { SupersededCluster } from "../recover/recovered-entry.ts";

/** Whom to talk to. raftId 0: not known yet (before genesis). */
export interface PeerMember {
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly addresses: readonly string[];
}

/** What this process says of itself in every hello (P4), read afresh for each. */
export interface HelloFacts {
  readonly term: number;
  /** Durable last index, holes counted as present. */
  readonly lastIndex: number;
  /** The leader this process knows, or 0 (P5 b). */
  readonly leader: NodeId;
  /** Where this member is dialled: by its table, and as it was started. */
  readonly peerUrls: readonly string[];
}

export interface PeersConfig {
  readonly clusterId: string;
  readonly memberId: string;
  readonly token: string;
  readonly raftId: NodeId;
  readonly bootCount: number;
  readonly session: Session;
  readonly levelMax: number;
  readonly tickMs: number;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly snapshotBytesPerSecond: number;
}

/** Number of a forwarded request: unique within this process. */
export type ForwardNumber = number;

export const ForwardOutcome = {
  /** Appended by the leader at (index, term): the asker waits for its own apply of it. */
  Appended: 1,
  NotLeader: 2,
  Overloaded: 3,
  TooLarge: 4,
  Transferring: 5,
  /** A change of members against the rules; the index says which, of MemberError. */
  MemberRefused: 6,
  /** Another change of members is in flight. */
  ChangePending: 7,
} as const;
export type ForwardOutcome = (typeof ForwardOutcome)[keyof typeof ForwardOutcome];

/** A member's digests at an applied index, compared at equal index (DESIGN.md 14). */
export interface DigestPoint {
  readonly index: number;
  readonly liveLow: number;
  readonly liveHigh: number;
  readonly applyLow: number;
  readonly applyHigh: number;
}

/** What Peers tells and asks its Host. Called from link events; each only changes state. */
export interface PeersEvents {
  hello(): HelloFacts;
  /** What the transport dials for a peer URL. */
  addressOf(url: string): string;
  /** A Raft message of an accepted session (InstallSnapshot excepted: see onSnapshotStaged). */
  onMessage(message: Message): void;
  /**
   * A new session of a peer passed the boot count rule; the record must be durable before `done`
   * is called, and only then is the session accepted (P4).
   */
  persistPeer(record: PeerRecord, done: () => void): void;
  /**
   * An accepted hello of a new session. The host tells the core and journals. Not empty: why it is
   * REGRESSED; it is told so and heard no more.
   */
  onSession(id: NodeId, session: Session, term: number, lastIndex: number): string;
  /** A hello whose boot count is below, or equal with another session: REGRESSED (P4). */
  onRegressed(id: NodeId, reason: string): void;
  /**
   * The answer to a dial: that member knows a later start of this directory, or another process of
   * this start. So this is an older copy of it, or one of two.
   */
  onToldRegressed(reason: string): void;
  /** A leader says that this raft id is removed for good, and is needed no more (P2). */
  onToldRemoved(reason: string): void;
  /** Its cluster was recovered without it, under another id (reliability.md §4.4): said by its members. */
  onToldSuperseded(reason: string): void;
  /** Somebody who is to join asks who it is; the answer's bytes. */
  onJoinAsk(ask: Uint8Array): Uint8Array;
  /** A dial led to a refusal, by either side; `reason` names the member and says why. Once for each. */
  onRefused(id: NodeId, reason: string): void;
  /** P6: the link that carries that process's heartbeats ended and a new connect was refused. */
  onProcessGone(id: NodeId, session: Session): void;
  /** P5 (b): every other voter answered this session's hello; none knows a leader or more boots. */
  onQuietResolved(): void;
  onUnreachable(id: NodeId): void;
  /** Round trip of a heartbeat, ms. */
  onRoundTrip(id: NodeId, roundTripMs: number): void;

  onForwardProposal(from: NodeId, number: ForwardNumber, kind: number, payload: Uint8Array): void;
  onForwardAnswer(
    number: ForwardNumber,
    outcome: ForwardOutcome,
    index: number,
    term: number,
  ): void;
  onForwardRead(from: NodeId, number: ForwardNumber): void;
  /** index 0: refused (not leader any more). */
  onForwardReadAnswer(number: ForwardNumber, index: number): void;
  /** Its number as it is to be answered. */
  onLeaseAsk(from: NodeId, ask: LeaseAsk): void;
  onLeaseAnswer(answer: LeaseAnswer): void;
  onDigestPoint(from: NodeId, point: DigestPoint): void;
  /** A peer has lost its state, and asks for a snapshot that ends at `index` or above. */
  onStateAsk(from: NodeId, index: number): void;
  /** A peer has lost entries of its log, and asks for them. */
  onLogAsk(from: NodeId, ask: LogAsk): void;
  onLogAnswer(from: NodeId, answer: LogAnswer): void;

  /** A peer offers a snapshot: a sink to write to, or null to refuse (one at a time). */
  stageSnapshot(files: readonly SnapshotFile[], checkpointId: number): SnapshotSink | null;
  /** All bytes are staged and verified: `message` is the InstallSnapshot to step the core with. */
  onSnapshotStaged(message: Message, sink: SnapshotSink, checkpoint: CheckpointInfo): void;
}

export interface PeerStatus {
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly name: string;
  readonly connected: boolean;
  /** How long so; -1: not. */
  readonly connectedMs: number;
  readonly session: Session;
  readonly bootCount: number;
  /** Since the last bytes of this peer; -1: never heard in this process. */
  readonly silentMs: number;
  /** Why it is not connected: refused, unreachable, wrong cluster id, …; empty when connected. */
  readonly reason: string;
  readonly roundTripMs: number;
  readonly queuedBytes: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What was heard of one raft id. */
export interface Heard {
  readonly silentMs: number;
  /** Where it speaks from; empty: no link stands. */
  readonly address: string;
}

export interface SilenceApi {
  /** What this process has heard of it itself; since its own start when it has not. */
  of(raftId: NodeId): Heard;
  /** Asks these what they have heard of it, in a new round: answers to earlier ones count no more. */
  ask(raftId: NodeId, of: readonly NodeId[]): void;
  /** By raft id, what was answered to the newest round. */
  answers(raftId: NodeId): ReadonlyMap<NodeId, Heard>;
  /** Nobody asks about it any more. */
  forget(raftId: NodeId): void;
}

export interface LogTalkApi {
  /** Asks these for entries of their logs. What finds no session is dropped. */
  ask(of: readonly NodeId[], ask: LogAsk): void;
  answer(to: NodeId, answer: Omit<LogAnswer, "toSession">): void;
}

export interface LeaseTalkApi {
  /** False: no accepted session with that peer, or its queue is full: nothing was sent. */
  ask(of: NodeId, ask: LeaseAsk): boolean;
  answer(to: NodeId, answer: LeaseAnswer): void;
}

export interface PeersApi {
  /** Names the other members (never this one); links to those not named any more are closed. */
  setMembers(members: readonly PeerMember[]): void;
  /** The started genesis: frames other than genesis talk flow only with peers that share it. */
  setGenesis(genesisId: number): void;
  /** Peers already accepted in earlier boots (from storage). */
  setRecords(records: readonly PeerRecord[]): void;
  /** Voters of the newest configuration on this disk: who must answer for P5 (b). */
  setVoters(voters: readonly NodeId[]): void;
  /**
   * Raft ids that left the configuration for good: refused, never stepped again. `final`: and told
   * that they may go (P2). Members that were removed are told so in any case when they speak under a raft
   * id that was never in a configuration: nobody can need their votes.
   */
  setRemoved(raftIds: readonly NodeId[], memberIds: readonly string[], final: boolean): void;
  /** Clusters of which this one is what a recovery has left: their members are told so. */
  setSuperseded(clusters: readonly SupersededCluster[]): void;
  /** Who answers for the member at its address, on a link dialled there; 0: nobody does Raft there. */
  dialledRaftId(memberId: string): NodeId;
  /** How long a raft id has not been heard, here and by others. */
  readonly silence: SilenceApi;
  /** About lost entries. */
  readonly logTalk: LogTalkApi;
  /** About leases, with the leader. */
  readonly leaseTalk: LeaseTalkApi;
  /** Queued per peer, bounded; a message that finds no link or a full queue is dropped. */
  send(message: Message): void;
  /**
   * Everything queued since the last flush leaves: one write per link. Entries shared by several
   * AppendEntries (the same array) are encoded once.
   */
  flush(): void;
  /** False: no accepted session with that peer, or its queue is full: nothing was sent. */
  forwardProposal(to: NodeId, number: ForwardNumber, kind: number, payload: Uint8Array): boolean;
  answerForward(
    to: NodeId,
    number: ForwardNumber,
    outcome: ForwardOutcome,
    index: number,
    term: number,
  ): void;
  forwardRead(to: NodeId, number: ForwardNumber): boolean;
  answerForwardRead(to: NodeId, number: ForwardNumber, index: number): void;
  broadcastDigest(point: DigestPoint): void;
  /** For a snapshot that ends at `index` or above: the own state is lost. */
  askState(of: NodeId, index: number): void;
  /** A snapshot is on its way in. */
  isReceiving(): boolean;
  /** Moves the bytes of `source` and then `message` to its `to`; releases the source itself. */
  sendSnapshot(message: Message, source: SnapshotSource, done: (ok: boolean) => void): void;
  sessionOf(id: NodeId): Session;
  tick(ticks: number): void;
  status(): readonly PeerStatus[];
  close(): void;
}

/** What was dropped or refused since the start. */
export interface PeersCounters {
  /** Messages without an accepted session, link or room. */
  readonly messagesDropped: number;
  /** Frames of other processes than those of their link. */
  readonly framesForeign: number;
  /** Frames that the network repeated. */
  readonly framesRepeated: number;
  /** Links ended because of what came on them. */
  readonly linksFailed: number;
  readonly handshakesEvicted: number;
}

// ---- Genesis -------------------------------------------------------------------------------------

export interface GenesisMember {
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** The first configuration that all agree on (P1). */
export interface GenesisRecord {
  readonly genesisId: number;
  /** Sorted by name. */
  readonly members: readonly GenesisMember[];
}
