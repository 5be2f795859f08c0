// One batch of everything the core wants done, filled into an object that the host owns and reuses.
//
// The law (architecture.md §3.3):
// R1  Persist batches are written in `seq` order and acknowledged in order; acknowledging n
//     acknowledges all before it. `mustSync = false` may be acknowledged without an fsync.
// R2  `messages` need not wait for the disk. `messagesAfterPersist` (vote requests, vote grants,
//     append answers) leave only once `afterPersist` is durable.
// R3  Committed entries are applied once, in order. State is made durable (checkpoint) only up to
//     an index that is locally durable.
// R4  Completions are never lost or reordered; messages may be.
// R5  Between takeReady and the next input nothing else touches the core. The arrays are lent
//     until the next takeReady.
import type { Entry } from "./entry.ts";
import type { Message } from "./message.ts";
import { Role } from "./types.ts";
import type { HardState, Index, NodeId, PersistSeq, SnapshotMeta, Term } from "./types.ts";

export class PersistBatch {
  /** 0: nothing to persist in this Ready. */
  seq: PersistSeq = 0;
  /**
   * The full hard state as of this batch, never null when `seq` > 0: the WAL header quotes it
   * whole, commit index included (DESIGN.md 3, P2).
   */
  hardState: HardState | null = null;
  /** Install this snapshot (already staged by the host) before the entries; null: none. */
  snapshot: SnapshotMeta | null = null;
  /** The snapshot replaces the state only: the log of before stays in force behind its mark. */
  keepsLog: boolean = false;
  /**
   * Index of `entries[0]`; everything at or above it that was written before is truncated. 0 when
   * there are no entries.
   */
  firstIndex: Index = 0;
  entries: Entry[] = [];
  /** Term, vote, entries or snapshot changed. A commit-only change needs no fsync. */
  mustSync: boolean = false;
}

/**
 * A proposal of this process as leader that will certainly never commit, because another entry is
 * committed in its place. Truncation alone proves nothing: a later leader that still has the entry
 * may commit it (Raft figure 8).
 */
export class DroppedProposal {
  readonly index: Index;
  readonly term: Term;

  constructor(index: Index, term: Term) {
    this.index = index;
    this.term = term;
  }
}

/** The read with this context may be answered once applied ≥ index (thesis §6.4). */
export class ReadState {
  readonly context: number;
  readonly index: Index;

  constructor(context: number, index: Index) {
    this.context = context;
    this.index = index;
  }
}

export class Ready {
  messages: Message[] = [];
  persist: PersistBatch = new PersistBatch();
  messagesAfterPersist: Message[] = [];
  /** What `messagesAfterPersist` wait for: this batch, or the newest outstanding one. 0: nothing. */
  afterPersist: PersistSeq = 0;
  /** Committed and locally durable entries to apply, in order, each handed out once. */
  committed: Entry[] = [];
  reads: ReadState[] = [];
  /** Contexts of reads that will not be answered (leadership lost): fail or retry them. */
  readsDropped: number[] = [];
  dropped: DroppedProposal[] = [];
  /** Role, leader or term changed since the last Ready; the three below are always filled. */
  roleChanged: boolean = false;
  role: Role = Role.Follower;
  leader: NodeId = 0;
  term: Term = 0;

  clear(): void {
    this.messages.length = 0;
    this.persist.seq = 0;
    this.persist.hardState = null;
    this.persist.snapshot = null;
    this.persist.keepsLog = false;
    this.persist.firstIndex = 0;
    this.persist.entries.length = 0;
    this.persist.mustSync = false;
    this.messagesAfterPersist.length = 0;
    this.afterPersist = 0;
    this.committed.length = 0;
    this.reads.length = 0;
    this.readsDropped.length = 0;
    this.dropped.length = 0;
    this.roleChanged = false;
  }
}
