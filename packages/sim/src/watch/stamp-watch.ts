// Holds the wall times in entries against the clocks of the members: those on the wire, committed or
// not, and those that are applied.
import { checkStampBound, checkStampOrder, type StampedEntry } from "../checkers/entry-stamps.ts";
import type { SimCluster } from "../cluster.ts";

export class StampWatch {
  readonly #cluster: SimCluster;
  /** Newest entry applied anywhere whose stamp is known. */
  #newest: StampedEntry | null;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#newest = null;
  }

  /** Neighbours in the sender's log. */
  sent(entries: readonly StampedEntry[]): void {
    const newest = entries.at(-1);
    if (newest === undefined) return;
    for (let at = 1; at < entries.length; at++) checkStampOrder(entries[at - 1]!, entries[at]!);
    checkStampBound(newest, this.#clocks());
  }

  /** Operations of the state machine, each at its first apply, in order. */
  applied(entry: StampedEntry): void {
    if (this.#newest !== null) checkStampOrder(this.#newest, entry);
    checkStampBound(entry, this.#clocks());
    this.#newest = entry;
  }

  /** All listed members vote. */
  #clocks(): number[] {
    return this.#cluster.members.map(({ clock }) => clock.highestWallMs());
  }
}
