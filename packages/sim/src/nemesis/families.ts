// All families of faults: what a run draws of each (null: the family is off in this run, swarm
// testing) and who injects it. A new family is one file beside this one and one row here.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { BadLinks, type BadLinkOptions, drawBadLinks } from "./bad-links.ts";
import { type BrokenFileOptions, BrokenFiles, drawBrokenFiles } from "./broken-files.ts";
import { type ClockOptions, Clocks, drawClocks } from "./clocks.ts";
import { type CrashOptions, Crashes, drawCrashes } from "./crashes.ts";
import { type DiskErrorOptions, DiskErrors, drawDiskErrors } from "./disk-errors.ts";
import { type DistanceOptions, Distances, drawDistances } from "./distances.ts";
import { drawFullDisks, type FullDiskOptions, FullDisks } from "./full-disks.ts";
import { drawLostDisks, type LostDiskOptions, LostDisks } from "./lost-disks.ts";
import { drawMembership, Membership, type MembershipOptions } from "./membership.ts";
import { type DoubleOptions, Doubles, drawDoubles } from "./doubles.ts";
import type { Nemesis } from "./nemesis.ts";
import { drawPartitions, type PartitionOptions, Partitions } from "./partitions.ts";
import { drawPauses, type PauseOptions, Pauses } from "./pauses.ts";
import { drawReplays, type ReplayOptions, Replays } from "./replays.ts";
import { drawRot, Rot, type RotOptions } from "./rot.ts";
import { drawRestarts, type RestartOptions, Restarts } from "./restarts.ts";
import { drawSlowDisks, type SlowDiskOptions, SlowDisks } from "./slow-disks.ts";
import { drawStrangers, type StrangerOptions, Strangers } from "./strangers.ts";
import { drawSwizzles, type SwizzleOptions, Swizzles } from "./swizzles.ts";
import { drawWipes, type WipeOptions, Wipes } from "./wipes.ts";

export interface FaultOptions {
  badLinks: BadLinkOptions | null;
  clocks: ClockOptions | null;
  crashes: CrashOptions | null;
  distances: DistanceOptions | null;
  doubles: DoubleOptions | null;
  partitions: PartitionOptions | null;
  pauses: PauseOptions | null;
  replays: ReplayOptions | null;
  restarts: RestartOptions | null;
  slowDisks: SlowDiskOptions | null;
  strangers: StrangerOptions | null;
  swizzles: SwizzleOptions | null;
  wipes: WipeOptions | null;
  rot: RotOptions | null;
  brokenFiles: BrokenFileOptions | null;
  diskErrors: DiskErrorOptions | null;
  fullDisks: FullDiskOptions | null;
  lostDisks: LostDiskOptions | null;
  membership: MembershipOptions | null;
}
export type FamilyName = keyof FaultOptions;

interface Family<S> {
  readonly draw: (random: SimRandom, members: number) => S | null;
  readonly make: (cluster: SimCluster, settings: S) => Nemesis;
  /** Acts only until the cluster is founded. */
  readonly foundingOnly: boolean;
}

const families: { readonly [K in FamilyName]: Family<NonNullable<FaultOptions[K]>> } = {
  badLinks: {
    draw: (random) => (random.chance(0.4) ? drawBadLinks(random) : null),
    make: (cluster, settings) => new BadLinks(cluster, settings),
    foundingOnly: false,
  },
  clocks: {
    draw: (random) => (random.chance(0.3) ? drawClocks(random) : null),
    make: (cluster, settings) => new Clocks(cluster, settings),
    foundingOnly: false,
  },
  crashes: {
    draw: (random) => (random.chance(0.85) ? drawCrashes(random) : null),
    make: (cluster, settings) => new Crashes(cluster, settings),
    foundingOnly: false,
  },
  distances: {
    draw: (random) => (random.chance(0.2) ? drawDistances(random) : null),
    make: (cluster, settings) => new Distances(cluster, settings),
    foundingOnly: false,
  },
  doubles: {
    draw: (random) => (random.chance(0.15) ? drawDoubles(random) : null),
    make: (cluster, settings) => new Doubles(cluster, settings),
    foundingOnly: false,
  },
  partitions: {
    draw: (random) => (random.chance(0.6) ? drawPartitions(random) : null),
    make: (cluster, settings) => new Partitions(cluster, settings),
    foundingOnly: false,
  },
  pauses: {
    draw: (random) => (random.chance(0.3) ? drawPauses(random) : null),
    make: (cluster, settings) => new Pauses(cluster, settings),
    foundingOnly: false,
  },
  replays: {
    draw: (random) => (random.chance(0.3) ? drawReplays(random) : null),
    make: (cluster, settings) => new Replays(cluster, settings),
    foundingOnly: false,
  },
  restarts: {
    draw: (random) => (random.chance(0.25) ? drawRestarts(random) : null),
    make: (cluster, settings) => new Restarts(cluster, settings),
    foundingOnly: false,
  },
  slowDisks: {
    draw: (random) => (random.chance(0.3) ? drawSlowDisks(random) : null),
    make: (cluster, settings) => new SlowDisks(cluster, settings),
    foundingOnly: false,
  },
  strangers: {
    draw: (random) => (random.chance(0.3) ? drawStrangers(random) : null),
    make: (cluster, settings) => new Strangers(cluster, settings),
    foundingOnly: false,
  },
  swizzles: {
    draw: (random) => (random.chance(0.15) ? drawSwizzles(random) : null),
    make: (cluster, settings) => new Swizzles(cluster, settings),
    foundingOnly: false,
  },
  wipes: {
    draw: (random) => (random.chance(0.3) ? drawWipes(random) : null),
    make: (cluster, settings) => new Wipes(cluster, settings),
    foundingOnly: true,
  },
  rot: {
    draw: (random) => (random.chance(0.7) ? drawRot(random) : null),
    make: (cluster, settings) => new Rot(cluster, settings),
    foundingOnly: false,
  },
  brokenFiles: {
    draw: (random) => (random.chance(0.4) ? drawBrokenFiles(random) : null),
    make: (cluster, settings) => new BrokenFiles(cluster, settings),
    foundingOnly: false,
  },
  diskErrors: {
    draw: (random) => (random.chance(0.3) ? drawDiskErrors(random) : null),
    make: (cluster, settings) => new DiskErrors(cluster, settings),
    foundingOnly: false,
  },
  fullDisks: {
    draw: (random) => (random.chance(0.2) ? drawFullDisks(random) : null),
    make: (cluster, settings) => new FullDisks(cluster, settings),
    foundingOnly: false,
  },
  lostDisks: {
    draw: (random) => (random.chance(0.3) ? drawLostDisks(random) : null),
    make: (cluster, settings) => new LostDisks(cluster, settings),
    foundingOnly: false,
  },
  membership: {
    draw: (random) => (random.chance(0.4) ? drawMembership(random) : null),
    make: (cluster, settings) => new Membership(cluster, settings),
    foundingOnly: false,
  },
};

export const familyNames = Object.keys(families) as readonly FamilyName[];

/** Each family draws from a stream of its own: a new family shifts no other. */
export function drawFaults(random: SimRandom, members: number): FaultOptions {
  const drawn: Partial<Record<FamilyName, unknown>> = {};
  for (const name of familyNames) drawn[name] = families[name].draw(random.fork(name), members);
  return drawn as FaultOptions;
}

export interface ActiveFamily {
  readonly name: FamilyName;
  readonly nemesis: Nemesis;
  readonly foundingOnly: boolean;
}

export function makeNemeses(cluster: SimCluster, options: FaultOptions): ActiveFamily[] {
  return familyNames.flatMap((name) => {
    const nemesis = makeOne(cluster, name, options[name]);
    return nemesis === null ? [] : [{ name, nemesis, foundingOnly: families[name].foundingOnly }];
  });
}

function makeOne<K extends FamilyName>(
  cluster: SimCluster,
  name: K,
  settings: FaultOptions[K],
): Nemesis | null {
  const family: Family<NonNullable<FaultOptions[K]>> = families[name];
  return settings === null ? null : family.make(cluster, settings);
}
