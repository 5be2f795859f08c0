// At start: are the files that the manifest names there, long enough, and the ones it means? Tables
// are read whole; of row segments the header and the length, their rows are the scan's. Changes
// nothing on disk.
import { crc32c } from "@quorate/base";
import { hex, readWholeNow } from "../directory/record-file.ts";
import { DiskError, ExitCode } from "../env.ts";
import type { Disk } from "../env.ts";
import type { ManifestOwner } from "../manifest/manifest.ts";
import type { CheckpointEntry, ManifestState, RowSegmentEntry } from "../manifest/manifest-api.ts";
import { padBytes } from "../medium.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "../rows/segment-header.ts";
import type { Refusal } from "../storage-api.ts";
import { decodeTablesFile } from "./tables-file.ts";
import type { TablesFile } from "./tables-file.ts";

type Checked<T> = { readonly ok: true; readonly value: T } | Refusal;

/** The tables of the checkpoint in force (null: there is none), once all its files look right. */
export function readCheckpointNow(
  disk: Disk,
  owner: ManifestOwner,
  state: ManifestState,
): Checked<TablesFile | null> {
  return checkSegmentsNow(disk, owner, state) ?? readTablesNow(disk, owner, state);
}

/** The tables alone: they may be whole where rows are not. */
export function readTablesNow(
  disk: Disk,
  owner: ManifestOwner,
  state: ManifestState,
): Checked<TablesFile | null> {
  if (state.checkpoint === null) return { ok: true, value: null };
  return readTablesOf(disk, owner, state.checkpoint);
}

/** Why row segments in force are not what the manifest says; null: they look right. */
function checkSegmentsNow(disk: Disk, owner: ManifestOwner, state: ManifestState): Refusal | null {
  let firstMain = 0;
  for (const [place, entry] of state.rowSegments.entries()) {
    const last = place === state.rowSegments.length - 1;
    const refusal = checkSegmentNow(disk, owner, entry);
    if (refusal !== null) return refusal;
    if (entry.firstMain < firstMain || !(entry.sealed || last)) {
      return damaged(pathOf(owner, entry.name), "the manifest does not list it in its order");
    }
    firstMain = entry.firstMain;
  }
  return null;
}

function checkSegmentNow(disk: Disk, owner: ManifestOwner, entry: RowSegmentEntry): Refusal | null {
  const path = pathOf(owner, entry.name);
  const size = disk.sizeNow(path);
  if (size === null) return damaged(path, "missing, although the manifest names it");
  if (size < entry.bytes || entry.bytes % padBytes !== 0 || entry.bytes === 0) {
    return damaged(path, `${size} bytes long, the manifest says ${entry.bytes}`);
  }
  const bytes = new Uint8Array(segmentHeaderBytes);
  const file = disk.openNow(path, false);
  if (file instanceof DiskError) return damaged(path, `cannot be opened: ${file.code}`);
  const read = file.readNow(0, bytes);
  file.close();
  if (read instanceof DiskError) return damaged(path, `offset 0: cannot be read: ${read.code}`);
  const header = decodeSegmentHeader(bytes);
  if (typeof header === "string") return damaged(path, header);
  if (header.clusterId !== owner.clusterId) {
    return foreign(path, `of cluster ${header.clusterId}, this member is of ${owner.clusterId}`);
  }
  if (header.originRaftId !== entry.originRaftId) {
    const wanted = `the manifest says ${entry.originRaftId}`;
    return foreign(path, `written under raft id ${header.originRaftId}, ${wanted}`);
  }
  if (header.nonce !== entry.nonce || header.firstMain !== entry.firstMain) {
    return damaged(
      path,
      `another segment stands under this name: it begins at revision ${header.firstMain}, ` +
        `the manifest says ${entry.firstMain}`,
    );
  }
  return null;
}

function readTablesOf(
  disk: Disk,
  owner: ManifestOwner,
  checkpoint: CheckpointEntry,
): Checked<TablesFile> {
  const path = pathOf(owner, checkpoint.tablesName);
  const bytes = readWholeNow(disk, path);
  if (bytes === null) return damaged(path, "missing, although the manifest names it");
  if (typeof bytes === "string") return damaged(path, bytes);
  if (bytes.length !== checkpoint.tablesBytes) {
    return damaged(path, `${bytes.length} bytes long, the manifest says ${checkpoint.tablesBytes}`);
  }
  const crc = crc32c(bytes);
  if (crc !== checkpoint.tablesCrc) {
    return damaged(path, `CRC ${hex(crc)}, the manifest says ${hex(checkpoint.tablesCrc)}`);
  }
  const file = decodeTablesFile(bytes);
  if (typeof file === "string") return damaged(path, file);
  const { id, index, term } = file.info;
  if (id !== checkpoint.id || index !== checkpoint.index || term !== checkpoint.term) {
    return damaged(path, `tables of index ${index}, the manifest says ${checkpoint.index}`);
  }
  return { ok: true, value: file };
}

function pathOf(owner: ManifestOwner, name: string): string {
  return `${owner.directory}/${name}`;
}

function damaged(path: string, what: string): Refusal {
  return {
    ok: false,
    exitCode: ExitCode.Damaged,
    reason:
      `${path}: ${what}; the checkpoint is damaged: with another member's state this one can be ` +
      "rebuilt, without one restore a backup",
  };
}

function foreign(path: string, what: string): Refusal {
  return { ok: false, exitCode: ExitCode.Foreign, reason: `${path}: ${what}` };
}
