// A member's storage over a test world, driven by a small state machine of its own, so that tests
// can say what must be there after a crash: puts of keys, compaction, checkpoints, snapshots.
import { assert, latin1Encode, must } from "@quorate/base";
import { Row, TableRecord } from "@quorate/kv";
import type { RowRef } from "@quorate/kv";
import { Entry, HardState } from "@quorate/raft";
import { openDirectory } from "../directory/open-directory.ts";
import { openStorage } from "../open-storage.ts";
import { GenesisState, PeerRecord, storageDefaults } from "../storage-api.ts";
import type {
  CheckpointInfo,
  DataDirectory,
  DirectoryOptions,
  Recovered,
  Refusal,
  StorageApi,
  StorageOptions,
} from "../storage-api.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { TestEnv } from "./test-env.ts";

export const testDirectory = "/data";

export const directoryOptions: DirectoryOptions = {
  directory: testDirectory,
  walDirectory: null,
  clusterId: "00000000000000c1",
  memberId: "00000000000000a1",
  levelMax: 1,
};

/** Small enough that a test crosses every bound. */
export const smallOptions: StorageOptions = {
  ...storageDefaults,
  walSegmentBytes: 65_536,
  rowSegmentBytes: 16_384,
  unsavedRowBytesMax: 1_048_576,
  rowCacheBytesMax: 16_384,
  stagingRecordBytes: 16_384,
};

export function testRow(
  main: number,
  sub: number,
  key: string,
  value: string,
  version: number = 1,
): Row {
  return new Row(
    main,
    sub,
    false,
    main,
    version,
    0x80000001,
    main,
    main * 1024,
    3,
    2 ** 47 + main,
    latin1Encode(key),
    latin1Encode(value),
  );
}

/** Opens the directory, to the end. */
export function openDirectoryNow(
  env: TestEnv,
  options: DirectoryOptions = directoryOptions,
): DataDirectory | Refusal {
  let result: DataDirectory | Refusal | null = null;
  openDirectory(env, options, (outcome) => {
    result = outcome.ok ? outcome.directory : outcome;
  });
  env.run(() => result !== null);
  return must(result as DataDirectory | Refusal | null, "opening a directory ends");
}

export interface OpenedMember {
  readonly env: TestEnv;
  readonly directory: DataDirectory;
  readonly storage: StorageApi;
  readonly recovered: Recovered;
}

/** A new process on the disk, up to the scan. */
export function openMemberNow(
  disk: MemoryDisk,
  seed: number,
  options: StorageOptions = smallOptions,
  directoryOption: DirectoryOptions = directoryOptions,
): OpenedMember | Refusal {
  const env = new TestEnv(disk, seed);
  const directory = openDirectoryNow(env, directoryOption);
  if ("ok" in directory) return directory;
  if (directory.genesisState !== GenesisState.Started) {
    let written = false;
    directory.writeGenesis(GenesisState.Started, latin1Encode("genesis"), () => (written = true));
    env.run(() => written);
  }
  let result: OpenedMember | Refusal | null = null;
  openStorage(env, directory, options, (outcome) => {
    const { ok } = outcome;
    result = ok ? { env, directory, ...pick(outcome) } : outcome;
  });
  env.run(() => result !== null);
  return must(result as OpenedMember | Refusal | null, "opening a storage ends");
}

function pick(outcome: { readonly storage: StorageApi; readonly recovered: Recovered }): {
  readonly storage: StorageApi;
  readonly recovered: Recovered;
} {
  return { storage: outcome.storage, recovered: outcome.recovered };
}

export function opened(result: OpenedMember | Refusal): OpenedMember {
  if ("ok" in result) assert(false, () => `refused with ${result.exitCode}: ${result.reason}`);
  return result;
}

/** All rows of the recovered checkpoint. */
export function scanAll(storage: StorageApi, rowsMax: number = 100): { row: Row; ref: RowRef }[] {
  const rows: { row: Row; ref: RowRef }[] = [];
  while (!storage.scanStep(rowsMax, (row, ref) => rows.push({ row: row.toRow(), ref }))) {
    // Again.
  }
  return rows;
}

/** Appends one entry per index, each carrying nothing, and waits until they are durable. */
export function appendEntriesNow(
  member: OpenedMember,
  first: number,
  last: number,
  term: number = 1,
): void {
  const entries: Entry[] = [];
  for (let index = first; index <= last; index++) {
    entries.push(new Entry(term, index, 16, 0, index, latin1Encode(`entry ${index}`)));
  }
  let done = false;
  const hardState = new HardState(term, 0, last);
  const batch = { hardState, firstIndex: first, entries, peers: [], mustSync: true };
  member.storage.append(batch, () => (done = true));
  member.env.run(() => done);
  assert(done, "an append ends");
}

export function checkpointNow(
  member: OpenedMember,
  index: number,
  tables: string,
  term: number = 1,
  keepLogFrom: number = index,
): CheckpointInfo {
  let info: CheckpointInfo | null = null;
  const records = [new TableRecord("test", latin1Encode(tables))];
  member.storage.checkpoint({ index, term, tables: records, keepLogFrom }, (done) => {
    info = done;
  });
  member.env.run(() => info !== null);
  return must(info as CheckpointInfo | null, "a checkpoint ends");
}

export function testPeer(raftId: number, bootCount: number): PeerRecord {
  return new PeerRecord(raftId, bootCount, 1000 * raftId + bootCount);
}
