// What a member's disk would give back if the power went now: the disk is copied in the state after
// such a loss, and the real storage recovers from the copy in a world of its own. So what checkers
// call durable is what a restart would find, and never what the member believes.
import { assert } from "@quorate/base";
import type { HostConfig } from "@quorate/host";
import {
  type DataDirectory,
  GenesisState,
  openDirectory,
  openStorage,
  type Recovered,
} from "@quorate/storage";
import type { UnsyncedFate } from "./disk/sim-file.ts";
import { DurableLog } from "./durable/durable-log.ts";
import { SimClock } from "./sim-clock.ts";
import type { SimDisk } from "./sim-disk.ts";
import { EndKind, SimProcess } from "./sim-env.ts";
import { SimNetwork } from "./sim-network.ts";
import { World } from "./world.ts";

const recoveryMsMax = 600_000;

export interface DurableImage {
  /** Why the disk would refuse to start; null: it starts. */
  readonly refusal: string | null;
  readonly raftId: number;
  /** Of a started genesis; null: none. */
  readonly genesis: Uint8Array | null;
  readonly log: DurableLog;
}

export function durableImage(
  disk: SimDisk,
  config: HostConfig,
  fate: UnsyncedFate,
  seed: number,
): DurableImage {
  const world = new World(seed);
  const copy = disk.fork(world, world.random("disk"), fate);
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
    { crashPlan: null, onMark: () => {}, onEnd: () => {} },
  );
  let image: DurableImage | null = null;
  const found = (outcome: DurableImage): void => {
    image = outcome;
  };
  incarnation.run(() => recover(incarnation, config, found));
  const ended = world.runUntil(() => image !== null || !incarnation.alive, recoveryMsMax);
  assert(ended, () => `${disk.name}: recovery of a copy does not end`);
  if (image !== null) return image;
  assert(
    incarnation.end !== EndKind.Asserted,
    () => incarnation.failure?.stack ?? incarnation.reason,
  );
  return { refusal: incarnation.reason, raftId: 0, genesis: null, log: new DurableLog(null) };
}

function recover(
  incarnation: SimProcess,
  config: HostConfig,
  found: (image: DurableImage) => void,
): void {
  const { directory, walDirectory, clusterId, memberId } = config;
  const options = { directory, walDirectory, clusterId, memberId, levelMax: 1 };
  openDirectory(incarnation, options, (outcome) => {
    if (!outcome.ok) {
      return found({
        refusal: outcome.reason,
        raftId: 0,
        genesis: null,
        log: new DurableLog(null),
      });
    }
    const opened = outcome.directory;
    const started = opened.genesisState === GenesisState.Started;
    if (!started) return found(imageOf(opened, null));
    openStorage(incarnation, opened, config.storage, (storage) => {
      if (storage.ok) found(imageOf(opened, storage.recovered));
      else found({ ...imageOf(opened, null), refusal: storage.reason });
    });
  });
}

function imageOf(directory: DataDirectory, recovered: Recovered | null): DurableImage {
  return {
    refusal: null,
    raftId: directory.raftId,
    genesis: directory.genesisState === GenesisState.Started ? directory.genesis : null,
    log: new DurableLog(recovered),
  };
}
