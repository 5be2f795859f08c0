// Writes that this member forwarded to the leader. The answer says where the leader appended them
// (index, term); the reply itself comes from this member's own apply of that entry, so a client
// that goes on reading here sees its own write.
import { FailureCode } from "./host-api.ts";
import { ForwardOutcome } from "./peers/peers-api.ts";
import type { PeersApi } from "./peers/peers-api.ts";
import type { MemberError } from "./members/members-change.ts";
import { failure, memberFailure } from "./proposals.ts";
import type { Proposals, Waiter } from "./proposals.ts";

const sweepEveryTicks = 10;

/** A write on its way, and to whom. */
class Forward {
  readonly waiter: Waiter;
  readonly leader: number;
  /** When its leader was first seen not to lead any more; 0: it leads. */
  lostTick: number;

  constructor(waiter: Waiter, leader: number) {
    this.waiter = waiter;
    this.leader = leader;
    this.lostTick = 0;
  }
}

export class Forwards {
  readonly #peers: PeersApi;
  readonly #proposals: Proposals;
  readonly #missing: () => readonly string[];
  /** How long a leader that leads no more may take to answer what it had received before. */
  readonly #graceTicks: number;
  readonly #pending: Map<number, Forward>;
  #nextNumber: number;
  #sweepTick: number;

  constructor(
    peers: PeersApi,
    proposals: Proposals,
    missing: () => readonly string[],
    graceTicks: number,
  ) {
    this.#peers = peers;
    this.#proposals = proposals;
    this.#missing = missing;
    this.#graceTicks = graceTicks;
    this.#pending = new Map();
    this.#nextNumber = 1;
    this.#sweepTick = 0;
  }

  /** Not committed when it cannot even be sent. */
  send(leader: number, waiter: Waiter): void {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    if (leader === 0 || !this.#peers.forwardProposal(leader, number, waiter.kind, waiter.payload)) {
      this.#proposals.fail(waiter, failure(FailureCode.NoLeader, this.#missing()));
      return;
    }
    this.#pending.set(number, new Forward(waiter, leader));
  }

  /**
   * Answers come at most once; a duplicate finds nothing. `applied`: an entry applied before its
   * answer came has given its reply away, and the outcome is unknown to this client.
   */
  answered(
    number: number,
    outcome: ForwardOutcome,
    index: number,
    term: number,
    applied: number,
  ): void {
    const forward = this.#pending.get(number);
    if (forward === undefined) {
      return;
    }
    const { waiter } = forward;
    this.#pending.delete(number);
    switch (outcome) {
      case ForwardOutcome.Appended:
        if (index <= applied) {
          this.#proposals.fail(waiter, failure(FailureCode.TimedOut));
        } else {
          this.#proposals.bind(waiter, index, term);
        }
        return;
      case ForwardOutcome.Overloaded:
        this.#proposals.fail(waiter, failure(FailureCode.TooManyRequests));
        return;
      case ForwardOutcome.TooLarge:
        this.#proposals.fail(waiter, failure(FailureCode.TooLarge));
        return;
      case ForwardOutcome.MemberRefused:
        this.#proposals.fail(waiter, memberFailure(index as MemberError));
        return;
      case ForwardOutcome.ChangePending:
        this.#proposals.fail(waiter, failure(FailureCode.TooManyRequests));
        return;
      case ForwardOutcome.NotLeader:
      case ForwardOutcome.Transferring:
        this.#proposals.fail(waiter, failure(FailureCode.NoLeader, this.#missing()));
        return;
      default:
        return; // an outcome of a newer version: its time runs out, outcome unknown
    }
  }

  /**
   * Forgets those whose time was up, every now and then. A leader that was killed answers nothing
   * more: its clients need not wait for their time to run out to hear that the outcome is unknown.
   */
  tick(nowTick: number, leader: number): void {
    if (nowTick < this.#sweepTick) {
      return;
    }
    this.#sweepTick = nowTick + sweepEveryTicks;
    for (const [number, forward] of this.#pending) {
      if (forward.waiter.answered) {
        this.#pending.delete(number);
      } else if (forward.leader === leader) {
        forward.lostTick = 0;
      } else if (forward.lostTick === 0) {
        forward.lostTick = nowTick;
      } else if (nowTick - forward.lostTick >= this.#graceTicks) {
        this.#pending.delete(number);
        this.#proposals.fail(forward.waiter, failure(FailureCode.TimedOut));
      }
    }
  }
}
