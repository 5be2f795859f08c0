// Reads a data directory as it lies there, whose member may be stopped or running: who it belongs
// to and which files the manifest names. Changes nothing and takes no lock, so a running member may
// write meanwhile; then the newest batches may look torn.
import { ExitCode } from "../env.ts";
import type { Disk } from "../env.ts";
import { decodeIdentity, directoryFormat, identityName } from "../directory/identity.ts";
import type { Identity } from "../directory/identity.ts";
import { isCheckpointFile, isDirectoryFile, isWalFile } from "../directory/layout.ts";
import { Magic } from "../directory/record-file.ts";
import { CopiesState, readCopiesNow } from "../directory/two-copies.ts";
import { noFiles, readManifestNow } from "../manifest/manifest.ts";
import type { ManifestState } from "../manifest/manifest-api.ts";
import type { Refusal } from "../storage-api.ts";

/** What is wrong with a file, and the exit code with which a member would end over it. */
export interface Finding {
  readonly exitCode: ExitCode | null;
  readonly what: string;
}

export interface InspectedDirectory {
  readonly ok: true;
  readonly disk: Disk;
  readonly directory: string;
  readonly walDirectory: string;
  readonly identity: Identity;
  readonly manifest: ManifestState;
  /** Of the two small files; none of them stops a member. */
  readonly findings: readonly Finding[];
  /** Row and table files that no manifest names: a start removes them. */
  readonly leftovers: readonly string[];
  /** Nobody's. */
  readonly strangers: readonly string[];
}

export function inspectDirectory(
  disk: Disk,
  directory: string,
  walDirectory: string,
): InspectedDirectory | Refusal {
  const names = disk.listNow(directory);
  if (names === null) {
    return refusal(ExitCode.Usage, `${directory}: there is no such directory, or it is not yours`);
  }
  const read = readCopiesNow(disk, directory, identityName, Magic.Identity);
  if (read.state === CopiesState.Missing) {
    const reason = `${directory}: not a data directory of Quorate: it has no ${identityName}-1 or -2`;
    return refusal(ExitCode.Usage, reason);
  }
  if (read.state === CopiesState.Damaged) return refusal(ExitCode.Damaged, read.reason);
  const { record } = read;
  if (record.format > directoryFormat) {
    const reason = `${directory}: format ${record.format}, this binary knows ${directoryFormat}`;
    return refusal(ExitCode.Foreign, reason);
  }
  const identity = decodeIdentity(record.body);
  if (identity === null) {
    const reason = `${directory}/${identityName}-1: valid CRC, but not an identity of this format`;
    return refusal(ExitCode.Damaged, reason);
  }
  const { clusterId, raftId, storageMade } = identity;
  const manifest = readManifestNow(disk, { directory, clusterId, raftId });
  if (manifest !== null && !manifest.ok) return manifest;
  const findings = [read.repair, manifest?.repair ?? null]
    .filter((repair) => repair !== null)
    .map((what) => ({ exitCode: null, what }));
  if (manifest === null && storageMade) {
    const reason = `${directory}: both copies of the manifest are missing, although this member has run`;
    return refusal(ExitCode.Damaged, reason);
  }
  const state = manifest?.state ?? noFiles;
  const named = new Set(state.rowSegments.map(({ name }) => name));
  if (state.checkpoint !== null) named.add(state.checkpoint.tablesName);
  const other = names.filter((name) => {
    const ours = named.has(name) || isDirectoryFile(name) || isWalFile(name);
    return !ours && `${directory}/${name}` !== walDirectory;
  });
  return {
    ok: true,
    disk,
    directory,
    walDirectory,
    identity,
    manifest: state,
    findings,
    leftovers: other.filter(isCheckpointFile),
    strangers: other.filter((name) => !isCheckpointFile(name)),
  };
}

function refusal(exitCode: ExitCode, reason: string): Refusal {
  return { ok: false, exitCode, reason };
}
