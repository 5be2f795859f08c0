// A member's own name and client URLs belong into the membership table (etcd's "publish"): proposed
// whenever the table says otherwise, again and again until it has been applied.
import type { HostConfig } from "./host-api.ts";
import { encodeAttributes } from "./members/attributes.ts";
import { HostEntryKind } from "./members/entry-kinds.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { Requests } from "./requests.ts";

export class Publisher {
  readonly #config: HostConfig;
  readonly #name: string;
  readonly #membership: MembershipTable;
  readonly #requests: Requests;
  #proposed: boolean;

  constructor(config: HostConfig, membership: MembershipTable, requests: Requests) {
    this.#config = config;
    this.#name = config.members.find((m) => m.memberId === config.memberId)?.name ?? "";
    this.#membership = membership;
    this.#requests = requests;
    this.#proposed = false;
  }

  /** While this member serves and knows a leader. */
  tick(nowTick: number): void {
    const own = this.#membership.byMemberId(this.#config.memberId);
    if (this.#proposed || own === null) {
      return;
    }
    const urls = this.#config.clientUrls;
    if (own.name === this.#name && sameTexts(own.clientUrls, urls)) {
      return;
    }
    this.#proposed = true;
    const record = own.with({ name: this.#name, clientUrls: urls });
    const again = (): void => {
      this.#proposed = false;
    };
    const sink = { reply: again, fail: again };
    this.#requests.propose(HostEntryKind.Attributes, encodeAttributes(record), sink, nowTick);
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}
