// What a story may set of its cluster; everything else is as the simulator always has it.
import type { HostConfig } from "@quorate/host";
import type { NetworkOptions } from "../network/network-options.ts";
import type { WorkloadName } from "../workloads/workloads.ts";

export interface ScenarioOptions {
  readonly members: number;
  readonly electionTimeoutMs: number;
  readonly electionTimeoutRandomizationMs: number;
  readonly heartbeatIntervalMs: number;
  readonly host: Partial<HostConfig>;
  readonly network: Partial<NetworkOptions>;
  /** Durability of one in so many acknowledgements is checked on a copy of the disk. */
  readonly durableSample: number;
}

export const scenarioDefaults: ScenarioOptions = {
  members: 3,
  electionTimeoutMs: 300,
  electionTimeoutRandomizationMs: 300,
  heartbeatIntervalMs: 30,
  host: {},
  network: {},
  durableSample: 30,
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
