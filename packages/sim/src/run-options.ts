// One run's options, all drawn from its seed: how many members, which timings, which fault families
// are on (swarm testing: each run has some of them), which workload. A test may fix single ones.
import { type HostConfig, requestBytesLimit } from "@quorate/host";
import { storageDefaults } from "@quorate/storage";
import type { DamageMode } from "./damage/disk-budget.ts";
import { type AuthOptions, drawAuth } from "./client/auth-load.ts";
import { drawLoad, type LoadOptions } from "./client/load.ts";
import { drawFaults, type FaultOptions } from "./nemesis/families.ts";
import type { NetworkOptions } from "./network/network-options.ts";
import type { SimRandom } from "./sim-random.ts";
import { type WorkloadName, workloadNames } from "./workloads/workloads.ts";

export interface RunOptions {
  members: number;
  /** Machines beside them that may join. */
  spares: number;
  workload: WorkloadName;
  clients: number;
  /** Clients that watch, beside them. */
  watchers: number;
  /** Clients that hold leases. */
  leaseHolders: number;
  /** Users and rights, and who asks under them; null: authentication stays off. */
  auth: AuthOptions | null;
  load: LoadOptions;
  electionTimeoutMs: number;
  heartbeatIntervalMs: number;
  /** Longest time with faults before the cluster is founded. */
  foundingMs: number;
  /** Virtual length of the phase with load and faults. */
  safetyMs: number;
  network: Partial<NetworkOptions>;
  /** Sizes and intervals of the hosts: how soon segments roll and logs are compacted. */
  host: Partial<HostConfig>;
  faults: FaultOptions;
  /** How much the families may damage what is durable (atlas.ts). */
  damage: DamageMode;
  /** When the faults end, members reach each other only through one of them at first (L8). */
  bridge: boolean;
  /** After liveness: all lose power, come back, and everything acknowledged is there. */
  finalPowerLoss: boolean;
  /** One look in so many at what is durable is compared with a recovery of a copy of the disk. */
  durableSample: number;
  /** The history is searched through without trust in the log, too (black-box.ts). */
  search: boolean;
}

export function drawOptions(random: SimRandom): RunOptions {
  const electionTimeoutMs = random.pick([200, 300, 500, 1000]);
  const members = random.pick([1, 3, 3, 3, 3, 5, 5, 5]);
  return {
    members,
    spares: 0,
    workload: random.pick(workloadNames),
    clients: random.between(2, 8),
    watchers: random.fork("watchers").pick([0, 1, 2, 4]),
    leaseHolders: random.fork("lease holders").pick([0, 0, 1, 3]),
    auth: drawAuth(random.fork("auth")),
    load: drawLoad(random),
    electionTimeoutMs,
    heartbeatIntervalMs: electionTimeoutMs / 10,
    foundingMs: random.pick([1, 500, 3_000]),
    safetyMs: 60_000,
    network: drawNetwork(random),
    host: drawHost(random),
    faults: drawFaults(random.fork("faults"), members),
    damage: drawDamage(random.fork("damage")),
    bridge: random.fork("bridge").chance(0.25),
    finalPowerLoss: random.chance(0.5),
    durableSample: random.pick([1_000, 3_000, 10_000]),
    search: false,
  };
}

/** Beyond the atlas in one seed of twenty. */
function drawDamage(random: SimRandom): DamageMode {
  const draw = random.below(20);
  return draw === 0 ? "beyond" : draw < 9 ? "atlas" : "none";
}

function drawHost(random: SimRandom): Partial<HostConfig> {
  const walSegmentBytes = random.pick([65_536, 65_536, 65_536, 131_072, 131_072, 131_072, 786_432]);
  return {
    checkpointBytes: random.pick([8_192, 65_536]),
    checkpointIntervalMs: random.pick([100, 1_000, 5_000]),
    catchUpEntriesMax: random.pick([3, 30, 300]),
    catchUpBytesMax: random.pick([4_096, 65_536]),
    requestTimeoutMs: random.pick([1_500, 3_000]),
    requestsMax: random.pick([4, 16, 20_000]),
    electionRankSlotMs: random.pick([0, 0, 20, 60]),
    lateVoteAnswers: random.chance(0.3),
    requestBytesMax: Math.floor(requestBytesLimit(walSegmentBytes) / random.pick([1, 1, 2])),
    txnOpsMax: random.pick([16, 128]),
    watchProgressMs: random.fork("watch progress").pick([200, 2_000, 600_000]),
    watchStreamBufferBytes: random.fork("watch stream").pick([1, 4_096, 1_048_576]),
    watchBufferBytes: random.fork("watch buffers").pick([8_192, 268_435_456]),
    leaseCheckpointIntervalMs: random.fork("lease checkpoints").pick([300, 1_000, 300_000]),
    storage: {
      ...storageDefaults,
      walSegmentBytes,
      rowSegmentBytes: random.pick([8_192, 65_536]),
      unsavedRowBytesMax: random.pick([32_768, 1_048_576]),
      rowCacheBytesMax: 32_768,
      reclaimBytesPerSecond: 1_048_576,
      // More often than in a day: a run is a minute.
      scrubIntervalMs: random.fork("scrub").pick([Infinity, Infinity, 2_000, 10_000]),
      scrubBytesPerSecond: 1_048_576,
      stagingRecordBytes: 65_536,
    },
  };
}

/** What holds for all traffic of a run; single ways and moments get worse through the nemeses. */
function drawNetwork(random: SimRandom): Partial<NetworkOptions> {
  const slow = random.chance(0.3);
  return {
    delayMinUs: slow ? random.between(100, 10_000) : 100,
    delayMaxUs: slow ? random.between(10_000, 40_000) : 2_000,
    lossChance: random.chance(0.4) ? random.below(300) / 1000 : 0,
    duplicateChance: random.chance(0.4) ? random.below(500) / 1000 : 0,
    duplicateDelayMaxUs: random.doublings(1_000, 60_000_000),
    tailChance: random.chance(0.5) ? 0.01 : 0,
    lateChance: random.chance(0.2) ? random.below(50) / 1000 : 0,
    lateMaxUs: random.doublings(1_000, 1_000_000),
    clogChance: random.chance(0.2) ? random.below(20) / 1000 : 0,
    clogMaxUs: random.doublings(10_000, 10_000_000),
    resetChance: random.chance(0.2) ? random.below(10) / 1000 : 0,
    flipChance: random.chance(0.2) ? random.pick([0.0001, 0.001, 0.01]) : 0,
  };
}

/**
 * Members that come and go, or not: what counts damaged disks knows who the members are, and a single
 * one has nobody to be replaced by. Strangers are refused in other words by who joined later.
 */
export function settleMembership(options: RunOptions): void {
  const { faults } = options;
  if (options.members === 1 || options.damage !== "none") faults.membership = null;
  if (faults.membership === null) return;
  options.spares = 2;
  options.host = { ...options.host, memberHealthMs: faults.membership.healthMs };
  faults.strangers = null;
}
