// What a member does about digests that differ (reliability.md §3.8). Each one judges itself: the odd
// one out gives its state up, which fences it and hands leadership over first (state-repair.ts). Where
// no digest has a majority nobody can tell who is right: the leader raises CORRUPT, and writes stop.
import { AlarmCause, AlarmType } from "@quorate/kv";
import type { KvApi } from "@quorate/kv";
import type { NodeId, RaftApi } from "@quorate/raft";
import type { Trace } from "@quorate/storage";
import type { AlarmKeeper } from "../alarms/alarm-keeper.ts";
import type { MembershipTable } from "../members/membership-table.ts";
import type { DigestPoint, PeersApi } from "../peers/peers-api.ts";
import { describeDifference, Verdict } from "./digest-votes.ts";
import type { Digests } from "./digests.ts";

/** A difference that those who are silent could decide waits for them so long. */
const patienceMs = 30_000;

export interface DigestDutyParts {
  readonly digests: Digests;
  readonly membership: Pick<MembershipTable, "confState" | "byRaftId">;
  readonly peers: Pick<PeersApi, "broadcastDigest">;
  readonly raft: Pick<RaftApi, "isLeader">;
  readonly kv: Pick<KvApi, "alarms">;
  readonly keeper: Pick<AlarmKeeper, "raise">;
  readonly trace: Trace;
  readonly memberId: string;
  readonly tickMs: number;
  /** The key index holds what was applied, and nothing is being rebuilt. */
  readonly isWhole: () => boolean;
  readonly applied: () => number;
  /** To the journal: a difference from that member at an index. */
  readonly onDiffers: (other: NodeId, index: number, text: string) => void;
  /** The state is to come from another member; whoever leads hands over for it. */
  readonly loseState: (reason: string) => void;
}

/** The first index at which members are known to differ, and nothing is decided. */
interface Contest {
  readonly index: number;
  readonly text: string;
  waitedMs: number;
  /** No digest can have a majority, or those who would decide were silent for too long. */
  noMajority: boolean;
}

export class DigestDuty {
  readonly #parts: DigestDutyParts;
  #contest: Contest | null;

  constructor(parts: DigestDutyParts) {
    this.#parts = parts;
    this.#contest = null;
  }

  tick(ticks: number): void {
    const { digests, peers, isWhole, applied, tickMs } = this.#parts;
    if (!isWhole()) return;
    digests.tick(ticks, applied());
    for (const point of digests.takeUntold()) {
      peers.broadcastDigest(point);
      this.#judge(point.index);
      if (!isWhole()) return;
    }
    const contest = this.#contest;
    if (contest === null) return;
    contest.waitedMs += ticks * tickMs;
    if (contest.waitedMs >= patienceMs) this.#noMajority(contest);
    if (contest.noMajority) this.#raise(contest);
  }

  told(from: NodeId, point: DigestPoint): void {
    this.#parts.digests.told(from, point);
    if (this.#parts.isWhole()) this.#judge(point.index);
  }

  /** The state of before has gone, and with it whatever was said of it. */
  stateGone(): void {
    this.#parts.digests.forgetOwn();
    this.#contest = null;
  }

  /** Nobody takes a state from one that is known to be odd itself. */
  mayGiveState(raftId: NodeId): boolean {
    const { digests, membership } = this.#parts;
    return !digests.isOdd(membership.confState, raftId);
  }

  #judge(index: number): void {
    const { digests, membership, trace, loseState } = this.#parts;
    const own = digests.own(index);
    if (own === null) return;
    const { verdict, other, otherId } = digests.judge(membership.confState, index);
    if (verdict === Verdict.Agreed) {
      if (this.#contest !== null && index >= this.#contest.index) this.#contest = null;
      return;
    }
    if (other === null) return;
    const name = membership.byRaftId(otherId)?.name ?? String(otherId);
    const text = describeDifference(own, other, name);
    if (verdict === Verdict.Odd) {
      this.#parts.onDiffers(otherId, index, text);
      trace.mark("digest.odd");
      loseState(text);
      return;
    }
    this.#contest ??= this.#begin(index, otherId, text);
    if (verdict === Verdict.NoMajority) this.#noMajority(this.#contest);
  }

  #begin(index: number, otherId: NodeId, text: string): Contest {
    this.#parts.trace.error("states differ", { reason: text });
    this.#parts.onDiffers(otherId, index, text);
    return { index, text, waitedMs: 0, noMajority: false };
  }

  #noMajority(contest: Contest): void {
    if (contest.noMajority) return;
    contest.noMajority = true;
    this.#parts.trace.error("no digest has a majority", { reason: contest.text });
    this.#parts.trace.mark("digest.no-majority");
  }

  /** Once: disarmed, it comes back only with a difference that is found anew. */
  #raise({ text }: Contest): void {
    const { kv, raft, keeper, memberId } = this.#parts;
    if (kv.alarms.some(({ type }) => type === AlarmType.Corrupt)) this.#contest = null;
    else if (raft.isLeader()) keeper.raise(AlarmCause.Digests, memberId, text);
  }
}
