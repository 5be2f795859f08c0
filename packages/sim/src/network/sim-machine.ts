// A machine on the simulated network: its addresses, who listens there, whether it has power, and
// which ways from it are cut, slow or bad.
import type { Link, LinkEvents } from "@quorate/storage";
import type { SimRandom } from "../sim-random.ts";
import type { SimUser } from "../sim-user.ts";
import type { NetworkOptions } from "./network-options.ts";
import { Way } from "./way.ts";

export interface Listener {
  readonly user: SimUser;
  readonly accept: (link: Link) => LinkEvents;
}

export class SimMachine {
  readonly name: string;
  addresses: readonly string[];
  /** False after a power loss until a process starts again: silence instead of refusals. */
  up: boolean;
  listener: Listener | null;
  /** Traffic from here to these does not arrive. */
  readonly cutTo: Set<SimMachine>;
  /** Dials from these are refused although somebody listens: a proxy in between that blinks. */
  readonly refuses: Set<SimMachine>;
  /** All its traffic takes this many times as long. */
  slowFactor: number;
  /** Reasons why nothing enters or leaves it now (a suspended machine, a clogged interface). */
  stalls: number;
  /** Not one of the cluster: what it sends is nothing that checkers may believe. */
  foreign: boolean;
  readonly #ways: Map<SimMachine, Way>;

  constructor(name: string, addresses: readonly string[]) {
    this.name = name;
    this.addresses = addresses;
    this.up = true;
    this.listener = null;
    this.cutTo = new Set();
    this.refuses = new Set();
    this.slowFactor = 1;
    this.stalls = 0;
    this.foreign = false;
    this.#ways = new Map();
  }

  wayTo(to: SimMachine): Way {
    let way = this.#ways.get(to);
    if (way === undefined) {
      way = new Way();
      this.#ways.set(to, way);
    }
    return way;
  }

  ways(): Iterable<Way> {
    return this.#ways.values();
  }

  /** Nothing from here arrives there now; what is sent waits. */
  blockedTo(to: SimMachine): boolean {
    return this.cutTo.has(to) || this.stalls > 0 || to.stalls > 0;
  }

  delayUs(to: SimMachine, options: NetworkOptions, random: SimRandom): number {
    const drawn = random.between(options.delayMinUs, options.delayMaxUs);
    const tail = options.tailChance > 0 && random.chance(options.tailChance) ? 10 : 1;
    const way = this.#ways.get(to);
    const factor = Math.max(this.slowFactor, to.slowFactor, way?.slowFactor ?? 1);
    const far = way !== undefined && way.addedMaxUs > 0;
    return drawn * tail * factor + (far ? random.between(way.addedMinUs, way.addedMaxUs) : 0);
  }
}
