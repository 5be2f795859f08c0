// Two equal copies of one small file, NAME-1 and NAME-2. They are written one after the other and
// what they say counts as done when both are durable; so whichever copy is valid and newest holds
// at least everything that was ever reported done. Replacing goes through a file of its own and a
// rename: a copy under its name is whole or damaged, never half written.
import { equalBytes } from "@quorate/base";
import { DiskError } from "../env.ts";
import type { Disk, DiskDone } from "../env.ts";
import { decodeRecordFile, encodeRecordFile, readWholeNow, RecordFile } from "./record-file.ts";
import type { Magic } from "./record-file.ts";

export const CopiesState = { Missing: 1, Damaged: 2, Good: 3 } as const;
export type CopiesState = (typeof CopiesState)[keyof typeof CopiesState];

export type CopiesRead =
  | { readonly state: typeof CopiesState.Missing }
  | { readonly state: typeof CopiesState.Damaged; readonly reason: string }
  | {
      readonly state: typeof CopiesState.Good;
      readonly record: RecordFile;
      /** What was wrong with the other copy, or null. */
      readonly repair: string | null;
    };

export function copyPath(directory: string, name: string, copy: 1 | 2): string {
  return `${directory}/${name}-${copy}`;
}

/** Where a copy is written before it gets its name. */
export function draftPath(path: string): string {
  return `${path}.draft`;
}

export function readCopiesNow(
  disk: Disk,
  directory: string,
  name: string,
  magic: Magic,
): CopiesRead {
  const one = readCopyNow(disk, copyPath(directory, name, 1), magic);
  const two = readCopyNow(disk, copyPath(directory, name, 2), magic);
  if (one === null && two === null) return { state: CopiesState.Missing };
  if (one instanceof RecordFile) {
    if (two instanceof RecordFile) return newerOf(directory, name, one, two);
    return good(one, two ?? `${copyPath(directory, name, 2)}: missing`);
  }
  if (two instanceof RecordFile) {
    return good(two, one ?? `${copyPath(directory, name, 1)}: missing`);
  }
  const reason = [one, two].filter((problem) => problem !== null).join("; ");
  return { state: CopiesState.Damaged, reason };
}

function newerOf(directory: string, name: string, one: RecordFile, two: RecordFile): CopiesRead {
  if (one.generation > two.generation) {
    return good(one, `${copyPath(directory, name, 2)}: of older generation ${two.generation}`);
  }
  if (two.generation > one.generation) {
    return good(two, `${copyPath(directory, name, 1)}: of older generation ${one.generation}`);
  }
  if (equalBytes(one.body, two.body)) return good(one, null);
  const reason = `${directory}/${name}-1 and -2: different content in generation ${one.generation}`;
  return { state: CopiesState.Damaged, reason };
}

function good(record: RecordFile, repair: string | null): CopiesRead {
  return { state: CopiesState.Good, record, repair };
}

function readCopyNow(disk: Disk, path: string, magic: Magic): RecordFile | string | null {
  const bytes = readWholeNow(disk, path);
  if (bytes === null) return null;
  if (typeof bytes === "string") return `${path}: ${bytes}`;
  const record = decodeRecordFile(magic, bytes);
  return typeof record === "string" ? `${path}: ${record}` : record;
}

/** Both copies become `record`, durably, the first before the second is touched. */
export function replaceCopies(
  disk: Disk,
  directory: string,
  name: string,
  magic: Magic,
  record: RecordFile,
  done: DiskDone,
): void {
  const bytes = encodeRecordFile(magic, record);
  replaceCopy(disk, directory, copyPath(directory, name, 1), bytes, (error) => {
    if (error !== null) done(error);
    else replaceCopy(disk, directory, copyPath(directory, name, 2), bytes, done);
  });
}

function replaceCopy(
  disk: Disk,
  directory: string,
  path: string,
  bytes: Uint8Array,
  done: DiskDone,
): void {
  const draft = draftPath(path);
  if (disk.sizeNow(draft) === null) {
    writeDraft(disk, directory, path, bytes, done);
    return;
  }
  // Left by a crash.
  disk.remove(draft, (error) => {
    if (error !== null) done(error);
    else writeDraft(disk, directory, path, bytes, done);
  });
}

function writeDraft(
  disk: Disk,
  directory: string,
  path: string,
  bytes: Uint8Array,
  done: DiskDone,
): void {
  const draft = draftPath(path);
  const file = disk.openNow(draft, true);
  if (file instanceof DiskError) {
    done(file);
    return;
  }
  const failed = (error: DiskError): void => {
    file.close();
    done(error);
  };
  file.write(0, bytes, (writeError) => {
    if (writeError !== null) return failed(writeError);
    file.sync((syncError) => {
      if (syncError !== null) return failed(syncError);
      file.close();
      disk.rename(draft, path, (renameError) => {
        if (renameError !== null) return done(renameError);
        disk.syncDirectory(directory, done);
      });
    });
  });
}
