// Questions for lost entries of a log, and answers to them, between the sessions of two members.
import type { NodeId } from "@quorate/raft";
import type { LogAnswer, LogAsk } from "./log-codec.ts";
import type { Outbound } from "./outbound.ts";
import type { LogTalkApi } from "./peers-api.ts";

export class LogTalk implements LogTalkApi {
  readonly #outbound: Outbound;

  constructor(outbound: Outbound) {
    this.#outbound = outbound;
  }

  ask(of: readonly NodeId[], ask: LogAsk): void {
    this.#outbound.askLog(of, ask);
  }

  answer(to: NodeId, answer: Omit<LogAnswer, "toSession">): void {
    const toSession = this.#outbound.remotes.get(to)?.session ?? 0;
    this.#outbound.answerLog(to, { ...answer, toSession });
  }
}
