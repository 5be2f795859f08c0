// Listens to what clients hear: a change that is called done must be on a quorum's disks.
import type { ConfState, NodeId } from "@quorate/raft";
import { type DurableView, holdsEntry } from "../checkers/durable-before-ack.ts";
import { majorityOf } from "../checkers/quorum.ts";
import { demand } from "../checkers/violation.ts";
import type { ClientOperation } from "../client/history.ts";
import type { SimCluster } from "../cluster.ts";
import { replyHead } from "../model/reply-text.ts";
import type { SimMember } from "../sim-member.ts";
import type { ApplyWatch, EntryName } from "./apply-watch.ts";
import { type Configurations, halvesOf } from "./configurations.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";

export class ReplyWatch {
  readonly #cluster: SimCluster;
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #applies: ApplyWatch;
  readonly #configurations: Configurations;

  constructor(
    cluster: SimCluster,
    checkers: StateCheckers,
    disks: DurableDisks,
    applies: ApplyWatch,
    configurations: Configurations,
  ) {
    this.#cluster = cluster;
    this.#checkers = checkers;
    this.#disks = disks;
    this.#applies = applies;
    this.#configurations = configurations;
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
    const confs = this.#configurations.since(entry.index);
    // The newest one last: what it says is the violation.
    const held = confs.slice(0, -1).some((conf) => this.#isHeld(entry, conf));
    if (!held) for (const half of halvesOf(confs.at(-1)!)) this.#checkHalf(entry, half);
  }

  #isHeld({ index, term }: EntryName, conf: ConfState): boolean {
    return halvesOf(conf).every((half) => {
      const quorum = majorityOf(half);
      const logs = this.#logsUntil({ index, term }, half, quorum);
      return logs.filter((log) => holdsEntry(log, index, term)).length >= quorum;
    });
  }

  #checkHalf(entry: EntryName, half: readonly NodeId[]): void {
    const quorum = majorityOf(half);
    const logs = this.#logsUntil(entry, half, quorum);
    this.#checkers.durable.writeAcknowledged(entry.index, entry.term, logs, quorum);
  }

  /** Of enough of these to find a quorum, if there is one: those first whose logs are followed. */
  #logsUntil({ index, term }: EntryName, ids: readonly NodeId[], quorum: number): DurableView[] {
    // An answer that was on its way when its disk was wiped speaks of what was durable.
    const lost = new Map<NodeId, DurableView>();
    for (const id of ids) {
      const log = this.#disks.lostLog(id);
      if (log !== null && holdsEntry(log, index, term)) lost.set(id, log);
    }
    const members = this.#cluster.members.filter(({ name }) => {
      const id = this.#configurations.raftIdOf(name);
      return ids.includes(id) && !lost.has(id);
    });
    const followed = members.filter((member) => this.#disks.isFollowed(member));
    const others = members.filter((member) => !this.#disks.isFollowed(member));
    const logs: DurableView[] = [...lost.values()];
    let holders = lost.size;
    for (const member of [...followed, ...others]) {
      if (holders >= quorum) break;
      const log = this.#disks.log(member);
      logs.push(log);
      if (holdsEntry(log, index, term)) holders++;
    }
    return logs;
  }
}
