// Names in a data directory, and what names say about it. Paths are joined with "/" as the operator
// gave them; nothing here opens a file.
import { ExitCode } from "../env.ts";
import type { Disk } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import { identityName } from "./identity.ts";
import { setAsideName } from "./set-aside-record.ts";

export const lockName = "LOCK";
export const manifestName = "MANIFEST";
/** What has come whole of a snapshot on its way in (snapshot/staging.ts). */
export const stagingName = "STAGING";

const rowsPattern = /^rows-[0-9a-f]{13}$/;
const tablesPattern = /^tables-[0-9a-f]{13}$/;

/** Row segments and tables files: ours to remove when no manifest names them. */
export function isCheckpointFile(name: string): boolean {
  return rowsPattern.test(name) || tablesPattern.test(name);
}

/** 13 hex digits hold every number below 2^52. */
export function rowsName(tag: number): string {
  return `rows-${tag.toString(16).padStart(13, "0")}`;
}

export function tablesName(tag: number): string {
  return `tables-${tag.toString(16).padStart(13, "0")}`;
}

/** The log's files; what stands behind the prefix is its own affair. */
export function isWalFile(name: string): boolean {
  return name.startsWith("wal-");
}

export function isDirectoryFile(name: string): boolean {
  // The lock's own companions (a database's journal) begin with its name.
  if (name.startsWith(lockName)) return true;
  const names = [identityName, manifestName, setAsideName, stagingName].join("|");
  return new RegExp(`^(${names})-[12](\\.draft)?$`).test(name);
}

/** All that moves when the directory is set aside: not the lock, and not the word that it is. */
export function isMemberFile(name: string): boolean {
  if (name.startsWith(lockName) || name.startsWith(`${setAsideName}-`)) return false;
  return isCheckpointFile(name) || isWalFile(name) || isDirectoryFile(name);
}

/** Why a directory without an identity must not become a new member's; null: it may. */
export function foreignContent(directory: string, names: readonly string[]): Refusal | null {
  const ours = names.find(
    (name) => isCheckpointFile(name) || isWalFile(name) || name.startsWith(`${manifestName}-`),
  );
  if (ours !== undefined) {
    return {
      ok: false,
      exitCode: ExitCode.Damaged,
      reason:
        `${directory}/${ours} is there, but ${identityName}-1 and -2 of its member are missing: ` +
        "whose it was, and under which raft id, cannot be known any more",
      rejoins: { tables: [], peers: 0 },
    };
  }
  if (names.includes("member")) {
    return {
      ok: false,
      exitCode: ExitCode.Foreign,
      reason: `${directory}/member is etcd's: Quorate does not read it, give it its own directory`,
    };
  }
  return null;
}

/** Without a trailing slash, except for the root. */
export function trimmed(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 47) end -= 1;
  return path.slice(0, end);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** The directory and those above it that do not exist, outermost first. */
export function missingAncestors(disk: Disk, directory: string): string[] {
  const missing: string[] = [];
  let path = directory;
  while (path !== "." && path !== "/" && disk.listNow(path) === null) {
    missing.push(path);
    path = parentOf(path);
  }
  return missing.reverse();
}

/** The directories above, innermost first. */
export function ancestorsOf(directory: string): string[] {
  const ancestors: string[] = [];
  let path = directory;
  while (path !== "." && path !== "/") {
    path = parentOf(path);
    ancestors.push(path);
  }
  return ancestors;
}
