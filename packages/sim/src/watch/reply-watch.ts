// Listens to what clients hear: a change that is called done must be on a quorum's disks.
import { type DurableView, holdsEntry } from "../checkers/durable-before-ack.ts";
import { demand } from "../checkers/violation.ts";
import type { ClientOperation } from "../client/history.ts";
import type { SimCluster } from "../cluster.ts";
import { replyHead } from "../model/reply-text.ts";
import type { SimMember } from "../sim-member.ts";
import type { ApplyWatch, EntryName } from "./apply-watch.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";

export class ReplyWatch {
  readonly #cluster: SimCluster;
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #applies: ApplyWatch;

  constructor(
    cluster: SimCluster,
    checkers: StateCheckers,
    disks: DurableDisks,
    applies: ApplyWatch,
  ) {
    this.#cluster = cluster;
    this.#checkers = checkers;
    this.#disks = disks;
    this.#applies = applies;
  }

  replied(member: SimMember, operation: ClientOperation, bytes: Uint8Array): void {
    const reply = replyHead(operation.kind, bytes);
    if (!reply.changed) return;
    const entry = this.#applies.maker(reply.revision);
    demand(
      entry !== undefined,
      "S7 durable before ack",
      () => `${member.name} says OK at revision ${reply.revision}, which nobody has applied`,
    );
    const quorum = Math.floor(this.#cluster.members.length / 2) + 1;
    const logs = this.#logsUntil(entry, quorum);
    this.#checkers.durable.writeAcknowledged(entry.index, entry.term, logs, quorum);
  }

  /** Of enough members to find a quorum, if there is one: those first whose logs are followed. */
  #logsUntil({ index, term }: EntryName, quorum: number): DurableView[] {
    const { members } = this.#cluster;
    const followed = members.filter((member) => this.#disks.isFollowed(member));
    const others = members.filter((member) => !this.#disks.isFollowed(member));
    const logs: DurableView[] = [];
    let holders = 0;
    for (const member of [...followed, ...others]) {
      const log = this.#disks.log(member);
      logs.push(log);
      if (holdsEntry(log, index, term)) holders++;
      if (holders >= quorum) break;
    }
    return logs;
  }
}
