// What a member's disk would give back if the power went now: the disk is copied in the state after
// such a loss, and the real storage recovers from the copy in a world of its own. So what checkers
// call durable is what a restart would find, and never what the member believes. Damage to the disk
// does not count (what it truly holds is durable), unless that is what is asked for.
import { assert } from "@quorate/base";
import type { HostConfig } from "@quorate/host";
import {
  type DataDirectory,
  type DirectoryOptions,
  type ExitCode,
  finishSettingAside,
  mayRunRaft,
  openDirectory,
  openStorage,
  ownerNow,
  type PeerRecord,
  type Recovered,
} from "@quorate/storage";
import type { UnsyncedFate } from "./disk/sim-file.ts";
import { DurableLog, type LogFound } from "./durable/durable-log.ts";
import { SimClock } from "./sim-clock.ts";
import type { SimDisk } from "./sim-disk.ts";
import { EndKind, SimProcess } from "./sim-env.ts";
import { SimNetwork } from "./sim-network.ts";
import { World } from "./world.ts";

const recoveryMsMax = 600_000;

export interface DurableImage {
  /** Why the disk would refuse to start; null: it starts. */
  readonly refusal: string | null;
  readonly exitCode: ExitCode | null;
  readonly raftId: number;
  /** The start that this would be. */
  readonly bootCount: number;
  readonly peers: readonly PeerRecord[];
  /** Passed on the way. */
  readonly marks: readonly string[];
  /** Of a started genesis; null: none. */
  readonly genesis: Uint8Array | null;
  readonly log: DurableLog;
}

type Outcome = Omit<DurableImage, "marks">;

export function durableImage(
  disk: SimDisk,
  config: HostConfig,
  fate: UnsyncedFate,
  seed: number,
  damaged = false,
): DurableImage {
  const marks: string[] = [];
  const world = new World(seed);
  const copy = disk.fork(world, world.random("disk"), fate, damaged);
  const { timings } = copy;
  timings.writeMinUs = timings.writeMaxUs = timings.syncMinUs = timings.syncMaxUs = 1;
  const network = new SimNetwork(world, world.random("network"));
  network.addMachine("m", ["m:1"]);
  const incarnation = new SimProcess(
    `${disk.name}'`,
    {
      world,
      network,
      disk: copy,
      clock: new SimClock(world, 0, 0, 0),
      random: world.random("process"),
      machine: "m",
    },
    { crashPlan: null, onMark: (_, mark) => void marks.push(mark), onEnd: () => {} },
  );
  let image: DurableImage | null = null;
  const found = (outcome: Outcome): void => {
    image = { ...outcome, marks };
  };
  incarnation.run(() => recover(incarnation, config, found));
  const ended = world.runUntil(() => image !== null || !incarnation.alive, recoveryMsMax);
  assert(ended, () => `${disk.name}: recovery of a copy does not end`);
  if (image !== null) return image;
  assert(
    incarnation.end !== EndKind.Asserted,
    () => incarnation.failure?.stack ?? incarnation.reason,
  );
  return { ...refused(incarnation.reason, incarnation.exitCode), marks };
}

function recover(
  incarnation: SimProcess,
  config: HostConfig,
  found: (image: Outcome) => void,
): void {
  const { directory, walDirectory, clusterId } = config;
  // Who joins is told who it is, and says so itself from then on.
  const owner = config.join ? ownerNow(incarnation, directory) : null;
  const memberId = owner?.memberId ?? config.memberId;
  const options = { directory, walDirectory, clusterId, memberId, levelMax: 1 };
  finishSettingAside(incarnation, options, (refusal) => {
    if (refusal !== null) found(refused(refusal.reason, refusal.exitCode));
    else open(incarnation, options, config, found);
  });
}

function open(
  incarnation: SimProcess,
  options: DirectoryOptions,
  config: HostConfig,
  found: (image: Outcome) => void,
): void {
  openDirectory(incarnation, options, (outcome) => {
    if (!outcome.ok) {
      return found(refused(outcome.reason, outcome.exitCode));
    }
    const opened = outcome.directory;
    if (!mayRunRaft(opened.genesisState)) return found(imageOf(opened, null));
    openStorage(incarnation, opened, config.storage, (storage) => {
      if (storage.ok) found(imageOf(opened, storage.recovered));
      else {
        const { reason, exitCode } = storage;
        found({ ...imageOf(opened, null), refusal: reason, exitCode });
      }
    });
  });
}

function refused(refusal: string, exitCode: ExitCode | null): Outcome {
  return {
    refusal,
    exitCode,
    raftId: 0,
    bootCount: 0,
    peers: [],
    genesis: null,
    log: new DurableLog(null),
  };
}

function imageOf(directory: DataDirectory, recovered: Recovered | null): Outcome {
  return {
    refusal: null,
    exitCode: null,
    raftId: directory.raftId,
    bootCount: directory.bootCount,
    peers: recovered?.peers ?? [],
    genesis: mayRunRaft(directory.genesisState) ? directory.genesis : null,
    log: new DurableLog(recovered === null ? null : logOf(recovered)),
  };
}

function logOf({
  hardState,
  checkpoint,
  lost,
  logStartIndex,
  logStartTerm,
  entries,
  promised,
  behind,
}: Recovered): LogFound {
  const startIndex = logStartIndex;
  const checkpointIndex = checkpoint?.index ?? lost?.index ?? 0;
  const start = { hardState, checkpointIndex, startIndex, startTerm: logStartTerm };
  return { ...start, entries, promised, behind };
}
