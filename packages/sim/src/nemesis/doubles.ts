// Somebody starts a second process on the directory of one that runs: a service manager gone wrong,
// an operator on the wrong terminal.
import type { SimCluster } from "../cluster.ts";
import { checkSecondProcess } from "../checkers/one-process.ts";
import { directoryOf } from "../cluster-options.ts";
import { EndKind, type ProcessHooks } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export type DoubleOptions = Pace;

export function drawDoubles(random: SimRandom): DoubleOptions {
  return drawPace(random);
}

/** By then it must have ended. */
const endsWithinMs = 10;

const hooks: ProcessHooks = { crashPlan: null, onMark: () => {}, onEnd: () => {} };

export class Doubles implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: DoubleOptions) {
    this.name = "doubles";
    this.#cluster = cluster;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    const { disk, running } = member;
    // On a disk that fails it may find another reason to stop first.
    const honest = disk.fault === null && disk.damage.alive(directoryOf(member.name)).length === 0;
    // Who asks to join has no directory yet: the second one has nothing to find taken.
    const opened = !member.config.join || (member.host?.status().bootCount ?? 0) > 0;
    if (running && honest && opened) this.#double(member);
  }

  #double(member: SimMember): void {
    const { world } = this.#cluster;
    world.faults.count("process.second");
    world.note(member.name, "second process");
    const { disk } = member;
    const first = member.incarnation!;
    const diskOperations: string[] = [];
    const changes = disk.newestChange;
    const { onSubmit } = disk;
    disk.onSubmit = (operation, path) => void diskOperations.push(`${operation} ${path}`);
    const second = member.startSecond(hooks);
    disk.onSubmit = onSubmit;
    if (disk.newestChange !== changes) diskOperations.push("a name was made");
    const firstAlive = first.alive;
    world.after(endsWithinMs * 1000, () => {
      const { alive, exitCode, reason, end } = second;
      if (end === EndKind.PowerLost) return;
      checkSecondProcess(second.name, { alive, exitCode, reason, diskOperations, firstAlive });
    });
  }
}
