// What a member knows of itself while no configuration names its raft id: it waits for its place. The
// leader decides (rejoining.ts); this only finds out, for whoever asks, whether the process that the
// record names still lives somewhere: then this one was started by mistake, and waits in vain.
import type { NodeId } from "@quorate/raft";
import type { PeersApi } from "../peers/peers-api.ts";
import type { MembershipTable } from "./membership-table.ts";

export interface GuestParts {
  readonly table: MembershipTable;
  readonly peers: Pick<PeersApi, "silence">;
  readonly memberId: string;
  readonly selfId: NodeId;
  readonly timeoutTicks: number;
  readonly electionTimeoutMs: number;
}

export class Guest {
  readonly #parts: GuestParts;
  #askedTick: number;
  /** Of the process that the record names; empty: nobody has told of one lately. */
  #lives: string;

  constructor(parts: GuestParts) {
    this.#parts = parts;
    this.#askedTick = Number.NEGATIVE_INFINITY;
    this.#lives = "";
  }

  /** What was applied here names this raft id: it is no guest. */
  get isNamed(): boolean {
    return this.#parts.table.byRaftId(this.#parts.selfId) !== null;
  }

  tick(nowTick: number): void {
    if (this.isNamed) return;
    const { table, peers, timeoutTicks } = this.#parts;
    const named = this.#namedId();
    if (named === 0 || nowTick < this.#askedTick + 2 * timeoutTicks) return;
    this.#lives = this.#hearsay(named);
    this.#askedTick = nowTick;
    peers.silence.ask(named, table.confState.voters);
  }

  /** One line; empty: it is no guest. */
  get reason(): string {
    if (this.isNamed) return "";
    const { selfId } = this.#parts;
    const named = this.#namedId();
    const whose = named === 0 ? "" : `, which raft id ${named} has`;
    return (
      `no configuration names raft id ${selfId} of this directory: it waits until the leader gives it ` +
      `the place of its member${whose}${this.#lives}`
    );
  }

  /** As far as this member knows the table, perhaps from the genesis only. */
  #namedId(): NodeId {
    const { table, memberId, selfId } = this.#parts;
    const raftId = table.byMemberId(memberId)?.raftId ?? 0;
    return raftId === selfId ? 0 : raftId;
  }

  #hearsay(named: NodeId): string {
    const { table, peers, electionTimeoutMs } = this.#parts;
    for (const [by, { silentMs, address }] of peers.silence.answers(named)) {
      if (address === "" || silentMs >= 2 * electionTimeoutMs) continue;
      const name = table.byRaftId(by)?.name ?? String(by);
      return ` and keeps as long as it lives: ${name} hears it from ${address}`;
    }
    return "";
  }
}
