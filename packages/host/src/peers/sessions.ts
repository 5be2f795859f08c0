// The session rule (P4): which process may speak for a raft id. A higher boot count, or the same one
// with the same session, is accepted, and only after its record is durable; anything else is
// REGRESSED. Decides from records alone; links and members are not known here.
import { assert } from "@quorate/base";
import type { NodeId, Session } from "@quorate/raft";
import { PeerRecord } from "@quorate/storage";

export const SessionVerdict = {
  /** Its record is durable: it speaks for the raft id. */
  Accepted: 1,
  /** Passed the rule just now; its record must be persisted first. */
  New: 2,
  /** Passed the rule before; its record is still being persisted. */
  Pending: 3,
  /** An older boot, or another session of the same boot. */
  Regressed: 4,
  /** Not judged: more raft ids than a cluster ever has. */
  TooMany: 5,
} as const;
export type SessionVerdict = (typeof SessionVerdict)[keyof typeof SessionVerdict];

/** Raft ids that may ever have spoken; each costs a record that is kept for good. */
export const raftIdsMax = 4096;

export class Sessions {
  /**
   * The newest record per raft id, durable or on its way.
   * Invariant: bootCount of #durable ≤ bootCount of #newest.
   */
  readonly #newest: Map<NodeId, PeerRecord>;
  readonly #durable: Map<NodeId, PeerRecord>;

  constructor() {
    this.#newest = new Map();
    this.#durable = new Map();
  }

  /** What earlier boots accepted. */
  setRecords(records: readonly PeerRecord[]): void {
    for (const record of records) {
      const known = this.#newest.get(record.raftId);
      if (known !== undefined && known.bootCount > record.bootCount) continue;
      this.#newest.set(record.raftId, record);
      this.#durable.set(record.raftId, record);
    }
  }

  judge(raftId: NodeId, bootCount: number, session: Session): SessionVerdict {
    const newest = this.#newest.get(raftId);
    if (newest === undefined && this.#newest.size >= raftIdsMax) return SessionVerdict.TooMany;
    if (newest === undefined || bootCount > newest.bootCount) {
      this.#newest.set(raftId, new PeerRecord(raftId, bootCount, session));
      return SessionVerdict.New;
    }
    if (bootCount < newest.bootCount || session !== newest.session) return SessionVerdict.Regressed;
    const durable = this.#durable.get(raftId) === newest;
    return durable ? SessionVerdict.Accepted : SessionVerdict.Pending;
  }

  /** Of the last `judge` that said New for this raft id, unless a newer boot came since. */
  newest(raftId: NodeId): PeerRecord | null {
    return this.#newest.get(raftId) ?? null;
  }

  /** True: the record is the newest one; its session is accepted from now on. */
  persisted(record: PeerRecord): boolean {
    const newest = this.#newest.get(record.raftId);
    assert(newest !== undefined, "Sessions: a record was persisted that was never judged");
    const durable = this.#durable.get(record.raftId);
    if (durable === undefined || durable.bootCount <= record.bootCount) {
      this.#durable.set(record.raftId, record);
    }
    return newest === record;
  }

  /** The highest boot count known of a raft id; 0: none. */
  bootCountOf(raftId: NodeId): number {
    return this.#newest.get(raftId)?.bootCount ?? 0;
  }

  sessionOf(raftId: NodeId): Session {
    return this.#newest.get(raftId)?.session ?? 0;
  }
}
