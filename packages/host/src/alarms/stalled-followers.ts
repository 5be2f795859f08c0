// Followers that the leader gets no further, however much it sends them (reliability.md §3.7): the core
// has slowed down what they are sent; when that has not helped for a while, an operator should look.
// The alarm ends when the follower has what was committed at the look before.
import { assertNever } from "@quorate/base";
import { AlarmCause } from "@quorate/kv";
import { StallCause } from "@quorate/raft";
import type { Index, RaftApi, StallStatus, Term } from "@quorate/raft";
import type { MembershipTable } from "../members/membership-table.ts";
import type { AlarmKeeper } from "./alarm-keeper.ts";

/** It may get over it by itself for so long. */
const patienceMs = 30_000;

export interface StalledFollowersParts {
  readonly keeper: AlarmKeeper;
  readonly raft: Pick<RaftApi, "status">;
  readonly membership: Pick<MembershipTable, "byRaftId">;
  readonly tickMs: number;
}

export class StalledFollowers {
  readonly #parts: StalledFollowersParts;
  /** Of the term of the last look: who leads again has seen nothing of it yet. */
  #term: Term;
  #committedBefore: Index;

  constructor(parts: StalledFollowersParts) {
    this.#parts = parts;
    this.#term = 0;
    this.#committedBefore = Infinity;
  }

  /** Now and then, as the leader. */
  look(): void {
    const { keeper, raft, membership, tickMs } = this.#parts;
    const { id, term, committed, progress } = raft.status();
    if (term !== this.#term) this.#committedBefore = Infinity;
    this.#term = term;
    for (const { id: raftId, match, stall } of progress) {
      const member = raftId === id ? null : membership.byRaftId(raftId);
      if (member === null) continue;
      if (stall === null) {
        const hasCaughtUp = match >= this.#committedBefore;
        if (hasCaughtUp) keeper.end(AlarmCause.Replication, member.memberId);
      } else if (stall.ticks * tickMs >= patienceMs) {
        keeper.raise(AlarmCause.Replication, member.memberId, stallText(stall));
      }
    }
    this.#committedBefore = committed;
  }
}

/** What an operator is told. */
export function stallText({ cause, count, index }: StallStatus): string {
  const upTo = index === 0 ? "has taken none of the log" : `has the log only up to ${index}`;
  switch (cause) {
    case StallCause.Bytes:
      return `it was sent ${count} bytes in vain and ${upTo}`;
    case StallCause.Refusals:
      return `it refused ${count} appends and ${upTo}: its log does not join the leader's`;
    case StallCause.Snapshots:
      return `it was sent ${count} snapshots in vain and ${upTo}`;
    default:
      return assertNever(cause);
  }
}
