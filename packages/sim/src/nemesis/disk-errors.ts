// Operations that fail: a sync says EIO once and the next one succeeds without what it covered, a
// write or a rename fails, a file system is read-only or closed to the process for a while. The
// member must end (71, or 64 at its start) and come back as if it had crashed.
import type { SimCluster } from "../cluster.ts";
import { DiskOperation } from "../disk/disk-operation.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface DiskErrorOptions extends Pace {
  readonly spells: boolean;
  readonly spellMaxMs: number;
}

export function drawDiskErrors(random: SimRandom): DiskErrorOptions {
  return {
    spells: random.chance(0.5),
    spellMaxMs: random.pick([500, 5_000]),
    pauseMinMs: random.pick([100, 1_000]),
    pauseMaxMs: random.pick([5_000, 20_000]),
  };
}

const zones = ["", "/wal-", "/rows-", "/tables-", "/MANIFEST-", "/IDENTITY-"] as const;
const changing: readonly DiskOperation[] = [
  DiskOperation.Write,
  DiskOperation.Truncate,
  DiskOperation.Rename,
  DiskOperation.Remove,
  DiskOperation.SyncDirectory,
];

export class DiskErrors implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: DiskErrorOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: DiskErrorOptions) {
    this.name = "diskErrors";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    for (const { disk } of this.#cluster.members) disk.fault = null;
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    if (member.disk.fault !== null) return;
    if (this.#options.spells && random.chance(0.3)) this.#beginSpell(random, member);
    else if (random.chance(0.7)) this.#failOne(member, [DiskOperation.Sync], random.pick(zones));
    else this.#failOne(member, [random.pick(changing)], random.pick(zones));
  }

  /** The next operation of this kind there. */
  #failOne(member: SimMember, kinds: readonly DiskOperation[], zone: string): void {
    const { faults } = this.#cluster.world;
    member.disk.fault = (operation, path) => {
      if (!kinds.includes(operation) || !path.includes(zone)) return null;
      member.disk.fault = null;
      this.#cluster.budget?.blame(member);
      faults.count(operation === DiskOperation.Sync ? "disk.failed-sync" : "disk.failed-write");
      return "EIO";
    };
  }

  /** Files are opened to be written, so opening fails as well. */
  #beginSpell(random: SimRandom, member: SimMember): void {
    const { world } = this.#cluster;
    const code = random.pick(["EROFS", "EPERM"]);
    const kinds: readonly DiskOperation[] =
      code === "EROFS"
        ? [...changing, DiskOperation.Sync, DiskOperation.Open]
        : [DiskOperation.Open, DiskOperation.Rename, DiskOperation.Remove];
    world.faults.count(code === "EROFS" ? "disk.read-only" : "disk.no-permission");
    const spell = (operation: DiskOperation): string | null => {
      if (!kinds.includes(operation)) return null;
      this.#cluster.budget?.blame(member);
      return code;
    };
    member.disk.fault = spell;
    world.after(random.doublings(10, this.#options.spellMaxMs) * 1000, () => {
      if (member.disk.fault === spell) member.disk.fault = null;
    });
  }
}
