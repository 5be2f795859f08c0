// The clients of a run that hold leases, beside those that ask for keys and those that watch.
import { AlarmType } from "@quorate/kv";
import { demandGone } from "../checkers/lease-ends.ts";
import type { SimCluster } from "../cluster.ts";
import type { History } from "./history.ts";
import { named, userNames } from "../workloads/auth-people.ts";
import { LeaseClient } from "./lease-client.ts";
import { LeaseHistory } from "./lease-history.ts";

export class LeaseLoad {
  readonly history: LeaseHistory;
  readonly #cluster: SimCluster;
  readonly #clients: readonly LeaseClient[];

  /** `people`: some of them are users, by names that are vouched for. */
  constructor(cluster: SimCluster, history: History, clients: number, people: boolean) {
    this.history = new LeaseHistory(history);
    this.#cluster = cluster;
    const random = cluster.world.random("leases");
    this.#clients = Array.from({ length: clients }, (_, at) => {
      const own = random.fork(`client ${at}`);
      const isUser = people && at % 2 === 1;
      const credential = isUser ? named(own.pick(userNames)) : history.credential;
      return new LeaseClient(cluster, history, this.history, own, at, credential);
    });
  }

  start(): void {
    for (const client of this.#clients) client.start();
  }

  stop(): void {
    for (const client of this.#clients) client.stop();
  }

  /** T2: nobody renews any more, and whoever is to serve serves. False: somebody has ended meanwhile. */
  demandGone(isServed: () => boolean): boolean {
    if (this.#clients.length === 0) return true;
    const kv = this.#cluster.leader()?.host?.inside()?.kv;
    const corrupt = kv?.alarms.some(({ type }) => type === AlarmType.Corrupt) ?? true;
    return corrupt || demandGone(this.#cluster, isServed);
  }
}
