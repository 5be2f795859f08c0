// The log as the batches tell it, in order: entries appended and voided, marks, hard states, peers.
// Decides at the end which marks and which checkpoint hold (P8, P9). Knows no files.
import type { Entry, Index, NodeId, Term } from "@quorate/raft";
import { HardState } from "@quorate/raft";
import type { PeerRecord } from "../storage-api.ts";
import type { BatchHeader } from "./batch-header.ts";
import type { BatchPayload } from "./batch-payload.ts";
import { BatchKind } from "./wal-format.ts";

/** The part of a checkpoint that the log must fit. */
export interface CheckpointPoint {
  readonly id: number;
  readonly index: Index;
  readonly term: Term;
}

/** A log: what lies just below it, and its entries. Term −1: unknown, its batch is gone. */
class Log {
  startIndex: Index;
  startTerm: Term;
  entries: Entry[];

  constructor(startIndex: Index, startTerm: Term) {
    this.startIndex = startIndex;
    this.startTerm = startTerm;
    this.entries = [];
  }

  get lastIndex(): Index {
    return this.startIndex + this.entries.length;
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.startTerm;
  }

  /** −1 when the index is outside or its term unknown. */
  termAt(index: Index): Term {
    if (index === this.startIndex) return this.startTerm;
    return this.entries[index - this.startIndex - 1]?.term ?? -1;
  }

  /** False: a gap. */
  append(firstIndex: Index, entries: readonly Entry[]): boolean {
    if (firstIndex > this.lastIndex + 1) return false;
    const kept = firstIndex - 1 - this.startIndex;
    if (kept < 0) {
      this.startIndex = firstIndex - 1;
      this.startTerm = -1;
    }
    this.entries.length = Math.max(kept, 0);
    for (const entry of entries) this.entries.push(entry);
    return true;
  }
}

/** A mark since the last boot batch: whether it came into force only the manifest knows. */
interface OpenMark {
  readonly seq: number;
  readonly header: BatchHeader;
  readonly before: Log;
  readonly commitBefore: Index;
}

export type Replayed =
  | {
      readonly ok: true;
      readonly hardState: HardState;
      readonly startIndex: Index;
      readonly startTerm: Term;
      readonly entries: readonly Entry[];
      readonly lastIndex: Index;
      readonly lastTerm: Term;
      /** For the boot batch: marks that never came into force. */
      readonly voidMarks: readonly number[];
      /** For the boot batch: the log restarts at the checkpoint because the WAL does not fit it. */
      readonly restarted: boolean;
    }
  | { readonly ok: false; readonly problem: LogProblem };

export type LogProblem =
  | { readonly what: "gap"; readonly seq: number; readonly firstIndex: Index; readonly last: Index }
  | { readonly what: "uncovered"; readonly startIndex: Index; readonly checkpoint: Index }
  | { readonly what: "commit"; readonly commit: Index; readonly last: Index };

export class LogReplay {
  /** Null before the first batch. */
  #log: Log | null;
  #hardState: HardState;
  /**
   * The newest commit index that is about this log. The one of a snapshot, told by its mark and by
   * hard states around it, is about the log that the snapshot makes: entries here at or below it
   * may be of another leader, and calling them committed would be wrong.
   */
  #commit: Index;
  #peers: Map<NodeId, PeerRecord>;
  #open: OpenMark[];
  /** Marks of earlier starts whose fate this one has read: seq → the log before it. */
  #closed: Map<number, Log>;
  #gap: LogProblem | null;

  constructor() {
    this.#log = null;
    this.#hardState = new HardState(0, 0, 0);
    this.#commit = 0;
    this.#peers = new Map();
    this.#open = [];
    this.#closed = new Map();
    this.#gap = null;
  }

  peers(): readonly PeerRecord[] {
    return [...this.#peers.values()];
  }

  apply(header: BatchHeader, payload: BatchPayload): void {
    const log = (this.#log ??= new Log(header.prevLastIndex, header.prevLastTerm));
    this.#hardState = new HardState(header.term, header.vote, header.commit);
    for (const peer of payload.peers) this.#peers.set(peer.raftId, peer);
    if (header.kind === BatchKind.SnapshotMark) {
      this.#open.push({ seq: header.seq, header, before: log, commitBefore: this.#commit });
      // A kept log says so by its end: the entry at the mark itself may be in a segment that has gone.
      const isKept = header.lastIndex > header.markIndex;
      if (!isKept) this.#log = restart(log, header.markIndex, header.markTerm);
    } else if (header.kind === BatchKind.Boot) {
      this.#boot(header, payload.voidMarks);
    } else if (header.entries > 0 && !log.append(header.firstIndex, payload.entries)) {
      const { seq, firstIndex } = header;
      this.#gap ??= { what: "gap", seq, firstIndex, last: log.lastIndex };
    }
    // Alone, a hard state may speak of a snapshot whose mark has not come yet.
    const alone = header.kind === BatchKind.Append && header.entries === 0;
    if (!alone || header.commit <= this.#log.lastIndex) this.#commit = header.commit;
  }

  /** What the start of then settled about everything before it. */
  #boot(header: BatchHeader, voidMarks: readonly number[]): void {
    for (const mark of this.#open) this.#closed.set(mark.seq, mark.before);
    this.#open = [];
    // Later void marks build on the first one.
    let log = this.#closed.get(voidMarks[0] ?? 0) ?? this.#log!;
    this.#closed.clear();
    if (header.markIndex > 0) log = restart(log, header.markIndex, header.markTerm);
    // The batches that the start of then knew the end from may be gone: believe what it wrote.
    const agrees = log.lastIndex === header.lastIndex && log.lastTerm === header.lastTerm;
    this.#log = agrees ? log : new Log(header.lastIndex, header.lastTerm);
  }

  finish(checkpoint: CheckpointPoint | null): Replayed {
    if (this.#gap !== null) return { ok: false, problem: this.#gap };
    const voidMarks = this.#voidMarks(checkpoint);
    let log = this.#log ?? new Log(0, 0);
    const coveredTo = checkpoint?.index ?? 0;
    if (log.startIndex > coveredTo) {
      const { startIndex } = log;
      return { ok: false, problem: { what: "uncovered", startIndex, checkpoint: coveredTo } };
    }
    let restarted = false;
    if (checkpoint !== null) {
      if (log.startIndex === coveredTo && log.startTerm < 0) log.startTerm = checkpoint.term;
      if (log.termAt(coveredTo) !== checkpoint.term) {
        log = new Log(coveredTo, checkpoint.term);
        restarted = true;
      }
    }
    dropUnknownStart(log);
    return this.#result(log, coveredTo, voidMarks, restarted);
  }

  /** The log falls back behind the first mark that is void; later ones build on it. */
  #voidMarks(checkpoint: CheckpointPoint | null): readonly number[] {
    const voided: number[] = [];
    for (const mark of this.#open) {
      // A checkpoint above the mark can only have been made after it came into force.
      const { markCheckpointId, markIndex } = mark.header;
      const inForce =
        checkpoint !== null &&
        (checkpoint.id === markCheckpointId || checkpoint.index >= markIndex);
      if (inForce) continue;
      if (voided.length === 0) {
        this.#log = mark.before;
        this.#commit = mark.commitBefore;
      }
      voided.push(mark.seq);
    }
    return voided;
  }

  #result(log: Log, coveredTo: Index, voidMarks: readonly number[], restarted: boolean): Replayed {
    const { term, vote } = this.#hardState;
    const { lastIndex, lastTerm } = log;
    const commit = Math.max(this.#commit, coveredTo);
    if (commit > lastIndex) {
      return { ok: false, problem: { what: "commit", commit, last: lastIndex } };
    }
    return {
      ok: true,
      hardState: new HardState(term, vote, commit),
      startIndex: log.startIndex,
      startTerm: log.startTerm,
      entries: log.entries,
      lastIndex,
      lastTerm,
      voidMarks,
      restarted,
    };
  }
}

/** Entries above are kept only if the log has this very entry (P8, P9); then it stays as it is. */
function restart(log: Log, index: Index, term: Term): Log {
  return log.termAt(index) === term ? log : new Log(index, term);
}

/** The term below the first entry is gone: the first entry takes the place of what is below. */
function dropUnknownStart(log: Log): void {
  if (log.startTerm >= 0) return;
  const first = log.entries.shift();
  if (first === undefined) return;
  log.startIndex = first.index;
  log.startTerm = first.term;
}
