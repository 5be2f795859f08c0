// Listens to what becomes durable in followed logs: votes, and entries that are one everywhere.
import type { DurableBatch, DurableLog } from "../durable/durable-log.ts";
import type { LogListener } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcess } from "./watched-process.ts";

export class LogWatch implements LogListener {
  readonly #checkers: StateCheckers;

  constructor(checkers: StateCheckers) {
    this.#checkers = checkers;
  }

  began({ raftId }: WatchedProcess, { term, vote }: DurableLog): void {
    this.#checkers.votes.durable(raftId, term, vote);
  }

  appended({ raftId }: WatchedProcess, { header, payload }: DurableBatch, log: DurableLog): void {
    const { votes, logs } = this.#checkers;
    votes.durable(raftId, header.term, header.vote);
    if (header.entries === 0) return;
    logs.entriesSeen(log.termAt(header.firstIndex - 1) ?? 0, payload.entries);
  }
}
