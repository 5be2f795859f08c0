// Handing leadership over on request (thesis §3.10): start it, watch until the target leads or the
// time is up, and choose who gets it when this member stops.
import { Role, TransferOutcome } from "@quorate/raft";
import type { RaftApi } from "@quorate/raft";
import { TransferResult } from "./host-api.ts";
import type { MemberRecord, MembershipTable } from "./membership.ts";

type Done = (result: TransferResult) => void;

interface Transfer {
  readonly to: number;
  readonly deadlineTick: number;
  readonly done: Done;
}

export class Leadership {
  readonly #raft: RaftApi;
  readonly #membership: MembershipTable;
  readonly #timeoutTicks: number;
  #transfer: Transfer | null;

  constructor(raft: RaftApi, membership: MembershipTable, electionTicks: number) {
    this.#raft = raft;
    this.#membership = membership;
    this.#timeoutTicks = 2 * electionTicks;
    this.#transfer = null;
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
    this.#transfer = { to: target.raftId, deadlineTick: nowTick + this.#timeoutTicks, done };
    return null;
  }

  tick(nowTick: number): void {
    const transfer = this.#transfer;
    if (transfer === null) {
      return;
    }
    const arrived = this.#raft.leader() === transfer.to;
    if (arrived || nowTick >= transfer.deadlineTick) {
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
      const live = progress.silentTicks * 2 < this.#timeoutTicks;
      if (voter && live && progress.id !== status.id && progress.match > bestMatch) {
        best = progress.id;
        bestMatch = progress.match;
      }
    }
    return best === 0 ? null : this.#membership.byRaftId(best);
  }
}
