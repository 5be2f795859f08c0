// The clients of a run that watch, beside those that ask.
import type { Credential } from "@quorate/host";
import { demand } from "../checkers/violation.ts";
import type { SimCluster } from "../cluster.ts";
import { named, userNames } from "../workloads/auth-people.ts";
import { WatchClient, type WatchSelf } from "./watch-client.ts";
import { WatchHistory } from "./watch-history.ts";

/** After the heal point, when everything else has come to rest. */
const syncedWithinMs = 10_000;

export class WatchLoad {
  readonly history: WatchHistory;
  readonly #cluster: SimCluster;
  readonly #clients: readonly WatchClient[];

  /** `credential`: of those that watch anything; beside them so many users. */
  constructor(
    cluster: SimCluster,
    clients: number,
    credential: Credential | null = null,
    users: number = 0,
  ) {
    this.history = new WatchHistory();
    this.#cluster = cluster;
    const random = cluster.world.random("watchers");
    this.#clients = Array.from({ length: clients + users }, (_, at) => {
      const own = random.fork(`client ${at}`);
      const isUser = at >= clients;
      const self: WatchSelf = isUser
        ? { credential: named(own.pick(userNames)), isUser }
        : { credential, isUser };
      return new WatchClient(cluster, this.history, own, self);
    });
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
