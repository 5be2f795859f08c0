// The clients of a run that watch, beside those that ask.
import { demand } from "../checkers/violation.ts";
import type { SimCluster } from "../cluster.ts";
import { WatchClient } from "./watch-client.ts";
import { WatchHistory } from "./watch-history.ts";

/** After the heal point, when everything else has come to rest. */
const syncedWithinMs = 10_000;

export class WatchLoad {
  readonly history: WatchHistory;
  readonly #cluster: SimCluster;
  readonly #clients: readonly WatchClient[];

  constructor(cluster: SimCluster, clients: number) {
    this.history = new WatchHistory();
    this.#cluster = cluster;
    const random = cluster.world.random("watchers");
    this.#clients = Array.from(
      { length: clients },
      (_, at) => new WatchClient(cluster, this.history, random.fork(`client ${at}`)),
    );
  }

  start(): void {
    for (const client of this.#clients) client.start();
  }

  /** They pause and move no more. */
  calm(): void {
    for (const client of this.#clients) client.calm();
  }

  /** L6: within its time every watcher has been told of everything, by those who serve. */
  demandSynced(revision: number, members: readonly string[]): void {
    const { world } = this.#cluster;
    for (const client of this.#clients) client.keepTo(members);
    let lookedUs = Number.NEGATIVE_INFINITY;
    let synced = false;
    const look = (): boolean => {
      if (world.nowUs >= lookedUs + 100_000) {
        lookedUs = world.nowUs;
        synced = this.#clients.map((client) => client.knows(revision)).every(Boolean);
      }
      return synced;
    };
    const behind = (): string =>
      this.history.records
        .filter(({ closed, compacted, next }) => !closed && compacted === null && next !== null)
        .map(({ id, next }) => `${id} at ${next}`)
        .join(", ");
    demand(
      world.runUntil(look, syncedWithinMs),
      "L6 watchers synced",
      () => `not told of revision ${revision} within ${syncedWithinMs} ms: ${behind()}`,
    );
  }
}
