// Reads the checkpoint in force: the manifest's list of files, the replicated tables and the peers'
// records.
import { readCheckpointNow } from "../checkpoint/read-checkpoint.ts";
import type { TablesFile } from "../checkpoint/tables-file.ts";
import type { Finding, InspectedDirectory } from "./inspect-directory.ts";

export interface InspectedCheckpoint {
  /** Null: there is none yet, or it is damaged. */
  readonly tables: TablesFile | null;
  readonly finding: Finding | null;
}

export function inspectCheckpoint(inspected: InspectedDirectory): InspectedCheckpoint {
  const { disk, directory, identity, manifest } = inspected;
  const { clusterId, raftId } = identity;
  const read = readCheckpointNow(disk, { directory, clusterId, raftId }, manifest);
  if (read.ok) return { tables: read.value, finding: null };
  return { tables: null, finding: { exitCode: read.exitCode, what: read.reason } };
}
