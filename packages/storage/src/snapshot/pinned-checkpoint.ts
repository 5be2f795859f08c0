// The checkpoint in force, held for sending: its segments at their length in force (the growing one
// may go on behind it) and the shared part of its tables file. The files stay until `release`.
import { assert, must } from "@quorate/base";
import { isRefused } from "../directory/access.ts";
import { DiskError, ExitCode } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { CheckpointInForce } from "../checkpoint/checkpointer.ts";
import type { ManifestState } from "../manifest/manifest-api.ts";
import type { Medium } from "../medium.ts";
import type { RowLog } from "../rows/row-log.ts";
import type { CheckpointInfo, SnapshotFile, SnapshotSource } from "../storage-api.ts";
import type { HeldFiles } from "./held-files.ts";

export interface PinParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly held: HeldFiles;
  readonly rows: RowLog;
}

export class PinnedCheckpoint implements SnapshotSource {
  readonly checkpoint: CheckpointInfo;
  readonly files: readonly SnapshotFile[];
  readonly #parts: PinParts;
  #open: DiskFile | null;
  #released: boolean;

  constructor(parts: PinParts, inForce: CheckpointInForce, state: ManifestState) {
    this.checkpoint = inForce.info;
    this.#parts = parts;
    this.#open = null;
    this.#released = false;
    const files: SnapshotFile[] = [];
    for (const { name, bytes, crc, sealed } of state.rowSegments) {
      const segment = parts.rows.segments.find((candidate) => candidate.name === name);
      const growing = must(segment, "a segment in force is open");
      files.push({ name, bytes, crc: sealed ? crc : growing.crc });
    }
    const tables = must(state.checkpoint, "a checkpoint is in force").tablesName;
    files.push({ name: tables, bytes: inForce.sharedBytes, crc: inForce.sharedCrc });
    this.files = files;
    for (const { name } of files) parts.held.hold(name);
  }

  readNow(file: number, offset: number, length: number): Uint8Array {
    assert(!this.#released, "a released snapshot is not read");
    const { name, bytes } = must(this.files[file], "a file of the snapshot");
    assert(offset >= 0 && offset <= bytes && length >= 0, "a range within the file");
    const into = new Uint8Array(Math.min(length, bytes - offset));
    const path = `${this.#parts.directory}/${name}`;
    const read = this.#fileAt(path).readNow(offset, into);
    if (read === into.length) return into;
    const what = read instanceof DiskError ? read.code : "it ends within its length in force";
    return this.#damaged(`${path}: offset ${offset}: cannot be read for a snapshot: ${what}`);
  }

  #damaged(reason: string): never {
    const { env } = this.#parts.medium;
    env.trace.mark("rows.recover.row14");
    return env.fatal(ExitCode.Damaged, reason);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#open?.close();
    this.#open = null;
    for (const { name } of this.files) this.#parts.held.release(name);
  }

  /** One file at a time is open: a transfer reads them in order. */
  #fileAt(path: string): DiskFile {
    if (this.#open !== null && this.#open.path === path) return this.#open;
    this.#open?.close();
    this.#open = null;
    const file = this.#parts.medium.env.disk.openNow(path, false);
    if (file instanceof DiskError) {
      if (isRefused(file)) return this.#parts.medium.fail(file);
      return this.#damaged(`${path}: cannot be opened for a snapshot: ${file.code}`);
    }
    this.#open = file;
    return file;
  }
}
