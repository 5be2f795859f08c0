// Makes the next segment ahead of need: zeroed, synced, its header synced, its directory synced,
// named by the manifest, and only then handed out (P8). Zeros go in slices that are paid for by
// the bytes appended and by ticks, so that preparing 64 MiB never stands in an append's way.
import { assert } from "@quorate/base";
import type { DiskError, DiskFile, Env } from "../env.ts";
import type { ManifestApi } from "../manifest/manifest-api.ts";
import type { WalIdentity } from "./batch-header.ts";
import { Segment, segmentName } from "./segment.ts";
import { encodeSegmentHeader } from "./segment-header.ts";
import { firstBatchOffset } from "./wal-format.ts";
import { failWal } from "./wal-failure.ts";

const sliceBytes = 262_144;
/** Unsynced zeros at most: the last sync of a segment must not take the disk for long. */
const unsyncedBytesMax = 4_194_304;
/** Zeros per appended byte: the next segment is ready when half of this one is written. */
const zerosPerByte = 2;
const nonceBelow = Number.MAX_SAFE_INTEGER;

const zeros = new Uint8Array(sliceBytes);

export interface SegmentSetting {
  readonly directory: string;
  readonly identity: WalIdentity;
  readonly manifest: ManifestApi;
  readonly segmentBytes: number;
}

/** A segment file no longer named, whose blocks the next segment may use under a new nonce. */
export interface SpareFile {
  readonly path: string;
  readonly bytes: number;
}

export class SegmentPreparer {
  #env: Env;
  #setting: SegmentSetting;
  #ready: (segment: Segment) => void;
  /** What is being made; null: nothing. */
  #segment: Segment | null;
  #previousNonce: number;
  /** Zeroed up to here. */
  #filled: number;
  #synced: number;
  /** Bytes of zeros that may be written now. */
  #credit: number;
  /** An append waits: fill at full speed, and lack of space is fatal. */
  #hurry: boolean;
  /** An operation is under way. */
  #busy: boolean;
  /** Lack of space stopped it; a tick tries again. */
  #starved: boolean;
  #stopped: (() => void) | null;

  constructor(env: Env, setting: SegmentSetting, ready: (segment: Segment) => void) {
    this.#env = env;
    this.#setting = setting;
    this.#ready = ready;
    this.#segment = null;
    this.#previousNonce = 0;
    this.#filled = 0;
    this.#synced = 0;
    this.#credit = 0;
    this.#hurry = false;
    this.#busy = false;
    this.#starved = false;
    this.#stopped = null;
  }

  get preparing(): boolean {
    return this.#segment !== null;
  }

  start(id: number, previousNonce: number, spare: SpareFile | null): void {
    assert(this.#segment === null && !this.#busy, "wal: two segments are being prepared");
    const { directory, segmentBytes } = this.#setting;
    const nonce = 1 + this.#env.random.below(nonceBelow);
    const path = `${directory}/${segmentName(id)}`;
    this.#segment = new Segment(id, nonce, segmentBytes, path, null);
    this.#previousNonce = previousNonce;
    this.#filled = firstBatchOffset;
    this.#synced = firstBatchOffset;
    this.#credit = 0;
    this.#hurry = false;
    if (spare === null || spare.bytes !== segmentBytes) this.#advance();
    else this.#recycle(spare, path);
  }

  /** So many bytes were appended. */
  pay(bytes: number): void {
    if (this.#segment === null) return;
    this.#credit += bytes * zerosPerByte;
    this.#advance();
  }

  tick(): void {
    if (this.#segment === null) return;
    this.#starved = false;
    this.#credit = Math.max(this.#credit, sliceBytes);
    this.#advance();
  }

  /** An append waits for this segment. */
  hurry(): void {
    this.#hurry = true;
    this.#starved = false;
    this.#advance();
  }

  /** No operation starts any more; `done` when none is under way. */
  stop(done: () => void): void {
    this.#stopped = done;
    if (!this.#busy) done();
  }

  /** Stale batches stay in the file: they do not check under the new nonce. */
  #recycle(spare: SpareFile, path: string): void {
    this.#filled = spare.bytes;
    this.#synced = spare.bytes;
    this.#busy = true;
    this.#env.disk.rename(spare.path, path, (error) => {
      if (error !== null) {
        // Recovery removes the spare some day; this segment becomes a new file.
        this.#filled = firstBatchOffset;
        this.#synced = firstBatchOffset;
      }
      this.#next(error);
    });
  }

  #next(error: DiskError | null): void {
    this.#busy = false;
    if (error !== null) this.#refused(error);
    if (this.#stopped !== null) this.#stopped();
    else this.#advance();
  }

  /** Lack of space may pass while the present segment has room; anything else is the end. */
  #refused(error: DiskError): void {
    const space = error.code === "ENOSPC" || error.code === "EDQUOT";
    if (!space || this.#hurry) failWal(this.#env, error);
    this.#starved = true;
    this.#env.trace.warn("wal.segment.nospace", { path: error.path, code: error.code });
  }

  #advance(): void {
    const segment = this.#segment;
    if (segment === null || this.#busy || this.#starved || this.#stopped !== null) return;
    const file = segment.file ?? this.#open(segment);
    if (file === null) return;
    if (this.#filled < segment.bytes) this.#fill(segment, file);
    else if (this.#synced < segment.bytes) this.#sync(file);
    else this.#finish(segment, file);
  }

  #open(segment: Segment): DiskFile | null {
    const create = this.#env.disk.sizeNow(segment.path) === null;
    const opened = this.#env.disk.openNow(segment.path, create);
    if ("code" in opened) {
      this.#refused(opened);
      return null;
    }
    segment.file = opened;
    return opened;
  }

  #fill(segment: Segment, file: DiskFile): void {
    if (this.#filled - this.#synced >= unsyncedBytesMax) {
      this.#sync(file);
      return;
    }
    if (this.#credit <= 0 && !this.#hurry) return;
    const bytes = Math.min(sliceBytes, segment.bytes - this.#filled);
    this.#busy = true;
    file.write(this.#filled, zeros.subarray(0, bytes), (error) => {
      if (error === null) {
        this.#filled += bytes;
        this.#credit -= bytes;
      }
      this.#next(error);
    });
  }

  #sync(file: DiskFile): void {
    const upTo = this.#filled;
    this.#busy = true;
    file.sync((error) => {
      // A failed sync of zeros may have lost them: only the end of the process is safe.
      if (error !== null) failWal(this.#env, error);
      this.#synced = upTo;
      this.#next(null);
    });
  }

  /** The header comes after the synced zeros: a header that checks proves the file is whole. */
  #finish(segment: Segment, file: DiskFile): void {
    const { directory, identity, manifest } = this.#setting;
    const fail = (error: DiskError): never => failWal(this.#env, error);
    const { id, nonce, bytes } = segment;
    const block = encodeSegmentHeader(identity, {
      id,
      nonce,
      previousNonce: this.#previousNonce,
      segmentBytes: bytes,
    });
    this.#busy = true;
    const named = (): void => {
      this.#env.trace.mark("wal.segment.named");
      this.#segment = null;
      this.#busy = false;
      if (this.#stopped !== null) this.#stopped();
      // Its taker may start the next one at once.
      else this.#ready(segment);
    };
    const name = (error: DiskError | null): void => {
      if (error !== null) fail(error);
      this.#env.trace.mark("wal.segment.made");
      manifest.change(
        (state) => ({ ...state, walSegments: [...state.walSegments, { id, nonce, bytes }] }),
        named,
      );
    };
    const syncName = (error: DiskError | null): void => {
      if (error !== null) fail(error);
      this.#env.disk.syncDirectory(directory, name);
    };
    file.write(0, block, (error) => {
      if (error !== null) fail(error);
      file.sync(syncName);
    });
  }
}
