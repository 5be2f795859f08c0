// Holds the wall times in entries against the clocks of the members: those on the wire, committed or
// not, and those that are applied.
import { checkStampBound, checkStampOrder, type StampedEntry } from "../checkers/entry-stamps.ts";
import type { SimCluster } from "../cluster.ts";
import type { Configurations } from "./configurations.ts";

export class StampWatch {
  readonly #cluster: SimCluster;
  readonly #configurations: Configurations;
  /** Newest entry applied anywhere whose stamp is known. */
  #newest: StampedEntry | null;
  /** Of all stamps that were seen and are right. */
  #highestMs: number;

  constructor(cluster: SimCluster, configurations: Configurations) {
    this.#cluster = cluster;
    this.#configurations = configurations;
    this.#newest = null;
    this.#highestMs = 0;
  }

  /** Neighbours in the sender's log. */
  sent(entries: readonly StampedEntry[]): void {
    for (let at = 1; at < entries.length; at++) checkStampOrder(entries[at - 1]!, entries[at]!);
    const newest = entries.at(-1);
    if (newest !== undefined) this.#checkBound(newest);
  }

  /** Operations of the state machine, each at its first apply, in order. */
  applied(entry: StampedEntry): void {
    if (this.#newest !== null) checkStampOrder(this.#newest, entry);
    this.#checkBound(entry);
    this.#newest = entry;
  }

  #checkBound(entry: StampedEntry): void {
    if (entry.wallMs <= this.#highestMs) return;
    checkStampBound(entry, {
      clocks: this.#cluster.members.map(({ clock }) => clock.highestWallMs()),
      quorum: this.#configurations.smallestQuorum(),
      highestBefore: this.#highestMs,
    });
    this.#highestMs = entry.wallMs;
  }
}
