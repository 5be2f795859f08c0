// What a story may set of its cluster; everything else is as the simulator always has it.
import type { HostConfig } from "@quorate/host";
import { storageDefaults, type StorageOptions } from "@quorate/storage";
import type { NetworkOptions } from "../network/network-options.ts";
import type { WorkloadName } from "../workloads/workloads.ts";

export interface ScenarioOptions {
  readonly members: number;
  /** As in ClusterOptions; absent: all. */
  readonly founders?: number;
  readonly electionTimeoutMs: number;
  readonly electionTimeoutRandomizationMs: number;
  readonly heartbeatIntervalMs: number;
  readonly host: Partial<HostConfig>;
  readonly network: Partial<NetworkOptions>;
  /** As in WatchOptions. */
  readonly durableSample: number;
  /** Its acts are printed as they happen; the report of a failure has them in any case. */
  readonly told: boolean;
}

export const scenarioDefaults: ScenarioOptions = {
  members: 3,
  electionTimeoutMs: 300,
  electionTimeoutRandomizationMs: 300,
  heartbeatIntervalMs: 30,
  host: {},
  network: {},
  durableSample: 1_000,
  told: true,
};

/** Checkpoints and cuts of the log within a fraction of a second: followers fall behind it soon. */
export const shortLog: Partial<HostConfig> = {
  checkpointBytes: 8_192,
  checkpointIntervalMs: 100,
  catchUpEntriesMax: 3,
  catchUpBytesMax: 4_096,
};

/** Segments of the log and of rows that are full within a fraction of a second. */
export const smallFiles: StorageOptions = {
  ...storageDefaults,
  walSegmentBytes: 65_536,
  rowSegmentBytes: 8_192,
  unsavedRowBytesMax: 1_048_576,
  rowCacheBytesMax: 32_768,
  reclaimBytesPerSecond: 1_048_576,
  stagingRecordBytes: 16_384,
};

export interface LoadOptions {
  readonly workload: WorkloadName;
  readonly clients: number;
  readonly thinkMaxMs: number;
  /** Whom the clients ask; null: all. */
  readonly members: readonly string[] | null;
}

export const loadDefaults: LoadOptions = {
  workload: "registers",
  clients: 3,
  thinkMaxMs: 30,
  members: null,
};
