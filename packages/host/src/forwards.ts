// Writes that this member forwarded to the leader. The answer says where the leader appended them
// (index, term); the reply itself comes from this member's own apply of that entry, so a client
// that goes on reading here sees its own write.
import { FailureCode } from "./host-api.ts";
import { ForwardOutcome } from "./peers/peers-api.ts";
import type { PeersApi } from "./peers/peers-api.ts";
import { failure } from "./proposals.ts";
import type { Proposals, Waiter } from "./proposals.ts";

const sweepEveryTicks = 100;

export class Forwards {
  readonly #peers: PeersApi;
  readonly #proposals: Proposals;
  readonly #missing: () => readonly string[];
  readonly #pending: Map<number, Waiter>;
  #nextNumber: number;

  constructor(peers: PeersApi, proposals: Proposals, missing: () => readonly string[]) {
    this.#peers = peers;
    this.#proposals = proposals;
    this.#missing = missing;
    this.#pending = new Map();
    this.#nextNumber = 1;
  }

  /** Not committed when it cannot even be sent. */
  send(leader: number, waiter: Waiter): void {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    if (leader === 0 || !this.#peers.forwardProposal(leader, number, waiter.kind, waiter.payload)) {
      this.#proposals.fail(waiter, failure(FailureCode.NoLeader, this.#missing()));
      return;
    }
    this.#pending.set(number, waiter);
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
    const waiter = this.#pending.get(number);
    if (waiter === undefined) {
      return;
    }
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
      case ForwardOutcome.NotLeader:
      case ForwardOutcome.Transferring:
        this.#proposals.fail(waiter, failure(FailureCode.NoLeader, this.#missing()));
        return;
      default:
        return; // an outcome of a newer version: its time runs out, outcome unknown
    }
  }

  /** Forgets those whose time was up, every now and then. */
  tick(nowTick: number): void {
    if (nowTick % sweepEveryTicks !== 0) {
      return;
    }
    for (const [number, waiter] of this.#pending) {
      if (waiter.answered) {
        this.#pending.delete(number);
      }
    }
  }
}
