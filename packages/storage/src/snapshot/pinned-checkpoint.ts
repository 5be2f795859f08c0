// The checkpoint in force, held for sending: its segments at their length in force (the growing one
// may go on behind it) and the shared part of its tables file. The files stay until `release`. What is
// read from the beginning of a file to its end is held against its CRC: a receiver would refuse it, and
// the same damaged bytes would be sent again and again. Damage is a finding, as when it is found by
// scrubbing: nothing of it is read out.
import { assert, crc32c, emptyBytes, must } from "@quorate/base";
import { isRefused } from "../directory/access.ts";
import { DiskError } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { CheckpointInForce } from "../checkpoint/checkpointer.ts";
import type { ManifestState } from "../manifest/manifest-api.ts";
import type { Medium } from "../medium.ts";
import type { RowLog } from "../rows/row-log.ts";
import type { ScrubFinding } from "../scrub/scrub-api.ts";
import type { CheckpointInfo, SnapshotFile, SnapshotSource } from "../storage-api.ts";
import type { HeldFiles } from "./held-files.ts";

export interface PinParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly held: HeldFiles;
  readonly rows: RowLog;
  readonly found: (finding: ScrubFinding) => void;
}

export class PinnedCheckpoint implements SnapshotSource {
  readonly checkpoint: CheckpointInfo;
  readonly files: readonly SnapshotFile[];
  readonly #parts: PinParts;
  #open: DiskFile | null;
  /** Of the file that is being read: its place, and the CRC of its bytes up to an offset. */
  #read: { file: number; offset: number; crc: number };
  #released: boolean;

  constructor(parts: PinParts, inForce: CheckpointInForce, state: ManifestState) {
    this.checkpoint = inForce.info;
    this.#parts = parts;
    this.#open = null;
    this.#read = { file: -1, offset: 0, crc: 0 };
    this.#released = false;
    const files: SnapshotFile[] = [];
    for (const { name, bytes, crc } of state.rowSegments) files.push({ name, bytes, crc });
    const tables = must(state.checkpoint, "a checkpoint is in force").tablesName;
    files.push({ name: tables, bytes: inForce.sharedBytes, crc: inForce.sharedCrc });
    this.files = files;
    for (const { name } of files) parts.held.hold(name);
  }

  /** Fewer bytes than asked for: the file is damaged. */
  readNow(file: number, offset: number, length: number): Uint8Array {
    assert(!this.#released, "a released snapshot is not read");
    const { name, bytes } = must(this.files[file], "a file of the snapshot");
    assert(offset >= 0 && offset <= bytes && length >= 0, "a range within the file");
    const into = new Uint8Array(Math.min(length, bytes - offset));
    const path = `${this.#parts.directory}/${name}`;
    const open = this.#fileAt(path);
    if (open instanceof DiskError) return this.#damaged(path, offset, `open: ${open.code}`, true);
    const read = open.readNow(offset, into);
    if (read instanceof DiskError) return this.#damaged(path, offset, `read: ${read.code}`, true);
    if (read !== into.length) {
      return this.#damaged(path, offset, "the file ends within its length in force", false);
    }
    if (this.#isSound(file, offset, into)) return into;
    return this.#damaged(path, 0, "its CRC is not that of the checkpoint", false);
  }

  #isSound(file: number, offset: number, bytes: Uint8Array): boolean {
    if (offset === 0) this.#read = { file, offset: 0, crc: 0 };
    const read = this.#read;
    if (read.file !== file || read.offset !== offset) return true;
    read.crc = crc32c(bytes, 0, bytes.length, read.crc);
    read.offset += bytes.length;
    const { bytes: length, crc } = must(this.files[file], "a file of the snapshot");
    return read.offset < length || read.crc === crc;
  }

  #damaged(path: string, offset: number, what: string, unreadable: boolean): Uint8Array {
    this.#parts.medium.env.trace.mark("snapshot.source-damaged");
    this.#parts.found({ part: "rows", path, offset, what, unreadable });
    return emptyBytes;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#open?.close();
    this.#open = null;
    for (const { name } of this.files) this.#parts.held.release(name);
  }

  /** One file at a time is open: a transfer reads them in order. */
  #fileAt(path: string): DiskFile | DiskError {
    if (this.#open !== null && this.#open.path === path) return this.#open;
    this.#open?.close();
    this.#open = null;
    const file = this.#parts.medium.env.disk.openNow(path, false);
    if (file instanceof DiskError) return isRefused(file) ? this.#parts.medium.fail(file) : file;
    this.#open = file;
    return file;
  }
}
