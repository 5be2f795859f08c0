// Tells the members of clusters that this one has superseded, at the addresses where they were, that
// they are: a member that was dead and comes back need not dial anybody to learn it (reliability.md §4.4).
// One address at a time, all of them twice a minute, for 30 days.
import type { Env } from "@quorate/storage";
import { addressOfUrl } from "../members/peer-list.ts";
import { Announced, Announcement } from "./announcement.ts";
import type { SupersededCluster } from "./recovered-entry.ts";

const roundMs = 30_000;
const answerMsMax = 3000;
const announcedMs = 30 * 24 * 3_600_000;

interface Errand {
  readonly address: string;
  readonly cluster: SupersededCluster;
}

export class Announcer {
  readonly #env: Env;
  readonly #tickMs: number;
  #newClusterId: string;
  #clusters: readonly SupersededCluster[];
  /** Addresses of members of this cluster: somebody may have moved in. */
  #inhabited: ReadonlySet<string>;
  #errands: Errand[];
  #present: Announcement | null;
  #presentMs: number;
  #sinceRoundMs: number;

  constructor(env: Env, tickMs: number) {
    this.#env = env;
    this.#tickMs = tickMs;
    this.#newClusterId = "";
    this.#clusters = [];
    this.#inhabited = new Set();
    this.#errands = [];
    this.#present = null;
    this.#presentMs = 0;
    this.#sinceRoundMs = roundMs;
  }

  set(
    clusterId: string,
    clusters: readonly SupersededCluster[],
    memberUrls: readonly string[],
  ): void {
    this.#newClusterId = clusterId;
    this.#clusters = clusters;
    this.#inhabited = new Set(memberUrls.map(addressOfUrl));
  }

  tick(ticks: number): void {
    if (this.#clusters.length === 0) return;
    const ms = ticks * this.#tickMs;
    this.#sinceRoundMs += ms;
    this.#presentMs += ms;
    if (this.#present !== null) {
      if (this.#presentMs > answerMsMax) this.#present.giveUp();
      return;
    }
    const errand = this.#errands.pop();
    if (errand !== undefined) return this.#announce(errand);
    if (this.#sinceRoundMs >= roundMs) this.#beginRound();
  }

  #beginRound(): void {
    this.#sinceRoundMs = 0;
    const nowMs = this.#env.clock.wallMs();
    this.#errands = this.#clusters
      .filter(({ atMs }) => nowMs < atMs + announcedMs)
      .flatMap((cluster) => cluster.addresses.map((address) => ({ address, cluster })))
      .filter(({ address }) => !this.#inhabited.has(address));
  }

  #announce({ address, cluster }: Errand): void {
    const { clusterId, genesisId, planId } = cluster;
    const notice = { clusterId, genesisId, newClusterId: this.#newClusterId, planId };
    this.#presentMs = 0;
    this.#present = new Announcement(this.#env, address, notice, (what, words) => {
      this.#present = null;
      if (what === Announced.Told) {
        this.#env.trace.warn("a member of the superseded cluster was told", { address, words });
      }
    });
  }
}
