// Files that the system does not give out: for want of a right, of descriptors, of a file system that
// may be written. That says nothing about what is in them, and passes; a file that is gone or cannot
// be read is damage. Decides by error codes, changes nothing.
import { DiskError, ExitCode } from "../env.ts";
import type { Disk } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import { isCheckpointFile, isDirectoryFile, isWalFile, lockName } from "./layout.ts";

export function isRefused(error: DiskError): boolean {
  return error.code !== "EIO" && error.code !== "ENOENT";
}

/** The member's files in the directory can all be opened now; or why it cannot be used (64). */
export function checkAccessNow(disk: Disk, directory: string): Refusal | null {
  for (const name of disk.listNow(directory) ?? []) {
    if (name.startsWith(lockName)) continue;
    if (!isCheckpointFile(name) && !isWalFile(name) && !isDirectoryFile(name)) continue;
    const file = disk.openNow(`${directory}/${name}`, false);
    if (!(file instanceof DiskError)) file.close();
    else if (isRefused(file)) return unusable(file);
  }
  return null;
}

export function unusable(error: DiskError): Refusal {
  const { path, operation, code } = error;
  return {
    ok: false,
    exitCode: ExitCode.Usage,
    reason: `${path} cannot be used as (part of) a data directory: ${operation}: ${code}`,
  };
}
