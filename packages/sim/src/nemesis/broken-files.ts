// File systems that lose their way: files are cut off, vanish, or change places. Only durable files,
// and as far as the atlas admits it.
import type { SimCluster } from "../cluster.ts";
import { directoryOf } from "../cluster-options.ts";
import { pickTarget, targetsOf } from "../damage/target.ts";
import type { FaultKind } from "../fault-counts.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface BrokenFileOptions extends Pace {
  /** Chance that the process on the damaged disk is killed at once, so that a start finds it. */
  readonly killChance: number;
}

export function drawBrokenFiles(random: SimRandom): BrokenFileOptions {
  return {
    killChance: random.pick([0, 0.5, 1]),
    pauseMinMs: random.pick([1_000, 5_000]),
    pauseMaxMs: random.pick([20_000, 60_000]),
  };
}

export class BrokenFiles implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: BrokenFileOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: BrokenFileOptions) {
    this.name = "brokenFiles";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  /** What is broken stays so. */
  stop(): void {
    this.#repeater.stop();
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    let hit: FaultKind | null = null;
    const done = this.#cluster.budget?.damage(member, () => {
      hit = breakOne(random, member);
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

/** Whatever the atlas says of it; null: nothing was hit. */
export function breakOne(random: SimRandom, { disk, name }: SimMember): FaultKind | null {
  const targets = targetsOf(disk, directoryOf(name));
  const target = pickTarget(random, targets);
  if (target === null) return null;
  const draw = random.below(3);
  if (draw === 0) {
    const length = random.below(target.file.length);
    // What no sync has made the end of the file may not be its end after all.
    if (!target.file.isDurable(length, target.file.length)) return null;
    disk.damage.cut(target.path, length);
    return "disk.cut-file";
  }
  if (draw === 1) {
    disk.damage.hide(target.path);
    // A small file's two copies share a block of its directory often enough.
    const twin = target.path.replace(/-[12]$/, (end) => (end === "-1" ? "-2" : "-1"));
    const paired = targets.some(({ path }) => path === twin) && twin !== target.path;
    if (paired && random.chance(0.5)) disk.damage.hide(twin);
    return "disk.deleted-file";
  }
  const others = targets.filter(({ zone, path }) => zone === target.zone && path !== target.path);
  if (others.length === 0) return null;
  disk.damage.swap(target.path, random.pick(others).path);
  return "disk.swapped-files";
}
