// Makes the rows appended so far and the tables a durable checkpoint, in P9's order: row segments,
// tables, directory, manifest copy one, copy two; only then may go what the manifest named before.
// Never above the locally durable index. Bytes go out in bounded pieces, one at a time.
import { assert, crc32c, must } from "@quorate/base";
import { tablesName } from "../directory/layout.ts";
import type { DiskFile } from "../env.ts";
import type { ManifestApi, ManifestState, RowSegmentEntry } from "../manifest/manifest-api.ts";
import { writeBytesMax } from "../medium.ts";
import type { Medium } from "../medium.ts";
import type { Capture, CapturedSegment, RowLog } from "../rows/row-log.ts";
import type { HeldFiles } from "../snapshot/held-files.ts";
import type { CheckpointInfo, CheckpointRequest, PeerRecord } from "../storage-api.ts";
import type { WalApi } from "../wal/wal-api.ts";
import { encodePeers, encodeTables } from "./tables-file.ts";

export interface CheckpointerParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly rows: RowLog;
  readonly manifest: ManifestApi;
  readonly wal: WalApi;
  readonly held: HeldFiles;
  /** Calls back once the log is durable up to the index; at once if it is. */
  readonly whenDurable: (index: number, reached: () => void) => void;
}

/** The checkpoint in force, and what a snapshot of it carries of its tables file. */
export class CheckpointInForce {
  readonly info: CheckpointInfo;
  readonly sharedBytes: number;
  readonly sharedCrc: number;

  constructor(info: CheckpointInfo, sharedBytes: number, sharedCrc: number) {
    this.info = info;
    this.sharedBytes = sharedBytes;
    this.sharedCrc = sharedCrc;
  }
}

/** Synced at least this often, so that no single flush holds the disk against the log's. */
const unsyncedBytesMax = 8_388_608;

/** A piece of a file, in order. */
interface Piece {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #running: boolean;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#running = false;
  }

  get running(): boolean {
    return this.#running;
  }

  start(
    request: CheckpointRequest,
    peers: readonly PeerRecord[],
    done: (checkpoint: CheckpointInForce) => void,
  ): void {
    assert(!this.#running, "one checkpoint at a time");
    assert(request.keepLogFrom <= request.index, "the log is kept from the checkpoint or below");
    const before = this.#parts.manifest.state.checkpoint;
    assert(before === null || request.index >= before.index, "checkpoints do not go back");
    this.#running = true;
    const { index, term, tables } = request;
    const info = { id: this.#parts.rows.newTag(), index, term, tables };
    const run = new CheckpointRun(this.#parts, info, peers);
    this.#parts.whenDurable(index, () => {
      run.write((checkpoint) => {
        this.#running = false;
        if (request.keepLogFrom > 0) this.#parts.wal.dropBelow(request.keepLogFrom);
        done(checkpoint);
      });
    });
  }
}

class CheckpointRun {
  readonly #parts: CheckpointerParts;
  readonly #info: CheckpointInfo;
  readonly #capture: Capture;
  readonly #shared: Uint8Array;
  readonly #peers: Uint8Array;
  readonly #tablesName: string;
  /** Of the captured segments written so far. */
  readonly #crcs: number[];
  /** Of the tables file: the part that snapshots carry, and all of it. */
  #sharedCrc: number;
  #tablesCrc: number;

  constructor(parts: CheckpointerParts, info: CheckpointInfo, peers: readonly PeerRecord[]) {
    this.#parts = parts;
    this.#info = info;
    this.#capture = parts.rows.capture();
    this.#shared = encodeTables(info);
    this.#peers = encodePeers(info.index, peers);
    this.#tablesName = tablesName(parts.rows.newTag());
    this.#crcs = [];
    this.#sharedCrc = 0;
    this.#tablesCrc = 0;
  }

  write(done: (checkpoint: CheckpointInForce) => void): void {
    const { medium, wal, directory } = this.#parts;
    this.#writeSegments(0, () => {
      medium.env.trace.mark("checkpoint.segments");
      this.#writeTables(() => {
        wal.copyDurableSeq(() => {
          medium.syncDirectory(directory, () => {
            medium.env.trace.mark("checkpoint.synced");
            this.#putInForce(done);
          });
        });
      });
    });
  }

  #writeSegments(place: number, done: () => void): void {
    const captured = this.#capture.segments[place];
    if (captured === undefined) return done();
    const crcBefore = captured.segment.crc;
    const next = (crc: number): void => {
      this.#crcs.push(crc);
      this.#writeSegments(place + 1, done);
    };
    if (captured.from === captured.to) return next(crcBefore);
    const { medium, directory } = this.#parts;
    const path = `${directory}/${captured.segment.name}`;
    const file = captured.from === 0 ? medium.create(path) : medium.open(path);
    writePieces(medium, file, piecesOf(captured), crcBefore, (crc) =>
      closeSynced(medium, file, () => next(crc)),
    );
  }

  #writeTables(done: () => void): void {
    const { medium, directory } = this.#parts;
    const file = medium.create(`${directory}/${this.#tablesName}`);
    writePieces(medium, file, slices(0, this.#shared), 0, (sharedCrc) => {
      const peers = slices(this.#shared.length, this.#peers);
      writePieces(medium, file, peers, sharedCrc, (tablesCrc) => {
        this.#sharedCrc = sharedCrc;
        this.#tablesCrc = tablesCrc;
        closeSynced(medium, file, done);
      });
    });
  }

  #putInForce(done: (checkpoint: CheckpointInForce) => void): void {
    const { manifest, medium, rows, held } = this.#parts;
    const before = manifest.state.checkpoint;
    manifest.change(
      (state) => this.#edited(state),
      () => {
        medium.env.trace.mark("checkpoint.in-force");
        rows.captureSaved(this.#capture, this.#crcs);
        if (before !== null) held.discard(before.tablesName);
        done(new CheckpointInForce(this.#info, this.#shared.length, this.#sharedCrc));
      },
    );
  }

  #edited(state: ManifestState): ManifestState {
    const rowSegments = state.rowSegments.slice();
    this.#capture.segments.forEach((captured, place) => {
      const entry = entryOf(captured, must(this.#crcs[place], "every segment has a CRC"));
      const at = rowSegments.findIndex((segment) => segment.name === entry.name);
      if (at < 0) rowSegments.push(entry);
      else rowSegments[at] = entry;
    });
    const { id, index, term } = this.#info;
    const checkpoint = {
      id,
      index,
      term,
      tablesName: this.#tablesName,
      tablesBytes: this.#shared.length + this.#peers.length,
      tablesCrc: this.#tablesCrc,
      durableSeq: this.#parts.wal.durableSeq,
    };
    return { ...state, rowSegments, checkpoint };
  }
}

function entryOf(captured: CapturedSegment, crc: number): RowSegmentEntry {
  const { segment, to, sealed } = captured;
  return {
    name: segment.name,
    nonce: segment.nonce,
    originRaftId: segment.originRaftId,
    bytes: to,
    crc,
    sealed,
    firstMain: segment.firstMain,
  };
}

function piecesOf(captured: CapturedSegment): Piece[] {
  const pieces: Piece[] = [];
  for (const chunk of captured.chunks) {
    pieces.push(...slices(chunk.offset, chunk.block.bytes.subarray(0, chunk.used)));
  }
  return pieces;
}

function slices(position: number, bytes: Uint8Array): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += writeBytesMax) {
    const end = Math.min(at + writeBytesMax, bytes.length);
    pieces.push({ position: position + at, bytes: bytes.subarray(at, end) });
  }
  return pieces;
}

/** Writes the pieces one after the other; `done` gets the CRC32C continued over them. */
function writePieces(
  medium: Medium,
  file: DiskFile,
  pieces: readonly Piece[],
  crcBefore: number,
  done: (crc: number) => void,
): void {
  let crc = crcBefore;
  let unsyncedBytes = 0;
  const next = (place: number): void => {
    const piece = pieces[place];
    if (piece === undefined) return done(crc);
    const written = (): void => {
      unsyncedBytes += piece.bytes.length;
      if (unsyncedBytes < unsyncedBytesMax) return next(place + 1);
      unsyncedBytes = 0;
      medium.sync(file, () => next(place + 1));
    };
    crc = crc32c(piece.bytes, 0, piece.bytes.length, crc);
    medium.write(file, piece.position, piece.bytes, written);
  };
  next(0);
}

function closeSynced(medium: Medium, file: DiskFile, done: () => void): void {
  medium.sync(file, () => {
    file.close();
    done();
  });
}
