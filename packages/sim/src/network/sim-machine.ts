// A machine on the simulated network: its addresses, who listens there, whether it has power, and
// which ways from it are cut.
import type { Link, LinkEvents } from "@quorate/storage";
import type { SimRandom } from "../sim-random.ts";
import type { SimUser } from "../sim-user.ts";
import type { NetworkOptions } from "./network-options.ts";

export interface Listener {
  readonly user: SimUser;
  readonly accept: (link: Link) => LinkEvents;
}

export class SimMachine {
  readonly name: string;
  readonly addresses: readonly string[];
  /** False after a power loss until a process starts again: silence instead of refusals. */
  up: boolean;
  listener: Listener | null;
  /** Traffic from here to these does not arrive. */
  readonly cutTo: Set<SimMachine>;
  /** Dials from these are refused although somebody listens: a proxy in between that blinks. */
  readonly refuses: Set<SimMachine>;
  /** All its traffic takes this many times as long. */
  slowFactor: number;

  constructor(name: string, addresses: readonly string[]) {
    this.name = name;
    this.addresses = addresses;
    this.up = true;
    this.listener = null;
    this.cutTo = new Set();
    this.refuses = new Set();
    this.slowFactor = 1;
  }

  delayUs(to: SimMachine, options: NetworkOptions, random: SimRandom): number {
    const drawn = random.between(options.delayMinUs, options.delayMaxUs);
    const tail = options.tailChance > 0 && random.chance(options.tailChance) ? 10 : 1;
    return drawn * tail * Math.max(this.slowFactor, to.slowFactor);
  }
}
