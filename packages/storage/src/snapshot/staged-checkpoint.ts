// A checkpoint on its way in. Its files stand under names that no manifest knows, so that nothing of
// the present state changes; whole ones outlive a transfer that is cut off (staging.ts). What a peer sent
// is checked, never asserted: lengths, CRCs, headers, tables.
import { assert, crc32c, must } from "@quorate/base";
import { decodeTables, encodePeers } from "../checkpoint/tables-file.ts";
import { rowsName, tablesName } from "../directory/layout.ts";
import { readWholeNow } from "../directory/record-file.ts";
import { DiskError } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { RowSegmentEntry } from "../manifest/manifest-api.ts";
import { padBytes } from "../medium.ts";
import type { Medium } from "../medium.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "../rows/segment-header.ts";
import { segmentBytesLimit } from "../rows/row-segment.ts";
import type { CheckpointInfo, PeerRecord, SnapshotFile, SnapshotSink } from "../storage-api.ts";
import type { Staging } from "./staging.ts";

/** More files than any sane checkpoint has; a peer that offers more is refused. */
const filesMax = 65_536;

export interface StagingParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly clusterId: string;
  readonly newTag: () => number;
  readonly staging: Staging;
}

/** What an earlier transfer has brought is verified so many bytes a turn. */
const verifyBytes = 1_048_576;

export class StagedFile {
  readonly name: string;
  /** By its owner. */
  readonly offeredAs: string;
  readonly bytes: number;
  readonly crc: number;

  /** Brought whole by an earlier transfer. */
  readonly held: boolean;

  constructor(name: string, offeredAs: string, bytes: number, crc: number, held: boolean) {
    this.name = name;
    this.offeredAs = offeredAs;
    this.held = held;
    this.bytes = bytes;
    this.crc = crc;
  }
}

export class StagedCheckpoint implements SnapshotSink {
  readonly #parts: StagingParts;
  readonly #checkpointId: number;
  readonly #files: readonly StagedFile[];
  /** What arrived does not match `#files`, or never could. */
  #bad: boolean;
  #place: number;
  #offset: number;
  #crc: number;
  #open: DiskFile | null;
  #writing: boolean;
  #abandoned: boolean;
  /** Being installed: its files are the manifest's, or the next start's to remove. */
  #taken: boolean;
  /** Set by a good `finish`. */
  #info: CheckpointInfo | null;
  #segments: RowSegmentEntry[];

  constructor(parts: StagingParts, files: readonly SnapshotFile[], checkpointId: number) {
    this.#parts = parts;
    this.#checkpointId = checkpointId;
    const held = parts.staging.take(files);
    this.#files = files.map(({ name: offeredAs, bytes, crc }, place) => {
      const found = held[place] ?? null;
      const make = place === files.length - 1 ? tablesName : rowsName;
      const name = found === null ? make(parts.newTag()) : found.name;
      return new StagedFile(name, offeredAs, bytes, crc, found !== null);
    });
    this.#bad = !plausible(files);
    this.#place = 0;
    this.#offset = 0;
    this.#crc = 0;
    this.#open = null;
    this.#writing = false;
    this.#abandoned = false;
    this.#taken = false;
    this.#info = null;
    this.#segments = [];
    this.#skipHeld();
  }

  holds(file: number): boolean {
    return this.#files[file]?.held ?? false;
  }

  #skipHeld(): void {
    while (this.holds(this.#place)) this.#place += 1;
  }

  get info(): CheckpointInfo | null {
    return this.#info;
  }

  /** Row segments as the manifest will name them; all sealed: this member begins its own. */
  get segments(): readonly RowSegmentEntry[] {
    return this.#segments;
  }

  get tables(): StagedFile {
    return must(this.#files.at(-1), "a snapshot has a tables file");
  }

  write(file: number, offset: number, bytes: Uint8Array, done: () => void): void {
    assert(!this.#writing && this.#info === null, "one write at a time, none after finish");
    const { medium } = this.#parts;
    const target = this.#files[this.#place];
    const fits =
      target !== undefined &&
      file === this.#place &&
      offset === this.#offset &&
      offset + bytes.length <= target.bytes;
    if (!fits) this.#bad = true;
    if (this.#bad || this.#abandoned || target === undefined) {
      medium.env.schedule(done);
      return;
    }
    const open = this.#open ?? this.#create(target);
    this.#writing = true;
    this.#crc = crc32c(bytes, 0, bytes.length, this.#crc);
    medium.write(open, offset, bytes, () => {
      this.#offset += bytes.length;
      if (this.#offset < target.bytes) return this.#written(done);
      medium.sync(open, () => {
        open.close();
        this.#open = null;
        if (this.#crc === target.crc) this.#parts.staging.whole(target);
        else this.#bad = true;
        this.#place += 1;
        this.#offset = 0;
        this.#crc = 0;
        this.#skipHeld();
        this.#written(done);
      });
    });
  }

  #written(done: () => void): void {
    this.#writing = false;
    if (this.#abandoned) this.#letGo();
    done();
  }

  #create(target: StagedFile): DiskFile {
    const file = this.#parts.medium.create(`${this.#parts.directory}/${target.name}`);
    this.#open = file;
    return file;
  }

  finish(done: (ok: boolean, checkpoint: CheckpointInfo | null) => void): void {
    assert(!this.#writing && this.#info === null, "finish comes once, after the last write");
    this.#writing = true;
    this.#verifyHeld(0, 0, 0, () => {
      this.#writing = false;
      this.#verified(done);
    });
  }

  /** What came now was checked as it came; what was here may have rotted since. */
  #verifyHeld(place: number, offset: number, crc: number, done: () => void): void {
    const target = this.#files[place];
    const { medium, directory } = this.#parts;
    if (target === undefined || this.#bad || this.#abandoned) return medium.env.schedule(done);
    if (!target.held) return this.#verifyHeld(place + 1, 0, 0, done);
    const bytes = new Uint8Array(Math.min(verifyBytes, target.bytes - offset));
    const file = medium.open(`${directory}/${target.name}`);
    const read = file.readNow(offset, bytes);
    file.close();
    if (read !== bytes.length) this.#bad = true;
    const sum = crc32c(bytes, 0, bytes.length, crc);
    const end = offset + bytes.length;
    if (end === target.bytes && sum !== target.crc) this.#bad = true;
    medium.env.schedule(() => {
      if (end < target.bytes) this.#verifyHeld(place, end, sum, done);
      else this.#verifyHeld(place + 1, 0, 0, done);
    });
  }

  #verified(done: (ok: boolean, checkpoint: CheckpointInfo | null) => void): void {
    const { medium, directory } = this.#parts;
    const whole = !this.#bad && !this.#abandoned && this.#place === this.#files.length;
    const info = whole ? this.#checkContent() : null;
    if (info === null) {
      // Whatever is wrong with it: all of it comes anew.
      this.#bad ||= !this.#abandoned;
      this.#abandoned = true;
      this.#letGo();
      done(false, null);
      return;
    }
    medium.syncDirectory(directory, () => {
      if (this.#abandoned) return done(false, null);
      this.#info = info;
      medium.env.trace.mark("snapshot.staged");
      done(true, info);
    });
  }

  abandon(): void {
    if (this.#abandoned || this.#taken) return;
    this.#abandoned = true;
    if (!this.#writing) this.#letGo();
  }

  /** This member's own session records go behind the shared tables, durably, before the mark. */
  addPeers(peers: readonly PeerRecord[], done: (tablesBytes: number, crc: number) => void): void {
    const info = must(this.#info, "only a finished snapshot is installed");
    assert(!this.#abandoned, "an abandoned snapshot is not installed");
    this.#taken = true;
    const { medium, directory, staging } = this.#parts;
    staging.forget(
      this.#files.map(({ name }) => name),
      false,
    );
    const bytes = encodePeers(info.index, peers);
    const file = medium.open(`${directory}/${this.tables.name}`);
    medium.write(file, this.tables.bytes, bytes, () => {
      medium.sync(file, () => {
        file.close();
        const crc = crc32c(bytes, 0, bytes.length, this.tables.crc);
        done(this.tables.bytes + bytes.length, crc);
      });
    });
  }

  /** A file that is not whole goes. The whole ones stay for the next transfer, unless this one was bad. */
  #letGo(): void {
    const { medium, directory, staging } = this.#parts;
    const open = this.#open;
    open?.close();
    this.#open = null;
    if (open !== null) medium.remove(open.path, () => {});
    const names = this.#files.filter(({ held }, at) => held || at < this.#place);
    const whole = names.map(({ name }) => name);
    if (!this.#bad) return staging.keep(whole);
    staging.forget(whole, true);
    // Among what came there may be one whose CRC was wrong: it was never called whole.
    const last = this.#files[this.#place - 1];
    if (last !== undefined && !last.held) medium.remove(`${directory}/${last.name}`, () => {});
  }

  #checkContent(): CheckpointInfo | null {
    const segments: RowSegmentEntry[] = [];
    for (const staged of this.#files.slice(0, -1)) {
      const entry = this.#segmentEntry(staged);
      const before = segments.at(-1)?.firstMain ?? 0;
      if (entry === null || entry.firstMain < before) return null;
      segments.push(entry);
    }
    const { medium, directory } = this.#parts;
    const bytes = readWholeNow(medium.env.disk, `${directory}/${this.tables.name}`);
    const info = bytes instanceof Uint8Array ? decodeTables(bytes) : null;
    if (info === null || typeof info === "string" || info.id !== this.#checkpointId) return null;
    this.#segments = segments;
    return info;
  }

  #segmentEntry(staged: StagedFile): RowSegmentEntry | null {
    const { medium, directory, clusterId } = this.#parts;
    const file = medium.open(`${directory}/${staged.name}`);
    const bytes = new Uint8Array(segmentHeaderBytes);
    const read = file.readNow(0, bytes);
    file.close();
    if (read instanceof DiskError) return null;
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string" || header.clusterId !== clusterId) return null;
    const { nonce, originRaftId, firstMain } = header;
    const { name, crc } = staged;
    return { name, nonce, originRaftId, bytes: staged.bytes, crc, sealed: true, firstMain };
  }
}

function plausible(files: readonly SnapshotFile[]): boolean {
  if (files.length === 0 || files.length > filesMax) return false;
  return files.every(
    ({ bytes }) => bytes > 0 && bytes % padBytes === 0 && bytes < segmentBytesLimit,
  );
}
