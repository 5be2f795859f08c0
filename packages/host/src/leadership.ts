// Handing leadership over on request (thesis §3.10): start it, watch until the target leads or the
// time is up, and choose who gets it when this member stops.
import { Role, TransferOutcome } from "@quorate/raft";
import type { RaftApi } from "@quorate/raft";
import { TransferResult } from "./host-api.ts";
import type { MemberRecord } from "./members/member-record.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { PeersApi } from "./peers/peers-api.ts";

type Done = (result: TransferResult) => void;

interface Transfer {
  readonly to: number;
  readonly deadlineTick: number;
  readonly done: Done;
  /** Ticks in a row in which the target was not connected. */
  awayTicks: number;
}

/** A target that is away for so long will not take over: it stops as well, or has died. */
const awayTicksMax = 10;

export class Leadership {
  readonly #raft: RaftApi;
  readonly #membership: MembershipTable;
  readonly #peers: Pick<PeersApi, "status">;
  readonly #timeoutTicks: number;
  #transfer: Transfer | null;

  constructor(
    raft: RaftApi,
    membership: MembershipTable,
    peers: Pick<PeersApi, "status">,
    electionTicks: number,
  ) {
    this.#raft = raft;
    this.#membership = membership;
    this.#peers = peers;
    this.#timeoutTicks = 2 * electionTicks;
    this.#transfer = null;
  }

  /** A cluster of one: nobody else could lead, so there is no silence to wait for. */
  campaignIfAlone(): void {
    const { voters, votersOutgoing } = this.#membership.confState;
    if (voters.length === 1 && votersOutgoing.length === 0) {
      this.#raft.campaign();
    }
  }

  /** Null: started, `done` follows. Otherwise the result, and `done` is not called. */
  start(memberId: string, nowTick: number, done: Done): TransferResult | null {
    if (!this.#raft.isLeader()) {
      return TransferResult.NotLeader;
    }
    const target = this.#membership.byMemberId(memberId);
    if (target === null || this.#transfer !== null) {
      return TransferResult.BadTarget;
    }
    if (this.#raft.leader() === target.raftId) {
      return TransferResult.Done;
    }
    if (this.#raft.transferLeadership(target.raftId) !== TransferOutcome.Started) {
      return TransferResult.BadTarget;
    }
    const deadlineTick = nowTick + this.#timeoutTicks;
    this.#transfer = { to: target.raftId, deadlineTick, done, awayTicks: 0 };
    return null;
  }

  tick(nowTick: number): void {
    const transfer = this.#transfer;
    if (transfer === null) {
      return;
    }
    const arrived = this.#raft.leader() === transfer.to;
    transfer.awayTicks = this.#isConnected(transfer.to) ? 0 : transfer.awayTicks + 1;
    const isAway = transfer.awayTicks >= awayTicksMax;
    if (arrived || isAway || nowTick >= transfer.deadlineTick) {
      this.#transfer = null;
      transfer.done(arrived ? TransferResult.Done : TransferResult.TimedOut);
    }
  }

  /** The live voter that lacks least of the log, if this member leads and there is one. */
  heir(): MemberRecord | null {
    const status = this.#raft.status();
    if (status.role !== Role.Leader) {
      return null;
    }
    let best = 0;
    let bestMatch = -1;
    for (const progress of status.progress) {
      const voter = status.confState.voters.includes(progress.id);
      const live = progress.silentTicks * 2 < this.#timeoutTicks && this.#isConnected(progress.id);
      if (voter && live && progress.id !== status.id && progress.match > bestMatch) {
        best = progress.id;
        bestMatch = progress.match;
      }
    }
    return best === 0 ? null : this.#membership.byRaftId(best);
  }

  #isConnected(raftId: number): boolean {
    return this.#peers.status().some((peer) => peer.raftId === raftId && peer.connected);
  }
}
