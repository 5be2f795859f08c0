// The log as the batches tell it, in order: entries appended and voided, marks, hard states, peers.
// Decides at the end which marks and which checkpoint hold (P8, P9). Knows no files.
import type { Entry, Index, LogPoint, NodeId, Term } from "@quorate/raft";
import { HardState } from "@quorate/raft";
import type { PeerRecord } from "../storage-api.ts";
import { lastEntryIndex } from "./batch-header.ts";
import type { BatchHeader } from "./batch-header.ts";
import type { BatchPayload } from "./batch-payload.ts";
import { GappedLog } from "./gapped-log.ts";
import { BatchKind } from "./wal-format.ts";

/** The part of a checkpoint that the log must fit. */
export interface CheckpointPoint {
  readonly id: number;
  readonly index: Index;
  readonly term: Term;
}

type Log = GappedLog<Entry>;

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
      /** Dense; with lost entries, those below the first of them. */
      readonly entries: readonly Entry[];
      /** The whole of it, when entries are lost; null: none is. */
      readonly gapped: GappedLog<Entry> | null;
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
    for (const peer of payload.peers) this.#peers.set(peer.raftId, peer);
    const log = this.#begin(header);
    if (header.kind === BatchKind.Boot) {
      this.#boot(header, payload.voidMarks);
    } else if (header.entries > 0 && !take(log, header, payload.entries)) {
      this.#misfit(header, log);
    }
    this.#believe(header);
  }

  /** Only the header is left of it. What it said of peers is lost with the rest. */
  lose(header: BatchHeader): void {
    const log = this.#begin(header);
    const end = { index: header.lastIndex, term: header.lastTerm };
    if (header.kind === BatchKind.Boot) {
      // Which of the open marks it declared void is lost.
      if (this.#open.length > 0) this.#forget(end, true);
      else this.#boot(header, []);
    } else if (header.entries > 0) {
      const kept = log.lastIndex === end.index && log.lastTerm === end.term;
      const isHole = header.kind === BatchKind.Repair && kept;
      if (!isHole && !log.lose(header.firstIndex, end)) this.#misfit(header, log);
    }
    this.#believe(header);
  }

  /**
   * Batches are lost, headers and all, up to one that says where the log ended before it. They may
   * have cut the log off down to the commit index of the batch before them, but not below.
   * `booted`: one of them may have been a boot batch.
   */
  cross(end: LogPoint, booted: boolean, checkpoint: CheckpointPoint | null): void {
    if (this.#log !== null) {
      this.#forget(end, booted);
      return;
    }
    const { index, term } = checkpoint ?? { index: 0, term: 0 };
    this.#log = new GappedLog(Math.min(index, end.index), end.index <= index ? end.term : term);
    this.#log.forgetAbove(this.#log.startIndex, end);
  }

  #forget(end: LogPoint, booted: boolean): void {
    const mark = this.#open[0];
    if (booted && mark !== undefined) {
      // Whether it came into force is settled, and how is lost: what was committed before it holds.
      this.#log = mark.before;
      this.#commit = Math.min(this.#commit, mark.commitBefore);
      this.#open = [];
    }
    this.#log!.forgetAbove(this.#commit, end);
  }

  /** Header fields that say something whatever the kind. */
  #begin(header: BatchHeader): Log {
    const log = (this.#log ??= new GappedLog(header.prevLastIndex, header.prevLastTerm));
    this.#hardState = new HardState(header.term, header.vote, header.commit);
    if (header.kind !== BatchKind.SnapshotMark) return log;
    this.#open.push({ seq: header.seq, header, before: log, commitBefore: this.#commit });
    // A kept log says so by its end: the entry at the mark itself may be in a segment that has gone. Of
    // a log with a hole only what lies above the mark is kept, which is all when all begins above it.
    const reaches = log.missing === 0 || header.markIndex < log.startIndex;
    const isKept = reaches && header.lastIndex > header.markIndex;
    if (!isKept) this.#log = log.restart(header.markIndex, header.markTerm);
    return log;
  }

  #believe(header: BatchHeader): void {
    // Alone, a hard state may speak of a snapshot whose mark has not come yet.
    const alone = header.kind === BatchKind.Append && header.entries === 0;
    if (!alone || header.commit <= this.#log!.lastIndex) this.#commit = header.commit;
  }

  #misfit({ seq, firstIndex }: BatchHeader, log: Log): void {
    this.#gap ??= { what: "gap", seq, firstIndex, last: log.lastIndex };
  }

  /** What the start of then settled about everything before it. */
  #boot(header: BatchHeader, voidMarks: readonly number[]): void {
    for (const mark of this.#open) this.#closed.set(mark.seq, mark.before);
    this.#open = [];
    // Later void marks build on the first one.
    let log = this.#closed.get(voidMarks[0] ?? 0) ?? this.#log!;
    this.#closed.clear();
    if (header.markIndex > 0) log = log.restart(header.markIndex, header.markTerm);
    // The batches that the start of then knew the end from may be gone: believe what it wrote.
    const agrees = log.lastIndex === header.lastIndex && log.lastTerm === header.lastTerm;
    this.#log = agrees ? log : new GappedLog(header.lastIndex, header.lastTerm);
  }

  finish(checkpoint: CheckpointPoint | null): Replayed {
    if (this.#gap !== null) return { ok: false, problem: this.#gap };
    const voidMarks = this.#voidMarks(checkpoint);
    let log = this.#log ?? new GappedLog<Entry>(0, 0);
    const coveredTo = checkpoint?.index ?? 0;
    if (log.startIndex > coveredTo) {
      const { startIndex } = log;
      return { ok: false, problem: { what: "uncovered", startIndex, checkpoint: coveredTo } };
    }
    let restarted = false;
    if (checkpoint !== null) {
      if (log.startIndex === coveredTo && log.startTerm < 0) log.startTerm = checkpoint.term;
      const { lastIndex, lastTerm } = log;
      if (log.missing > 0 || log.termAt(coveredTo) !== checkpoint.term) {
        log = log.restart(coveredTo, checkpoint.term);
        restarted = log.lastIndex !== lastIndex || log.lastTerm !== lastTerm;
      }
    }
    log.dropUnknownStart();
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
      entries: log.dense(),
      gapped: log.missing > 0 ? log : null,
      lastIndex,
      lastTerm,
      voidMarks,
      restarted,
    };
  }
}

/** False: a gap. */
function take(log: Log, header: BatchHeader, entries: readonly Entry[]): boolean {
  const { kind, firstIndex, lastIndex } = header;
  const isEnd = lastIndex === firstIndex + entries.length - 1;
  // Of a log that ends there now, what stood below is in segments that have gone.
  const isCut = isEnd && firstIndex <= log.startIndex;
  if (kind !== BatchKind.Repair || isCut) return log.append(firstIndex, entries);
  if (firstIndex > log.lastIndex + 1) return false;
  log.repair(entries);
  // Its writer may have known less: bytes that could not be read then can be read now.
  const end = { index: lastIndex, term: header.lastTerm };
  const agrees = log.lastIndex === end.index && log.lastTerm === end.term;
  if (!agrees) log.forgetAbove(lastEntryIndex(header), end);
  return true;
}
