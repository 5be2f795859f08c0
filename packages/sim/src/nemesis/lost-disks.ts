// Whole directories are lost after the founding: somebody wipes one, or puts an older copy of it in
// place. The member must not take part under its old promises any more: a wiped one is told so, one
// that was rolled back is REGRESSED to all who have met a later start of it.
import type { SimCluster } from "../cluster.ts";
import { directoryOf } from "../cluster-options.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import { durableImage } from "../durable-image.ts";
import type { DirectoryCopy } from "../sim-disk.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface LostDiskOptions extends Pace {
  readonly rollbacks: boolean;
}

export function drawLostDisks(random: SimRandom): LostDiskOptions {
  return {
    rollbacks: random.chance(0.7),
    pauseMinMs: random.pick([1_000, 5_000]),
    pauseMaxMs: random.pick([10_000, 30_000]),
  };
}

interface Backup {
  readonly copy: DirectoryCopy;
  readonly raftId: number;
  /** Starts that the directory had counted. */
  readonly bootCount: number;
}

export class LostDisks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: LostDiskOptions;
  readonly #repeater: Repeater;
  readonly #backups: Map<string, Backup>;

  constructor(cluster: SimCluster, options: LostDiskOptions) {
    this.name = "lostDisks";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#backups = new Map();
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#backups.clear();
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    if (this.#options.rollbacks && random.chance(0.8)) this.#rollBack(member);
    else this.#wipe(random, member);
  }

  #wipe(random: SimRandom, member: SimMember): void {
    if (!random.chance(0.3) || this.#cluster.budget?.lose(member) !== true) return;
    if (member.running) member.kill();
    this.#cluster.wipe(member.name);
    this.#cluster.world.faults.count("disk.wiped");
  }

  /** The first time it only makes the copy. */
  #rollBack(member: SimMember): void {
    const { name, disk } = member;
    const backup = this.#backups.get(name);
    if (backup === undefined) {
      this.#backUp(member);
      return;
    }
    const startsKnown = this.#startsKnownToAll(member, backup);
    if (startsKnown === null) return;
    if (this.#cluster.budget?.lose(member) !== true) return;
    if (member.running) member.kill();
    disk.restoreDirectory(directoryOf(name), backup.copy);
    // From then on its number of starts says nothing any more.
    this.#cluster.operator?.startsAtMost(member, startsKnown - backup.bootCount);
    this.#cluster.world.note(name, "rolled back", { bootCount: backup.bootCount, startsKnown });
    this.#cluster.world.faults.count("disk.rolled-back");
  }

  #backUp(member: SimMember): void {
    const { name, disk, config } = member;
    if (member.host?.inside() === null || member.host === null) return;
    // A wiped member that has not been started again has none.
    if (disk.nodeAt(directoryOf(name)) === null) return;
    const { raftId, bootCount, refusal } = durableImage(disk, config, UnsyncedFate.Keep, 1);
    if (refusal !== null) return;
    // Taking the image has counted one more start, on its own copy.
    const copy = disk.copyDirectory(directoryOf(name));
    this.#backups.set(name, { copy, raftId, bootCount: bootCount - 1 });
  }

  /** The newest start of a member that every other one durably knows of; null: none after the copy. */
  #startsKnownToAll(member: SimMember, { raftId, bootCount }: Backup): number | null {
    let least = Infinity;
    for (const other of this.#cluster.members) {
      if (other === member) continue;
      const { peers } = durableImage(other.disk, other.config, UnsyncedFate.Drop, 1);
      least = Math.min(least, peers.find((peer) => peer.raftId === raftId)?.bootCount ?? 0);
      if (least <= bootCount) return null;
    }
    return least;
  }
}
