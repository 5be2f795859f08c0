// The leader's progress of every member of its configuration, sorted by raft id. A sorted array, not
// a Map: it is walked far more often than searched, and clusters are small (architecture.md §4.8).
// Counts nothing: quorums are in quorum/.
import { isVoter, memberIds } from "../confchange/conf-state.ts";
import { ProgressKind } from "../status.ts";
import type { ConfState, Index, NodeId } from "../types.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerLimits } from "./breaker.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

export class Tracker {
  readonly #inflightMessagesMax: number;
  readonly #inflightBytesMax: number;
  readonly #breakerLimits: BreakerLimits;
  #all: Progress[];

  constructor(inflightMessagesMax: number, inflightBytesMax: number, breakerLimits: BreakerLimits) {
    this.#inflightMessagesMax = inflightMessagesMax;
    this.#inflightBytesMax = inflightBytesMax;
    this.#breakerLimits = breakerLimits;
    this.#all = [];
  }

  /** Ascending by id. A new array after each `reset` and `apply`. */
  get all(): readonly Progress[] {
    return this.#all;
  }

  get(id: NodeId): Progress | null {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all[middle]!.id < id) low = middle + 1;
      else high = middle;
    }
    const found = low < this.#all.length ? this.#all[low]! : null;
    return found !== null && found.id === id ? found : null;
  }

  /**
   * A new leader knows nothing of anybody: Match 0, Probe from its own last index + 1. Its own
   * match is 0 too until its disk has answered (lesson 2). All count as having answered now; the
   * leader then puts in the ticks of the grants it really got (P7).
   */
  reset(conf: ConfState, selfId: NodeId, lastIndex: Index, tick: number): void {
    this.#all = [];
    this.apply(conf, lastIndex, tick);
    const own = this.get(selfId);
    if (own !== null) own.kind = ProgressKind.Replicate;
  }

  /**
   * Another configuration, at apply. Who stays keeps its progress, its tick of the last answer
   * included, also when it changes between learner and voter; who is new counts as having
   * answered now (P7).
   */
  apply(conf: ConfState, lastIndex: Index, tick: number): void {
    const all: Progress[] = [];
    for (const id of memberIds(conf)) {
      const isLearner = !isVoter(conf, id);
      const kept = this.get(id);
      if (kept !== null) kept.isLearner = isLearner;
      all.push(kept ?? this.#create(id, isLearner, lastIndex + 1, tick));
    }
    this.#all = all;
  }

  #create(id: NodeId, isLearner: boolean, next: Index, tick: number): Progress {
    const inflights = new Inflights(this.#inflightMessagesMax, this.#inflightBytesMax);
    const breaker = new Breaker(this.#breakerLimits);
    return new Progress(id, isLearner, next, tick, inflights, breaker);
  }
}
