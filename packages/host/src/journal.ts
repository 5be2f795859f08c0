// The event journal (DESIGN.md 19): a bounded list of what happened to this member, for doctor,
// tuner and console. Facts with numbers, no prose.
import { Role } from "@quorate/raft";

export const JournalKind = {
  TermChanged: 1,
  BecameLeader: 2,
  BecameFollower: 3,
  ElectionStarted: 4,
  VoteRefused: 5,
  SteppedDown: 6,
  SnapshotSent: 7,
  SnapshotInstalled: 8,
  CheckpointWritten: 9,
  Stall: 10,
  PeerSession: 11,
  PeerRegressed: 12,
  LeaderGone: 13,
  QuietEnded: 14,
  GenesisStarted: 15,
  /** Two members do not speak with each other; the reason names the other one. */
  PeerRefused: 16,
  /** A batch was so long on its way to the disk (value). */
  SlowDisk: 17,
  /** The wall clock jumped by so much (value). */
  ClockStepped: 18,
  /** Of entries that the log had lost, up to here (value): the reason says lost, filled or void. */
  LogHole: 19,
  /** From the other member's, or the majority's, at an applied index (value). */
  DigestDiffers: 20,
} as const;
export type JournalKind = (typeof JournalKind)[keyof typeof JournalKind];

export const roleNames: Readonly<Record<Role, string>> = {
  [Role.Follower]: "follower",
  [Role.PreCandidate]: "pre-candidate",
  [Role.Candidate]: "candidate",
  [Role.Leader]: "leader",
};

export class JournalEvent {
  readonly kind: JournalKind;
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly term: number;
  /** Meaning by kind: the other member's raft id, or 0. */
  readonly peer: number;
  /** Meaning by kind: measured silence in ms, bytes, index. */
  readonly value: number;
  readonly reason: string;

  constructor(
    kind: JournalKind,
    monotonicMs: number,
    wallMs: number,
    term: number,
    peer: number,
    value: number,
    reason: string,
  ) {
    this.kind = kind;
    this.monotonicMs = monotonicMs;
    this.wallMs = wallMs;
    this.term = term;
    this.peer = peer;
    this.value = value;
    this.reason = reason;
  }
}

export const journalEventsMax = 1024;

/** The newest journalEventsMax events, oldest first. */
export class Journal {
  #events: JournalEvent[];

  constructor() {
    this.#events = [];
  }

  add(event: JournalEvent): void {
    this.#events.push(event);
    if (this.#events.length >= 2 * journalEventsMax) {
      this.#events = this.#events.slice(-journalEventsMax);
    }
  }

  events(): readonly JournalEvent[] {
    return this.#events.slice(-journalEventsMax);
  }
}
