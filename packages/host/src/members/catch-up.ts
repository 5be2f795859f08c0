// When a learner has caught up (thesis §4.2.1): replication goes in rounds, each to where the log ended
// when the round began; a round shorter than an election timeout is short enough to be waited for.
import { ProgressKind } from "@quorate/raft";
import type { Index, NodeId, ProgressStatus } from "@quorate/raft";

interface Round {
  /** Where the log ended when it began. */
  target: Index;
  sinceTick: number;
  /** Of the end of the last short one; -1: none yet. */
  shortTick: number;
}

export class CatchUp {
  readonly #timeoutTicks: number;
  readonly #rounds: Map<NodeId, Round>;

  constructor(timeoutTicks: number) {
    this.#timeoutTicks = timeoutTicks;
    this.#rounds = new Map();
  }

  /** To be asked at every tick. */
  hasCaughtUp(progress: ProgressStatus, lastIndex: Index, nowTick: number): boolean {
    let round = this.#rounds.get(progress.id);
    if (round === undefined) {
      round = { target: lastIndex, sinceTick: nowTick, shortTick: -1 };
      this.#rounds.set(progress.id, round);
    }
    if (progress.match >= round.target && progress.kind === ProgressKind.Replicate) {
      if (nowTick - round.sinceTick <= this.#timeoutTicks) round.shortTick = nowTick;
      round.target = lastIndex;
      round.sinceTick = nowTick;
    }
    return round.shortTick >= 0 && nowTick - round.shortTick <= this.#timeoutTicks;
  }

  /** Only these are learners yet; another leader begins anew. */
  keep(ids: readonly NodeId[]): void {
    for (const id of this.#rounds.keys()) if (!ids.includes(id)) this.#rounds.delete(id);
  }
}
