// The one message shape between two cores. Fat on purpose: one hidden class at the hot call sites.
// Which fields a type uses stands beside it; all others hold their zero.
import type { Entry } from "./entry.ts";
import type { Index, NodeId, Session, SnapshotMeta, Term } from "./types.ts";

/** Values are on the wire: never reuse one. Odd: a request; the even one after it: its answer. */
export const MessageType = {
  /** index, logTerm (of the entry before), entries, commit. */
  AppendEntries: 1,
  /**
   * index: the highest index known equal (reject: the refused index); reject, hintIndex, hintTerm;
   * commit: what the voter has applied and durably knows to be committed (P2); wallMs; sentMs and
   * number echoed.
   */
  AppendResponse: 2,
  /**
   * commit = min(match, committed); number: heartbeat and read round; sentMs; wallMs; rank: the
   * receiver's place in the order of succession.
   */
  Heartbeat: 3,
  /** number and sentMs echoed; wallMs: the voter's own clock (P11); commit: as AppendResponse. */
  HeartbeatResponse: 4,
  /** index, logTerm: the candidate's durable last entry; term is the future one; number: its round. */
  PreVote: 5,
  /**
   * number and wallMs as above; granted: term is the asked, future one; reject: own term; commit,
   * logTerm: the newest entry that the voter knows to be committed (P2).
   */
  PreVoteResponse: 6,
  /** index, logTerm: the candidate's durable last entry; transfer: leadership transfer (thesis §3.10). */
  Vote: 7,
  /** As PreVoteResponse, but term is always the voter's own. */
  VoteResponse: 8,
  /**
   * snapshot; number: of the transfer. From a core: "transfer your newest checkpoint (at least this
   * one) to `to`"; the host moves the bytes and, when they are staged and verified, steps the
   * receiver with it. The answer is an AppendResponse that leaves after the snapshot is installed
   * and durable.
   */
  InstallSnapshot: 9,
  /** toSession names the target's session: an old one is ignored (P4). */
  TimeoutNow: 11,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

export class Message {
  type: MessageType;
  from: NodeId;
  to: NodeId;
  term: Term;
  /** The sender's session. */
  session: Session;
  /**
   * Answers: the asker's session, echoed; the asker ignores any other. Requests: the receiver's
   * session as the sender knows it (0: unknown); equal to the receiver's own it ends quiet start.
   */
  toSession: Session;
  /** Round number, echoed by the answer. */
  number: number;
  index: Index;
  logTerm: Term;
  commit: Index;
  entries: readonly Entry[];
  reject: boolean;
  hintIndex: Index;
  hintTerm: Term;
  transfer: boolean;
  /** Monotonic ms of the asker when a heartbeat left its host, echoed; 0: not stamped. */
  sentMs: number;
  /** The sender's wall clock, ms since 1970. */
  wallMs: number;
  /** From 1; 0: none. */
  rank: number;
  snapshot: SnapshotMeta | null;

  constructor(type: MessageType, from: NodeId, to: NodeId, term: Term) {
    this.type = type;
    this.from = from;
    this.to = to;
    this.term = term;
    this.session = 0;
    this.toSession = 0;
    this.number = 0;
    this.index = 0;
    this.logTerm = 0;
    this.commit = 0;
    this.entries = noEntries;
    this.reject = false;
    this.hintIndex = 0;
    this.hintTerm = 0;
    this.transfer = false;
    this.sentMs = 0;
    this.wallMs = 0;
    this.rank = 0;
    this.snapshot = null;
  }
}

const noEntries: readonly Entry[] = [];

export function isAnswer(type: MessageType): boolean {
  return type % 2 === 0;
}
