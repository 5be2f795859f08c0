// Questions about leases and their answers, between the sessions of two members.
import type { NodeId } from "@quorate/raft";
import type { LeaseAnswer, LeaseAsk } from "./lease-codec.ts";
import type { Outbound } from "./outbound.ts";
import type { LeaseTalkApi } from "./peers-api.ts";

export class LeaseTalk implements LeaseTalkApi {
  readonly #outbound: Outbound;

  constructor(outbound: Outbound) {
    this.#outbound = outbound;
  }

  ask(of: NodeId, ask: LeaseAsk): boolean {
    return this.#outbound.askLease(of, ask);
  }

  /** `answer.number`: as it was heard. */
  answer(to: NodeId, answer: LeaseAnswer): void {
    const remote = this.#outbound.remotes.get(to);
    const number = remote?.saidNumber(answer.number) ?? 0;
    if (remote === undefined || number === 0) return this.#outbound.drop(1);
    this.#outbound.answerLease(remote, { ...answer, number });
  }
}
