// Media that do not keep what they were given: bits and sectors rot, ranges are zero or cannot be
// read, a write turns out to be lost or to stand elsewhere. Only durable bytes, and as far as the
// atlas admits it.
import { batchHeaderBytes } from "@quorate/storage/internal";
import type { SimCluster } from "../cluster.ts";
import { directoryOf } from "../cluster-options.ts";
import { pickPlace, pickTarget, type Target, targetsOf } from "../damage/target.ts";
import { RecentWrites } from "../disk/recent-writes.ts";
import { sectorBytes } from "../disk/torn-write.ts";
import type { FaultKind } from "../fault-counts.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface RotOptions extends Pace {
  /** Chance that the process on the damaged disk is killed at once, so that a start finds it. */
  readonly killChance: number;
  readonly lostWrites: boolean;
}

export function drawRot(random: SimRandom): RotOptions {
  return {
    killChance: random.pick([0, 0.5, 1]),
    lostWrites: random.chance(0.5),
    pauseMinMs: random.pick([100, 1_000]),
    pauseMaxMs: random.pick([10_000, 30_000]),
  };
}

/** Two lost ends, something whole before them, and something to damage before that. */
const batchesOfTwoHits = 6;
/** Records begin right behind the header of a batch. */
const payloadHit = 16;

/** Null: nothing was hit. */
type Hit = FaultKind | null;

export class Rot implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: RotOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: RotOptions) {
    this.name = "rot";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    if (this.#options.lostWrites) {
      for (const { disk } of this.#cluster.members) disk.recent ??= new RecentWrites();
    }
    this.#repeater.start();
  }

  /** What is damaged stays so. */
  stop(): void {
    this.#repeater.stop();
    for (const { disk } of this.#cluster.members) disk.recent = null;
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    let hit: Hit = null;
    const done = this.#cluster.budget?.damage(member, () => {
      hit = hitOne(random, member, this.#options.lostWrites);
    });
    if (hit === null || done !== true) return;
    this.#cluster.world.faults.count(hit);
    this.#cluster.world.note(member.name, "disk damaged", { kind: hit });
    if (member.running && random.chance(this.#options.killChance)) {
      this.#cluster.world.faults.count("process.kill");
      member.kill();
    }
  }
}

/** Whatever the atlas says of it. */
export function hitOne(random: SimRandom, member: SimMember, lostWrites: boolean): Hit {
  const targets = targetsOf(member.disk, directoryOf(member.name));
  if (lostWrites && random.chance(0.4)) return loseWrite(random, member, targets);
  const target = pickTarget(random, targets);
  return target === null ? null : hitAtRest(random, member, target);
}

function hitAtRest(random: SimRandom, { disk }: SimMember, target: Target): Hit {
  const { path, file, batches } = target;
  if (batches.length >= batchesOfTwoHits && random.chance(0.15)) {
    return hitTwice(random, disk, target);
  }
  if (batches.length > 0 && random.chance(0.2)) return hitLastPayload(random, disk, target);
  const { from, end } = pickPlace(random, target);
  const longest = Math.max(1, end - from);
  const draw = random.below(5);
  if (draw === 0) {
    const at = from + random.below(Math.min(longest, 4096));
    return rot(disk, path, at, flipped(random, file.syncedBytes().subarray(at, at + 1)));
  }
  // A range of sectors, short more often than up to the end.
  const length = random.chance(0.2)
    ? longest
    : Math.min(longest, random.doublings(sectorBytes, 65_536));
  const to = Math.min(file.length, from + Math.ceil(length / sectorBytes) * sectorBytes);
  if (!file.isDurable(from, to)) return null;
  if (draw === 1) {
    disk.damage.failReads(path, from, to);
    return "disk.read-error";
  }
  if (draw === 2) {
    disk.damage.rot(path, from, new Uint8Array(to - from));
    return "disk.zeroed";
  }
  return rot(disk, path, from, flipped(random, file.syncedBytes().subarray(from, to)));
}

/**
 * The end of the log is gone and something before it is damaged too: whole batches in between tell that
 * there was more, and not what was promised there.
 */
function hitTwice(random: SimRandom, disk: SimMember["disk"], { path, batches }: Target): Hit {
  const lost = random.between(1, 3);
  const from = batches.at(-lost)!.from;
  const { to } = batches.at(-1)!;
  const earlier = random.pick(batches.slice(0, -lost - 2));
  if (!disk.isDurable(path, earlier.from, to)) return null;
  disk.damage.rot(path, earlier.from, new Uint8Array(sectorBytes));
  disk.damage.rot(path, from, new Uint8Array(to - from));
  return "disk.zeroed";
}

/** Whoever wrote it last is known by its header, and what it wrote is not. */
function hitLastPayload(random: SimRandom, disk: SimMember["disk"], target: Target): Hit {
  const { path, file, batches } = target;
  const last = random.pick(batches.slice(-3));
  const at = last.from + batchHeaderBytes + random.below(payloadHit);
  if (at >= last.to) return null;
  return rot(disk, path, at, flipped(random, file.syncedBytes().subarray(at, at + 1)));
}

function rot(disk: SimMember["disk"], path: string, from: number, bytes: Uint8Array): Hit {
  const isThere = bytes.length > 0 && disk.isDurable(path, from, from + bytes.length);
  if (!isThere) return null;
  disk.damage.rot(path, from, bytes);
  return "disk.rot";
}

/** Some bit of every byte, or of a few. Of none, where nothing durable stands yet. */
function flipped(random: SimRandom, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const damaged = bytes.slice();
  const few = bytes.length === 1 || random.chance(0.5);
  for (let left = few ? random.between(1, 3) : bytes.length; left > 0; left--) {
    const at = few ? random.below(bytes.length) : left - 1;
    damaged[at] = bytes[at]! ^ (1 << random.below(8));
  }
  return damaged;
}

/** The manifest is written in place: an older copy of it beside a torn one would be believed. */
function loseWrite(random: SimRandom, { disk }: SimMember, targets: readonly Target[]): Hit {
  const writes = disk.recent?.all().filter(({ path }) => !path.includes("MANIFEST")) ?? [];
  if (writes.length === 0) return null;
  const write = random.pick(writes);
  const source = targets.find(({ path }) => path === write.path);
  if (source === undefined) return null;
  if (random.chance(0.5)) return disk.damage.lose(write) ? "disk.lost-write" : null;
  const victims = targets.filter(({ zone }) => zone === source.zone);
  const victim = random.pick(victims);
  const room = victim.file.length - write.bytes.length;
  if (room < 0) return null;
  const position = sectorBytes * random.below(Math.floor(room / sectorBytes) + 1);
  const free = position + write.bytes.length <= write.position || victim.path !== write.path;
  if (!free || !victim.file.isDurable(position, position + write.bytes.length)) return null;
  return disk.damage.misdirect(write, victim.path, position) ? "disk.misdirected-write" : null;
}
