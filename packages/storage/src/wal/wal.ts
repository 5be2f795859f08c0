// The write-ahead log while it runs: gives each batch its number, place and header, and keeps the
// promises of wal-api.ts. It keeps no entries. What was on the disk before is recovery's business.
//
// Sketch per batch of n entries: one write of whole blocks, a share of one fdatasync, one flight and
// one buffer (both reused), one copy and one checksum pass of each payload, no object per entry.
import { assert, Ring } from "@quorate/base";
import { HardState } from "@quorate/raft";
import type { Entry, Index, LogPoint, NodeId, Term } from "@quorate/raft";
import type { DiskError, Env } from "../env.ts";
import type { PeerRecord, WalAppend } from "../storage-api.ts";
import { BatchHeader, beginBatchHeader, lastEntryIndex, sealBatchHeader } from "./batch-header.ts";
import { writeEntryRecord, writePeerRecord, writeVoidMarkRecord } from "./batch-payload.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { DurableFile } from "./durable-file.ts";
import type { GappedLog } from "./gapped-log.ts";
import type { Segment } from "./segment.ts";
import type { SegmentSetting } from "./segment-preparer.ts";
import { SegmentStore } from "./segment-store.ts";
import { walAppendsInFlightMax } from "./wal-api.ts";
import type { SealedSegment, WalApi, WalMark, WalOptions, WalUsage } from "./wal-api.ts";
import { failWal } from "./wal-failure.ts";
import {
  batchHeaderBytes,
  BatchKind,
  blockBytes,
  entryRecordOverheadMax,
  firstBatchOffset,
  peerRecordBytes,
  voidMarkRecordBytes,
} from "./wal-format.ts";

/** A request for one batch; it becomes several when its entries do not fit into one. */
interface Request {
  readonly kind: BatchKind;
  readonly hardState: HardState;
  readonly firstIndex: Index;
  entries: readonly Entry[];
  peers: readonly PeerRecord[];
  readonly voidMarks: readonly number[];
  readonly mark: WalMark | null;
  readonly mustSync: boolean;
  /** Null: its entries end the log. */
  readonly repair: Repair | null;
  readonly done: () => void;
  /** Entries already written. */
  written: number;
}

/** How entries go into a log that lacks some. */
interface Repair {
  /** End of the log before them. */
  readonly end: LogPoint;
  /** From here on they end the log all the same; 0: nowhere. */
  readonly conflict: Index;
}

/** Where recovery left the log. */
export interface WalStart {
  readonly setting: SegmentSetting;
  readonly options: WalOptions;
  readonly bootCount: number;
  readonly segments: Segment[];
  /** −1: a new directory, whose first segment is made first. */
  readonly currentAt: number;
  /** Of the next batch in the current segment. */
  readonly offset: number;
  /** Of the last batch on disk; null in a new directory. Its claim of the log's end may differ. */
  readonly lastHeader: BatchHeader | null;
  readonly last: LogPoint;
  /** The log's terms, when entries are lost; null: none is. */
  readonly gapped: GappedLog<LogPoint> | null;
  readonly hardState: HardState;
  readonly peers: readonly PeerRecord[];
  readonly durableFile: DurableFile;
}

/** No batch is larger, so that the encoding buffers stay small; one entry may be. */
const batchBytesMax = 8_388_608;

const noEntries: readonly Entry[] = [];
const noPeers: readonly PeerRecord[] = [];

export class Wal implements WalApi {
  #env: Env;
  #setting: SegmentSetting;
  #options: WalOptions;
  #store: SegmentStore;
  #queue: CommitQueue;
  #durableFile: DurableFile;
  /** Requests that wait for the next segment, in order. */
  #waiting: Ring<Request>;
  /** As written so far. */
  #peers: Map<NodeId, PeerRecord>;
  /** Next write position in the current segment. */
  #offset: number;
  /** Reused; after a write it is the header of the newest batch. */
  #header: BatchHeader;
  #lastIndex: Index;
  #lastTerm: Term;
  /** The log by its terms as long as entries are lost; null: none is. */
  #gapped: GappedLog<LogPoint> | null;
  /** Of the batch before. Its commit index is about known entries; what was promised may be above. */
  #hardState: HardState;
  /** A checkpoint of at least this index must be in force before entries follow (P9); 0: none. */
  #markIndex: Index;
  /** Something was appended since the last tick. */
  #active: boolean;
  #idleSinceMs: number;
  #batches: number;
  #bytesWritten: number;
  #closing: (() => void) | null;
  #sealing: boolean;

  constructor(env: Env, start: WalStart) {
    const fail = (error: DiskError): never => failWal(env, error);
    const { setting, segments, currentAt } = start;
    this.#env = env;
    this.#setting = setting;
    this.#options = start.options;
    this.#store = new SegmentStore(env, setting, segments, currentAt, () => this.#resume());
    this.#queue = new CommitQueue(start.lastHeader?.seq ?? 0, fail, () => this.#drained());
    this.#durableFile = start.durableFile;
    this.#waiting = new Ring(walAppendsInFlightMax);
    this.#peers = new Map();
    for (const peer of start.peers) this.#peers.set(peer.raftId, peer);
    this.#offset = start.offset;
    this.#header = new BatchHeader();
    this.#header.clusterId = setting.identity.clusterId;
    this.#header.raftId = setting.identity.raftId;
    this.#header.bootCount = start.bootCount;
    this.#header.seq = start.lastHeader?.seq ?? 0;
    this.#header.crc = start.lastHeader?.crc ?? 0;
    this.#header.lastIndex = start.lastHeader?.lastIndex ?? 0;
    this.#header.lastTerm = start.lastHeader?.lastTerm ?? 0;
    this.#lastIndex = start.last.index;
    this.#lastTerm = start.last.term;
    this.#gapped = start.gapped;
    this.#header.commit = start.hardState.commit;
    this.#hardState = this.#known(start.hardState);
    this.#markIndex = 0;
    this.#active = true;
    this.#idleSinceMs = 0;
    this.#batches = 0;
    this.#bytesWritten = 0;
    this.#closing = null;
    this.#sealing = false;
    this.#store.prepare();
  }

  get durableSeq(): number {
    return this.#queue.durableSeq;
  }

  get appendsInFlight(): number {
    return this.#queue.inFlight + this.#waiting.size;
  }

  get lastIndex(): Index {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#lastTerm;
  }

  get denseIndex(): Index {
    return this.#gapped?.denseIndex ?? this.#lastIndex;
  }

  append(batch: WalAppend, done: () => void): void {
    this.#checkAppend(batch);
    const { hardState, firstIndex, entries, peers, mustSync } = batch;
    const repair = this.#take(entries);
    // Alone, a hard state may know of a snapshot whose mark has not come yet.
    const known = entries.length === 0 || hardState.commit <= this.#lastIndex;
    assert(known, "wal: commit above the log");
    this.#hardState = hardState;
    this.#put({
      kind: repair === null ? BatchKind.Append : BatchKind.Repair,
      hardState: entries.length === 0 ? this.#known(hardState) : hardState,
      firstIndex,
      entries,
      peers,
      voidMarks: [],
      mark: null,
      mustSync,
      repair,
      done,
      written: 0,
    });
  }

  /** The log's end moves; but where entries are lost, it may stay. */
  #take(entries: readonly Entry[]): Repair | null {
    const last = entries.at(-1);
    const gapped = this.#gapped;
    if (last === undefined) return null;
    if (gapped === null) {
      this.#lastIndex = last.index;
      this.#lastTerm = last.term;
      return null;
    }
    const end = { index: this.#lastIndex, term: this.#lastTerm };
    const conflict = gapped.repair(entries.map(({ index, term }) => ({ index, term })));
    this.#follow(gapped);
    return { end, conflict };
  }

  #follow(gapped: GappedLog<LogPoint>): void {
    this.#lastIndex = gapped.lastIndex;
    this.#lastTerm = gapped.lastTerm;
    this.#gapped = gapped.missing > 0 ? gapped : null;
  }

  /** Behind a lost entry nothing is said to be committed that was not before: it may be another's. */
  #known(hardState: HardState): HardState {
    if (this.#gapped === null) return hardState;
    const { term, vote, commit } = hardState;
    return new HardState(term, vote, Math.min(commit, this.denseIndex));
  }

  #checkAppend(batch: WalAppend): void {
    const { firstIndex, entries } = batch;
    assert(this.#closing === null, "wal: append after close");
    this.#checkHardState(batch.hardState);
    if (entries.length === 0) {
      assert(firstIndex === 0, "wal: a first index without entries");
      return;
    }
    assert(firstIndex <= this.denseIndex + 1, "wal: a gap in the log");
    assert(firstIndex > this.#hardState.commit, "wal: a committed entry would be overwritten");
    assert(entries[0]!.index === firstIndex, "wal: the first entry is another one");
    assert(entries.at(-1)!.index === firstIndex + entries.length - 1, "wal: entries not dense");
    if (this.#markIndex === 0) return;
    const inForce = this.#setting.manifest.state.checkpoint?.index ?? 0;
    assert(inForce >= this.#markIndex, "wal: entries behind a mark that is not in force yet");
    this.#markIndex = 0;
  }

  #checkHardState(next: HardState): void {
    const last = this.#hardState;
    assert(next.term >= last.term, "wal: the term goes back");
    assert(next.commit >= last.commit, "wal: the commit index goes back");
    const revoted = next.term === last.term && last.vote !== 0 && next.vote !== last.vote;
    assert(!revoted, "wal: a second vote in one term");
  }

  snapshotMark(mark: WalMark, done: () => void): void {
    assert(this.#closing === null, "wal: mark after close");
    this.#checkHardState(mark.hardState);
    assert(mark.hardState.commit >= mark.index, "wal: a mark above its commit index");
    assert(mark.checkpointId !== 0, "wal: a mark without a checkpoint");
    if (mark.keepsLog) {
      assert(mark.index <= this.#lastIndex, "wal: a log is kept that ends below the mark");
    }
    this.#hardState = mark.hardState;
    this.#markIndex = mark.index;
    if (this.#gapped !== null) {
      this.#follow(this.#gapped.restart(mark.index, mark.term));
      const keepsLog = this.#lastIndex > mark.index;
      this.#put(this.#request(BatchKind.SnapshotMark, { ...mark, keepsLog }, done));
      return;
    }
    if (!mark.keepsLog) {
      this.#lastIndex = mark.index;
      this.#lastTerm = mark.term;
    }
    this.#put(this.#request(BatchKind.SnapshotMark, mark, done));
  }

  /**
   * First batch of a start: what recovery settled becomes durable before anything is promised.
   * `restartedAt`: recovery let the log restart there, as behind a mark.
   */
  boot(voidMarks: readonly number[], restartedAt: LogPoint | null, done: () => void): void {
    const hardState = this.#hardState;
    const mark =
      restartedAt === null ? null : { ...restartedAt, checkpointId: 0, hardState, keepsLog: false };
    this.#put({ ...this.#request(BatchKind.Boot, mark, done), voidMarks });
  }

  #request(kind: BatchKind, mark: WalMark | null, done: () => void): Request {
    return {
      kind,
      hardState: this.#known(this.#hardState),
      firstIndex: 0,
      entries: noEntries,
      peers: noPeers,
      voidMarks: [],
      mark,
      mustSync: true,
      repair: null,
      done,
      written: 0,
    };
  }

  tick(nowMs: number): void {
    this.#store.tick();
    if (this.#active || this.appendsInFlight > 0) {
      this.#active = false;
      this.#idleSinceMs = nowMs;
      return;
    }
    if (nowMs - this.#idleSinceMs >= this.#options.sealIdleMs) this.#seal(() => {});
  }

  /** Says on the log, and then in the second file, that everything up to here is durable. */
  #seal(done: () => void): void {
    if (this.#header.kind === BatchKind.Seal || this.#batches === 0) {
      this.#env.schedule(done);
      return;
    }
    this.#put(this.#request(BatchKind.Seal, null, () => this.copyDurableSeq(done)));
  }

  copyDurableSeq(done: () => void): void {
    this.#durableFile.write(this.durableSeq, done);
  }

  dropBelow(index: Index, done: () => void = () => {}): void {
    this.#store.dropBelow(index, this.durableSeq, done);
  }

  peers(): readonly PeerRecord[] {
    return [...this.#peers.values()];
  }

  peer(raftId: NodeId): PeerRecord | null {
    return this.#peers.get(raftId) ?? null;
  }

  sealedSegments(): readonly SealedSegment[] {
    return this.#store.sealed(this.durableSeq);
  }

  usage(): WalUsage {
    return {
      segments: this.#store.count,
      bytes: this.#store.bytes,
      batches: this.#batches,
      syncs: this.#queue.syncs,
      bytesWritten: this.#bytesWritten,
    };
  }

  close(done: () => void): void {
    assert(this.#closing === null, "wal: closed twice");
    this.#closing = done;
    if (this.appendsInFlight === 0) this.#drained();
  }

  /** Nothing is in flight any more. */
  #drained(): void {
    const done = this.#closing;
    if (done === null || this.#sealing || this.appendsInFlight > 0) return;
    this.#sealing = true;
    const closeFiles = (): void => {
      this.#durableFile.close();
      done();
    };
    // The copy also waits for one that is being written.
    this.#seal(() => this.copyDurableSeq(() => this.#store.close(closeFiles)));
  }

  // ---- placing and writing -----------------------------------------------------------------------

  #put(request: Request): void {
    this.#active = true;
    if (this.#waiting.size === 0 && this.#place(request)) return;
    // The caller may reuse its arrays once append has returned.
    request.entries = request.entries.slice();
    request.peers = request.peers.slice();
    assert(this.#waiting.push(request), "wal: more appends in flight than allowed");
  }

  /** A segment has become ready. */
  #resume(): void {
    while (this.#waiting.size > 0) {
      if (!this.#place(this.#waiting.at(0))) return;
      this.#waiting.shift();
    }
  }

  /** Writes what is left of a request; false when the next segment is needed and not ready. */
  #place(request: Request): boolean {
    do {
      const from = request.written;
      const fixed = this.#fixedBytes(request, from === 0);
      const to = this.#piece(request, from, fixed);
      if (!this.#makeRoom(fixed + entriesBytes(request.entries, from, to))) return false;
      this.#write(request, from, to);
      request.written = to;
    } while (request.written < request.entries.length);
    return true;
  }

  /** Room for everything but entries, at most: any batch may be the first of its segment. */
  #fixedBytes(request: Request, first: boolean): number {
    const peers = (first ? 2 * request.peers.length : 0) + this.#peers.size;
    return (
      batchHeaderBytes + peers * peerRecordBytes + request.voidMarks.length * voidMarkRecordBytes
    );
  }

  /** How far the entries fit into one batch. */
  #piece(request: Request, from: number, fixed: number): number {
    const { entries } = request;
    const capacity = this.#options.segmentBytes - firstBatchOffset;
    let bytes = fixed;
    let to = from;
    while (to < entries.length) {
      bytes += entries[to]!.payload.length + entryRecordOverheadMax;
      if (to > from && bytes > Math.min(capacity, batchBytesMax)) break;
      assert(bytes <= capacity, "wal: an entry larger than a segment");
      to++;
    }
    return to;
  }

  #makeRoom(bytes: number): boolean {
    if (this.#store.hasCurrent && this.#offset + bytes <= this.#store.current.bytes) return true;
    if (!this.#store.hasNext) {
      this.#store.hurry();
      return false;
    }
    const segment = this.#store.advance();
    this.#offset = firstBatchOffset;
    assert(this.#offset + bytes <= segment.bytes, "wal: a batch larger than a segment");
    return true;
  }

  #write(request: Request, from: number, to: number): void {
    const segment = this.#store.current;
    const flight = this.#queue.take();
    const { writer } = flight;
    const { entries } = request;
    const last = to === entries.length;
    for (const peer of request.peers) this.#peers.set(peer.raftId, peer);
    const peers = this.#peersOf(request, from === 0, segment);
    const header = this.#nextHeader(request, segment, from, to);
    header.records = to - from + peers.length + request.voidMarks.length;
    beginBatchHeader(writer, header);
    let running = segment.seed;
    for (const peer of peers) running = writePeerRecord(writer, peer, running);
    for (const seq of request.voidMarks) running = writeVoidMarkRecord(writer, seq, running);
    for (let i = from; i < to; i++) running = writeEntryRecord(writer, entries[i]!, running);
    sealBatchHeader(writer, header, running, segment.seed);
    writer.pad(blockBytes);
    segment.noteBatch(header.seq, Math.max(header.markIndex, lastEntryIndex(header)));
    flight.seq = header.seq;
    flight.segment = segment;
    flight.offset = this.#offset;
    flight.mustSync = last && request.mustSync;
    flight.done = last ? request.done : null;
    const bytes = writer.length;
    this.#offset += bytes;
    this.#batches++;
    this.#bytesWritten += bytes;
    this.#queue.submit(flight);
    this.#store.pay(bytes);
  }

  /** The first batch of a segment repeats every peer, so that older segments may go. */
  #peersOf(request: Request, first: boolean, segment: Segment): readonly PeerRecord[] {
    if (segment.firstSeq === 0) return [...this.#peers.values()];
    return first ? request.peers : noPeers;
  }

  #nextHeader(request: Request, segment: Segment, from: number, to: number): BatchHeader {
    const h = this.#header;
    const { mark, hardState, entries } = request;
    let commitMax = Infinity;
    h.kind = request.kind;
    h.nonce = segment.nonce;
    h.offset = this.#offset;
    h.prevSeq = h.seq;
    h.prevLastIndex = h.lastIndex;
    h.prevLastTerm = h.lastTerm;
    h.prevChainCrc = h.crc;
    h.seq += 1;
    h.durableSeq = this.#queue.durableSeq;
    h.firstIndex = to > from ? request.firstIndex + from : 0;
    h.entries = to - from;
    h.markIndex = mark?.index ?? 0;
    h.markTerm = mark?.term ?? 0;
    h.markCheckpointId = mark?.checkpointId ?? 0;
    if (to > from) {
      const last = entries[to - 1]!;
      const { index, term } = endBehind(request.repair, last);
      h.lastIndex = index;
      h.lastTerm = term;
      commitMax = Math.min(last.index, index);
    } else if (request.kind === BatchKind.Boot) {
      h.lastIndex = this.#lastIndex;
      h.lastTerm = this.#lastTerm;
    } else if (mark !== null && !mark.keepsLog) {
      h.lastIndex = mark.index;
      h.lastTerm = mark.term;
    }
    h.term = hardState.term;
    h.vote = hardState.vote;
    // Never of entries that are not on the log yet: in a later part, or behind a coming mark.
    // Recovery may know of a later one than the log has whole: it stays.
    h.commit = Math.max(h.commit, Math.min(hardState.commit, h.lastIndex, commitMax));
    h.wallMs = Math.max(0, Math.floor(this.#env.clock.wallMs()));
    return h;
  }
}

/** End of the log with the entries of a request up to `last`. */
function endBehind(repair: Repair | null, last: LogPoint): LogPoint {
  if (repair === null) return last;
  const { end, conflict } = repair;
  const isOver = last.index >= end.index || (conflict > 0 && last.index >= conflict);
  return isOver ? last : end;
}

/** At most what the records of these entries take. */
function entriesBytes(entries: readonly Entry[], from: number, to: number): number {
  let bytes = (to - from) * entryRecordOverheadMax;
  for (let i = from; i < to; i++) bytes += entries[i]!.payload.length;
  return bytes;
}
