// One member for tests: a core with a disk that survives restarts and a state machine that remembers
// what was applied. Plays the host's part of the contract (ready.ts) step by step, so that a test
// decides what happens between any two steps.
import assert from "node:assert/strict";
import type { InitialState, RaftConfig } from "../config.ts";
import { raftDefaults } from "../config.ts";
import { decodeConfChange } from "../confchange/codec.ts";
import { Entry, EntryKind } from "../entry.ts";
import { checkInvariants } from "../invariants.ts";
import type { CoreSnapshot } from "../invariants.ts";
import { levelOf } from "../log-tail.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { RaftNode } from "../raft-node.ts";
import { Ready } from "../ready.ts";
import { HardState, SnapshotMeta } from "../types.ts";
import type { ConfState, Index, LogPoint, NodeId, PersistSeq, Term } from "../types.ts";

/** What was applied, as the checkers compare it. */
export interface AppliedEntry {
  readonly index: Index;
  readonly term: Term;
  readonly text: string;
}

/** State up to an index, and the configuration there: a checkpoint or a snapshot's content. */
export interface Checkpoint {
  readonly meta: SnapshotMeta;
  readonly applied: readonly AppliedEntry[];
}

interface PendingBatch {
  readonly seq: PersistSeq;
  readonly hardState: HardState;
  readonly install: Checkpoint | null;
  readonly keepsLog: boolean;
  readonly firstIndex: Index;
  readonly entries: readonly Entry[];
  readonly mustSync: boolean;
}

/** What survives a crash of the process; a power loss may take the newest commit index with it. */
export interface Disk {
  hardState: HardState;
  syncedHardState: HardState;
  baseIndex: Index;
  baseTerm: Term;
  entries: Entry[];
  /** Where the log ended before its newest entries were lost; null: nothing was. */
  promised: LogPoint | null;
  /** The entries that were lost: only checkers know them. */
  lost: readonly Entry[];
  checkpoint: Checkpoint | null;
  initialConf: ConfState;
}

export type MemberOptions = Partial<RaftConfig>;

export class TestMember {
  readonly id: NodeId;
  readonly options: MemberOptions;
  node: RaftNode;
  disk: Disk;
  boot: number;
  isUp: boolean;
  /** Batches complete only when the test says so. */
  asyncDisk: boolean;
  /** Entries are applied only when the test says so. */
  asyncApply: boolean;
  conf: ConfState;
  applied: AppliedEntry[];
  appliedIndex: Index;
  /** Replicated settings, as the host keeps them: stamp and level behind the last applied entry. */
  appliedWallMs: number;
  appliedLevel: number;
  readonly batches: PendingBatch[];
  readonly outbox: { seq: PersistSeq; message: Message }[];
  readonly toApply: Entry[];
  readonly ready: Ready;
  readonly reads: { context: number; index: Index }[];
  readonly readsDropped: number[];
  readonly dropped: { index: Index; term: Term }[];
  /** Content of snapshots received, by checkpoint id. */
  readonly staged: Map<number, Checkpoint>;
  #nextCheckpointId: number;
  #look: CoreSnapshot | null;

  /** `terms`: of the entries that are on its disk already. */
  constructor(id: NodeId, conf: ConfState, options: MemberOptions, terms: readonly Term[] = []) {
    this.id = id;
    this.options = options;
    this.disk = {
      hardState: new HardState(terms.at(-1) ?? 0, 0, 0),
      syncedHardState: new HardState(terms.at(-1) ?? 0, 0, 0),
      baseIndex: 0,
      baseTerm: 0,
      entries: terms.map((term, i) => new Entry(term, i + 1, 16, 1, 0, new Uint8Array(0))),
      promised: null,
      lost: [],
      checkpoint: null,
      initialConf: conf,
    };
    this.boot = 0;
    this.isUp = true;
    this.asyncDisk = false;
    this.asyncApply = false;
    this.conf = conf;
    this.applied = [];
    this.appliedIndex = 0;
    this.appliedWallMs = 0;
    this.appliedLevel = 1;
    this.batches = [];
    this.outbox = [];
    this.toApply = [];
    this.ready = new Ready();
    this.reads = [];
    this.readsDropped = [];
    this.dropped = [];
    this.staged = new Map();
    this.#nextCheckpointId = id * 1000;
    this.#look = null;
    this.node = this.#boot(options);
  }

  get session(): number {
    return this.id * 100 + this.boot;
  }

  /** What a batch or two that were written, but not acknowledged, leave behind at a kill. */
  writeUnacknowledged(count: number): void {
    for (let i = 0; i < count && this.batches.length > 0; i++) this.#write(this.batches.shift()!);
  }

  losePower(): void {
    this.disk.hardState = this.disk.syncedHardState;
  }

  /** Term of a durable entry; null: there is none, or only a snapshot holds it. */
  durableTermAt(index: Index): Term | null {
    const { disk } = this;
    if (index === disk.baseIndex) return disk.baseTerm;
    return disk.entries[index - disk.baseIndex - 1]?.term ?? null;
  }

  /** Only the disk is left; a new process starts from it. */
  restart(options: MemberOptions): void {
    this.batches.length = 0;
    this.outbox.length = 0;
    this.toApply.length = 0;
    this.#look = null;
    this.isUp = true;
    this.node = this.#boot({ ...this.options, ...options });
  }

  #boot(options: MemberOptions): RaftNode {
    this.boot++;
    const { disk } = this;
    const { checkpoint } = disk;
    this.applied = checkpoint === null ? [] : [...checkpoint.applied];
    this.appliedIndex = checkpoint === null ? 0 : checkpoint.meta.index;
    this.appliedWallMs = checkpoint === null ? 0 : checkpoint.meta.wallMs;
    this.appliedLevel = checkpoint === null ? 1 : checkpoint.meta.level;
    this.conf = checkpoint === null ? disk.initialConf : checkpoint.meta.confState;
    const initial: InitialState = {
      hardState: disk.hardState,
      confState: this.conf,
      snapshotIndex: disk.baseIndex,
      snapshotTerm: disk.baseTerm,
      entries: disk.entries,
      applied: this.appliedIndex,
      wallMs: Math.max(this.appliedWallMs, disk.entries.at(-1)?.wallMs ?? 0),
      level: this.appliedLevel,
      promised: disk.promised,
    };
    const random = { below: (): number => 0 };
    const config = { ...raftDefaults, random, ...options, id: this.id, session: this.session };
    const node = new RaftNode(config, initial);
    if (checkpoint !== null) node.snapshotCreated(checkpoint.meta);
    return node;
  }

  /** What a hello tells. */
  get durableLastIndex(): Index {
    return Math.max(this.durableLogEnd, this.disk.promised?.index ?? 0);
  }

  get durableLogEnd(): Index {
    return this.disk.baseIndex + this.disk.entries.length;
  }

  /** What a peer would answer: everything behind. */
  entriesFrom(index: Index): readonly Entry[] {
    return this.disk.entries.filter((entry) => entry.index >= index);
  }

  /** Everything above `index` is lost from the disk; what is left attests where the log ended. */
  loseEntries(index: Index): void {
    const { disk } = this;
    const last = disk.entries.at(-1);
    const keep = index - disk.baseIndex;
    assert(last !== undefined && keep >= 0 && keep < disk.entries.length, "there is some to lose");
    disk.promised ??= { index: last.index, term: last.term };
    disk.lost = [...disk.entries.slice(keep), ...disk.lost];
    disk.entries = disk.entries.slice(0, keep);
  }

  /** Hands every output on; null when there is none. Messages go to `send`. */
  takeReady(send: (message: Message) => void): Ready | null {
    if (!this.node.hasReady() || !this.node.takeReady(this.ready)) return null;
    const { ready } = this;
    for (const message of ready.messages) send(message);
    const { persist } = ready;
    if (persist.seq > 0) {
      assert(persist.hardState !== null);
      if (persist.snapshot !== null) this.toApply.length = 0;
      this.batches.push({
        seq: persist.seq,
        hardState: persist.hardState,
        install: persist.snapshot === null ? null : this.#stagedFor(persist.snapshot),
        keepsLog: persist.keepsLog,
        firstIndex: persist.firstIndex,
        entries: persist.entries.slice(),
        mustSync: persist.mustSync,
      });
    }
    for (const message of ready.messagesAfterPersist) {
      this.outbox.push({ seq: ready.afterPersist, message });
    }
    this.toApply.push(...ready.committed);
    for (const read of ready.reads) this.reads.push({ context: read.context, index: read.index });
    this.readsDropped.push(...ready.readsDropped);
    for (const drop of ready.dropped) this.dropped.push({ index: drop.index, term: drop.term });
    this.#release(send);
    return ready;
  }

  #stagedFor(meta: SnapshotMeta): Checkpoint {
    const staged = this.staged.get(meta.checkpointId);
    assert(staged !== undefined, "installs only what was staged");
    return staged;
  }

  /** What waits for nothing, or for what is durable by now. */
  #release(send: (message: Message) => void): void {
    const oldest = this.batches[0]?.seq ?? Number.POSITIVE_INFINITY;
    while (this.outbox.length > 0 && this.outbox[0]!.seq < oldest) {
      send(this.outbox.shift()!.message);
    }
  }

  /** The oldest batch reaches the disk. False: there is none. */
  persistOne(send: (message: Message) => void): boolean {
    const batch = this.batches.shift();
    if (batch === undefined) return false;
    this.#write(batch);
    this.node.persisted(batch.seq);
    this.#release(send);
    return true;
  }

  #write(batch: PendingBatch): void {
    const { disk } = this;
    disk.hardState = batch.hardState;
    if (batch.mustSync) disk.syncedHardState = batch.hardState;
    if (batch.install !== null) {
      disk.checkpoint = batch.install;
      if (!batch.keepsLog) {
        disk.baseIndex = batch.install.meta.index;
        disk.baseTerm = batch.install.meta.term;
        disk.entries = [];
      }
      this.applied = [...batch.install.applied];
      this.appliedIndex = batch.install.meta.index;
      this.appliedWallMs = batch.install.meta.wallMs;
      this.appliedLevel = batch.install.meta.level;
      this.conf = batch.install.meta.confState;
    }
    if (batch.entries.length > 0) {
      const keep = batch.firstIndex - disk.baseIndex - 1;
      assert(keep >= 0 && keep <= disk.entries.length, "a batch continues what is on disk");
      disk.entries = [...disk.entries.slice(0, keep), ...batch.entries];
    }
    this.#settlePromise();
  }

  /** As the WAL does it: by what is on the disk alone. */
  #settlePromise(): void {
    const { disk } = this;
    const { promised } = disk;
    if (promised === null) return;
    const index = disk.baseIndex + disk.entries.length;
    const term = disk.entries.at(-1)?.term ?? disk.baseTerm;
    if (index >= promised.index || term > promised.term) {
      disk.promised = null;
      disk.lost = [];
    }
  }

  /** Applies the oldest entry handed out. False: there is none. */
  applyOne(): boolean {
    if (this.batches.some((batch) => batch.install !== null)) return false;
    const entry = this.toApply.shift();
    if (entry === undefined) return false;
    assert.equal(entry.index, this.appliedIndex + 1, "entries are applied in order, once");
    assert.equal(entry.level, this.appliedLevel, "the stamp is the level in force (P11)");
    assert(entry.wallMs >= this.appliedWallMs, "stamps never go back (P11)");
    if (entry.kind === EntryKind.ConfChange) {
      const change = decodeConfChange(entry.payload);
      if (change === null) this.node.confChangeRejected();
      else this.conf = this.node.confChangeApplied(change);
    }
    const text = Buffer.from(entry.payload).toString("latin1");
    this.applied.push({ index: entry.index, term: entry.term, text });
    this.appliedIndex = entry.index;
    this.appliedWallMs = entry.wallMs;
    if (entry.kind === EntryKind.Level) this.appliedLevel = levelOf(entry.payload) ?? 0;
    this.node.applied(entry.index);
    return true;
  }

  /** The applied state becomes a durable checkpoint. */
  checkpoint(): SnapshotMeta {
    const index = this.appliedIndex;
    const term = this.node.termAt(index);
    assert(term !== null, "the applied entry's term is known");
    this.#nextCheckpointId++;
    const { conf, appliedLevel, appliedWallMs } = this;
    const id = this.#nextCheckpointId;
    const meta = new SnapshotMeta(index, term, conf, id, appliedLevel, appliedWallMs);
    this.disk.checkpoint = { meta, applied: [...this.applied] };
    this.node.snapshotCreated(meta);
    return meta;
  }

  /** Memory and disk forget the log up to `index`, which a checkpoint covers. */
  compact(index: Index): void {
    const { disk } = this;
    assert(disk.checkpoint !== null && index <= disk.checkpoint.meta.index);
    this.node.compacted(index);
    if (index <= disk.baseIndex) return;
    disk.baseTerm = disk.entries[index - disk.baseIndex - 1]!.term;
    disk.entries = disk.entries.slice(index - disk.baseIndex);
    disk.baseIndex = index;
  }

  /** Steps a message; a snapshot's content came with it. */
  step(message: Message, content: Checkpoint | null): number {
    if (message.type === MessageType.InstallSnapshot && content !== null) {
      this.staged.set(content.meta.checkpointId, content);
    }
    return this.node.step(message);
  }

  check(): void {
    this.#look = checkInvariants(this.node, this.#look);
  }
}
