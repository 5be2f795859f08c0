// Linearizable reads by ReadIndex (thesis §6.4), batched: all reads accepted before a heartbeat
// round are confirmed by it at once, and a later round confirms earlier ones too. A round has a
// number that is never reused, its answers echo it (lesson 16). Decides nothing about when a round
// may begin: the leader does, once it has committed in its term (lesson 15).
import { assert } from "@quorate/base";
import { jointCommittedIndex } from "./quorum/joint.ts";
import { ReadState } from "./ready.ts";
import type { ConfState, Index, NodeId } from "./types.ts";

class ReadRound {
  readonly number: number;
  readonly index: Index;
  readonly contexts: readonly number[];

  constructor(number: number, index: Index, contexts: readonly number[]) {
    this.number = number;
    this.index = index;
    this.contexts = contexts;
  }
}

export class ReadIndexQueue {
  readonly #readsMax: number;
  /** Accepted, and no round has begun since. */
  #waiting: number[];
  /** Begun and not confirmed, ascending by number. */
  #rounds: ReadRound[];
  #count: number;
  /** The newest round that each peer's present session has answered. */
  readonly #acked: Map<NodeId, number>;
  readonly #ackedOf: (id: NodeId) => number;

  constructor(readsMax: number, self: NodeId) {
    this.#readsMax = readsMax;
    this.#waiting = [];
    this.#rounds = [];
    this.#count = 0;
    this.#acked = new Map([[self, Number.MAX_SAFE_INTEGER]]);
    this.#ackedOf = (id) => this.#acked.get(id) ?? 0;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  get count(): number {
    return this.#count;
  }

  /** False: no room. */
  add(context: number): boolean {
    if (this.#count >= this.#readsMax) return false;
    this.#waiting.push(context);
    this.#count++;
    return true;
  }

  /** The reads waiting belong to round `number`; `index`: the commit index, now that it begins. */
  begin(number: number, index: Index): void {
    assert(this.#waiting.length > 0, "read index: a round without reads");
    const before = this.#rounds.at(-1);
    assert(before === undefined || before.number < number, "read index: round number reused");
    this.#rounds.push(new ReadRound(number, index, this.#waiting));
    this.#waiting = [];
  }

  acked(id: NodeId, number: number): void {
    if (number > this.#ackedOf(id)) this.#acked.set(id, number);
  }

  /** A new process: the answers of the old one no longer count (P4). */
  forget(id: NodeId): void {
    this.#acked.delete(id);
  }

  /** Moves what a quorum (of both halves) has confirmed into `into`. */
  confirm(conf: ConfState, into: ReadState[]): void {
    if (this.#rounds.length === 0) return;
    const confirmed = jointCommittedIndex(conf, this.#ackedOf);
    let done = 0;
    while (done < this.#rounds.length && this.#rounds[done]!.number <= confirmed) {
      const round = this.#rounds[done]!;
      for (const context of round.contexts) into.push(new ReadState(context, round.index));
      this.#count -= round.contexts.length;
      done++;
    }
    if (done > 0) this.#rounds.splice(0, done);
  }

  /** Leadership is lost: none of them will be answered. */
  drop(into: number[]): void {
    for (const round of this.#rounds) {
      for (const context of round.contexts) into.push(context);
    }
    for (const context of this.#waiting) into.push(context);
    this.#rounds = [];
    this.#waiting = [];
    this.#count = 0;
  }
}
