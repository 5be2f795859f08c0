// The leader's view of one follower: what it is known to have, what goes next, and how fast
// (etcd-raft's three states). Decides nothing about what to send: that is replicate's part.
//
//   Probe      one append at a time, to find where the logs part; `probeSent` until it is answered;
//              its entries go once: while they wait for a slow disk there, repeats would be endless
//   Replicate  a pipeline: `next` moves on with every send, the window bounds it
//   Snapshot   nothing but a snapshot helps; appends wait until the follower has `pendingSnapshot`
//
// Invariant: match < next. In Snapshot: pendingSnapshot < next; elsewhere pendingSnapshot is 0.
import { assert, assertNever } from "@quorate/base";
import { ProgressKind } from "../status.ts";
import { sessionUnknown } from "../types.ts";
import type { Index, NodeId, Session } from "../types.ts";
import type { Breaker } from "./breaker.ts";
import type { Inflights } from "./inflights.ts";

/** Longer than any. */
export const latencyUnknown: number = 2 ** 30;

export class Progress {
  readonly id: NodeId;
  kind: ProgressKind;
  /** Highest index known durable and equal on the follower, in its present session. */
  match: Index;
  /** First index of the next append. */
  next: Index;
  /** Commit index that the newest append told; it may be lost: heartbeats make up for that. */
  sentCommit: Index;
  /** The follower's process as its hello told it; 0 before the first (P4). */
  session: Session;
  /** Snapshot only: the index of the snapshot on its way; 0 elsewhere. */
  pendingSnapshot: Index;
  /** Probe only: an append is out; the next waits for its answer or a heartbeat's (lesson 39). */
  probeSent: boolean;
  /** Probe only: its entries have left and were not answered. What follows carries none. */
  probeRepeated: boolean;
  /** Tick at which it last answered a message of this term (P7). */
  lastAnswerTick: number;
  /** Ticks from a heartbeat to its answer, measured now and then; not yet: latencyUnknown. */
  latencyTicks: number;
  /** In the order of succession, from 1; 0: none. */
  rank: number;
  /**
   * Its disk forgot what it had promised (P4). Stays set when the process restarts: this raft id
   * is never whole again, the member comes back under another (P3).
   */
  regressed: boolean;
  readonly inflights: Inflights;
  readonly breaker: Breaker;
  /** In neither half of the configuration. */
  isLearner: boolean;

  constructor(
    id: NodeId,
    isLearner: boolean,
    next: Index,
    lastAnswerTick: number,
    inflights: Inflights,
    breaker: Breaker,
  ) {
    assert(next >= 1, "progress: next must be at least 1");
    this.id = id;
    this.kind = ProgressKind.Probe;
    this.match = 0;
    this.next = next;
    this.sentCommit = 0;
    this.session = sessionUnknown;
    this.pendingSnapshot = 0;
    this.probeSent = false;
    this.probeRepeated = false;
    this.lastAnswerTick = lastAnswerTick;
    this.latencyTicks = latencyUnknown;
    this.rank = 0;
    this.regressed = false;
    this.inflights = inflights;
    this.breaker = breaker;
    this.isLearner = isLearner;
  }

  /** After a snapshot the probe starts behind it: if it arrived, it is the newest thing known. */
  becomeProbe(): void {
    const from = Math.max(this.match, this.pendingSnapshot);
    this.#become(ProgressKind.Probe, from + 1);
  }

  becomeReplicate(): void {
    this.#become(ProgressKind.Replicate, this.match + 1);
  }

  becomeSnapshot(index: Index): void {
    assert(index > this.match, "progress: a snapshot of what the follower has");
    this.#become(ProgressKind.Snapshot, index + 1);
    this.pendingSnapshot = index;
  }

  /**
   * The snapshot did not arrive: the probe goes on from what is known, and waits for the next
   * heartbeat's answer, so that a failing transfer is not repeated in a loop (lesson 45).
   */
  snapshotFailed(): void {
    assert(this.kind === ProgressKind.Snapshot, "progress: no snapshot on its way");
    this.pendingSnapshot = 0;
    this.becomeProbe();
    this.probeSent = true;
  }

  /**
   * An acknowledgement up to `index` of the present session. True when `match` moved. Does not
   * change the state: from which index Probe or Snapshot may stream is the leader's judgement.
   */
  maybeUpdate(index: Index): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.#probeAnswered();
    this.inflights.freeUpTo(index);
    this.breaker.matched(index);
    return true;
  }

  /**
   * The append behind `rejected` did not fit; `hint` is the highest index that may still be equal.
   * False when the rejection is stale: late, doubled, or of a probe that is not out (lesson 37).
   */
  maybeDecrease(rejected: Index, hint: Index): boolean {
    switch (this.kind) {
      case ProgressKind.Replicate:
        // Everything up to match is known equal; only appends above it can be rejected.
        if (rejected <= this.match) return false;
        this.next = this.match + 1;
        return true;
      case ProgressKind.Probe:
        if (rejected !== this.next - 1 || rejected <= this.match) return false;
        this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
        this.#probeAnswered();
        return true;
      case ProgressKind.Snapshot:
        // Nothing was sent since: it is about an append from before.
        return false;
      default:
        return assertNever(this.kind);
    }
  }

  /** It lives, and a probe may be lost: the next one finds out (lesson 39). */
  heartbeatAnswered(): void {
    if (this.kind === ProgressKind.Probe && this.probeSent) this.probeRepeated = true;
    this.probeSent = false;
  }

  #probeAnswered(): void {
    this.probeSent = false;
    this.probeRepeated = false;
  }

  /** No append with entries may go now. */
  isPaused(): boolean {
    switch (this.kind) {
      case ProgressKind.Probe:
        return this.probeSent;
      case ProgressKind.Replicate:
        return this.inflights.full();
      case ProgressKind.Snapshot:
        return true;
      default:
        return assertNever(this.kind);
    }
  }

  /** An append with entries up to `lastIndex` left; without entries `lastIndex` is `next` - 1. */
  sentEntries(lastIndex: Index, bytes: number): void {
    assert(lastIndex >= this.next - 1, "progress: sent what was sent before");
    switch (this.kind) {
      case ProgressKind.Probe:
        this.probeSent = true;
        return;
      case ProgressKind.Replicate:
        if (lastIndex < this.next) return;
        this.inflights.add(lastIndex, bytes);
        this.next = lastIndex + 1;
        return;
      case ProgressKind.Snapshot:
        assert(false, "progress: append sent in Snapshot");
        return;
      default:
        assertNever(this.kind);
    }
  }

  /**
   * A new process speaks for this id: all that the old one acknowledged is unproven (P4).
   * `lastIndex` is the lower of its last index and the leader's. Whether it is REGRESSED is judged
   * before, against the old match.
   */
  resetSession(session: Session, lastIndex: Index): void {
    this.session = session;
    this.match = 0;
    this.#become(ProgressKind.Probe, lastIndex + 1);
  }

  #become(kind: ProgressKind, next: Index): void {
    this.kind = kind;
    this.next = next;
    // A probe begins when messages may be lost; a stream, when they were just answered.
    if (kind !== ProgressKind.Replicate) this.sentCommit = 0;
    this.pendingSnapshot = 0;
    this.#probeAnswered();
    this.inflights.reset();
    assert(this.match < this.next, "progress: match must be below next");
  }
}
