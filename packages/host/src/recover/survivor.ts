// What is left of a member, read from its data directory while the member is stopped: its log, its
// checkpoint, and the members of its cluster as far as it knows that they are committed. Reads only.
import { assert, must } from "@quorate/base";
import {
  applyChange,
  decodeConfChange,
  EntryKind,
  isConfChangeError,
  isVoter,
} from "@quorate/raft";
import type { Entry } from "@quorate/raft";
import {
  inspectCheckpoint,
  inspectDirectory,
  inspectRows,
  inspectWal,
  supersededRefusal,
} from "@quorate/storage";
import type { CheckpointInfo, Disk, InspectedDirectory, Refusal } from "@quorate/storage";
import { decodeGenesisRecord } from "../genesis/genesis-record.ts";
import { HostEntryKind } from "../members/entry-kinds.ts";
import { applyRecordChanges, decodeRecordChanges } from "../members/members-change.ts";
import { MembershipTable } from "../members/membership-table.ts";
import { levelMax } from "../raft-settings.ts";
import { SettingsTable } from "../settings.ts";
import { decodeRecovered } from "./recovered-entry.ts";
import type { SupersededCluster } from "./recovered-entry.ts";

const minuteMs = 60_000;

export interface Survivor {
  readonly inspected: InspectedDirectory;
  readonly name: string;
  readonly memberId: string;
  readonly clusterId: string;
  readonly genesisId: number;
  readonly raftId: number;
  readonly bootCount: number;
  readonly term: number;
  readonly commit: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Newest batch of its log. */
  readonly seq: number;
  readonly isVoter: boolean;
  /** Who belongs to the cluster, by what it knows to be committed. */
  readonly membership: MembershipTable;
  readonly settings: SettingsTable;
  /** Changes of the members that it holds above its commit index: whether they ever commit is open. */
  readonly changesInTail: number;
  readonly checkpoint: CheckpointInfo | null;
  /** Above the checkpoint. */
  readonly entries: readonly Entry[];
  /** Stamp of its last entry; 0: none is left in the log. */
  readonly lastWallMs: number;
  /** Entries a second, over the last minute before that. */
  readonly rate: number;
}

/** A directory that cannot serve for a recovery says why. */
export function readSurvivor(
  disk: Disk,
  directory: string,
  walDirectory: string,
): Survivor | Refusal {
  const inspected = inspectDirectory(disk, directory, walDirectory);
  if (!inspected.ok) return inspected;
  const { identity } = inspected;
  if (identity.supersededBy !== "") return supersededRefusal(directory, identity.supersededBy);
  const genesis = decodeGenesisRecord(identity.genesis);
  if (genesis === null) {
    return refused(directory, "it has never been a member of a started cluster");
  }
  const wal = inspectWal(inspected);
  if (wal.log === null || wal.last === null) {
    return refused(directory, `its log is damaged: ${wal.finding?.what ?? wal.damage.where}`);
  }
  if (wal.finding !== null) return refused(directory, wal.finding.what);
  const damagedRows = inspectRows(inspected).find(({ finding }) => finding !== null);
  if (damagedRows !== undefined) return refused(directory, damagedRows.finding!.what);
  const read = inspectCheckpoint(inspected);
  if (read.finding !== null) return refused(directory, read.finding.what);
  const checkpoint = read.tables?.info ?? null;
  const membership = new MembershipTable();
  const settings = new SettingsTable(levelMax);
  if (checkpoint === null) membership.found(genesis);
  else restore(checkpoint, [membership, settings]);
  const { hardState, lastIndex, lastTerm } = wal.log;
  const above = checkpoint?.index ?? 0;
  const entries = wal.log.entries.filter((entry) => entry.index > above);
  const changesInTail = followChanges(membership, entries, hardState.commit);
  const lastWallMs = wal.log.entries.at(-1)?.wallMs ?? 0;
  const lately = wal.log.entries.filter((entry) => entry.wallMs > lastWallMs - minuteMs).length;
  return {
    inspected,
    name: membership.byMemberId(identity.memberId)?.name ?? "",
    memberId: identity.memberId,
    clusterId: identity.clusterId,
    genesisId: genesis.genesisId,
    raftId: identity.raftId,
    bootCount: identity.bootCount,
    term: hardState.term,
    commit: Math.max(hardState.commit, above),
    lastIndex,
    lastTerm,
    seq: wal.last.seq,
    isVoter: isVoter(membership.confState, identity.raftId),
    membership,
    settings,
    changesInTail,
    checkpoint,
    entries,
    lastWallMs,
    rate: lately / (minuteMs / 1000),
  };
}

function restore(
  checkpoint: CheckpointInfo,
  tables: readonly (MembershipTable | SettingsTable)[],
): void {
  for (const table of tables) {
    const record = checkpoint.tables.find(({ name }) => name === table.name);
    const { bytes } = must(record, "a checkpoint has all tables");
    assert(table.restore(bytes), "the tables of a checked checkpoint can be read");
  }
}

/** Carries out the committed changes of members; how many there are above `commit`. */
function followChanges(
  membership: MembershipTable,
  entries: readonly Entry[],
  commit: number,
): number {
  let inTail = 0;
  for (const { index, kind, payload } of entries) {
    if (!isMemberChange(kind)) continue;
    if (index > commit) inTail += 1;
    else if (kind === EntryKind.ConfChange) followConfChange(membership, payload);
    else if (kind === HostEntryKind.Members) followRecords(membership, payload);
  }
  return inTail;
}

/** The recoveries that its cluster has come out of, oldest first. */
export function recoveriesOf({ settings, entries }: Survivor): readonly SupersededCluster[] {
  const since = entries
    .filter(({ kind }) => kind === HostEntryKind.Recovered)
    .map(({ payload }) => must(decodeRecovered(payload), "it was encoded by a recovery").old);
  return [...settings.superseded, ...since];
}

export function isMemberChange(kind: number): boolean {
  return kind === EntryKind.ConfChange || kind === HostEntryKind.Members;
}

function followConfChange(membership: MembershipTable, payload: Uint8Array): void {
  const change = must(decodeConfChange(payload), "a configuration change was encoded by a core");
  const next = applyChange(membership.confState, change);
  if (isConfChangeError(next)) return;
  followRecords(membership, change.context);
  membership.setConfState(next);
}

function followRecords(membership: MembershipTable, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const changes = must(decodeRecordChanges(bytes), "changes of members were encoded by a leader");
  applyRecordChanges(membership, changes);
}

function refused(directory: string, what: string): Refusal {
  return { ok: false, exitCode: 72, reason: `${directory}: ${what}` };
}

export function isSurvivor(read: Survivor | Refusal): read is Survivor {
  return !("ok" in read);
}
