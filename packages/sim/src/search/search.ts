// Is there an order of these operations, each between its call and its return, in which a model gives
// the answers that were heard? The search of Wing and Gong with Lowe's memory of what was tried: a
// state is the set of operations that are in order already, and what the model holds after them.
// Operations that never returned may come at any later place, or nowhere.
//
// Complete and exact but for the fingerprint: two states with one fingerprint of 53 bits would be
// taken for one.
import { NumberSet } from "./number-set.ts";
import { StateHash } from "./state-hash.ts";

export interface Timed {
  readonly id: number;
  readonly calledAt: number;
  /** Infinity: its outcome is unknown. */
  readonly returnedAt: number;
  /** False: it leaves the model as it is. Where it may come and fits, it may as well come now. */
  readonly changes: boolean;
  /**
   * Where several that returned may come next, the least is tried first; what never returned is tried
   * when none of them fits, the least first. Decides nothing but the time it takes.
   */
  readonly hint: number;
}

export interface SearchModel<O> {
  readonly hash: StateHash;
  /** False: it cannot come next, because its answer would be another; nothing has changed then. */
  apply(operation: O): boolean;
  /** Of the last one that was applied. */
  undo(operation: O): void;
}

export const Verdict = { Linearizable: 1, NotLinearizable: 2, Exceeded: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface SearchResult {
  readonly verdict: Verdict;
  readonly states: number;
  /** How many could be put in order, at most. */
  readonly deepest: number;
  /** Ids of those that might have come next then, and did not fit. */
  readonly stuck: readonly number[];
}

/** One place in the order: which operations may come here, and the next one to try. */
interface Place {
  readonly candidates: readonly number[];
  next: number;
  /** Number of the operation that stands here; -1: none yet. */
  chosen: number;
}

export class Search<O extends Timed> {
  readonly #operations: readonly O[];
  readonly #model: SearchModel<O>;
  readonly #statesMax: number;
  /** In order of calls: number of the next operation not yet in order; the last entry is the head. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #done: StateHash;
  readonly #tried: NumberSet;
  readonly #places: Place[];
  /** Operations that must still be put in order. */
  #left: number;
  #deepest: number;
  #stuck: readonly number[];

  constructor(operations: readonly O[], model: SearchModel<O>, statesMax: number) {
    this.#operations = operations.toSorted((a, b) => a.calledAt - b.calledAt);
    this.#model = model;
    this.#statesMax = statesMax;
    const count = operations.length;
    this.#next = Int32Array.from({ length: count + 1 }, (_, at) => (at === count ? 0 : at + 1));
    this.#previous = Int32Array.from({ length: count + 1 }, (_, at) => (at === 0 ? count : at - 1));
    this.#done = new StateHash();
    this.#tried = new NumberSet();
    this.#places = [];
    this.#left = operations.filter(({ returnedAt }) => returnedAt < Infinity).length;
    this.#deepest = 0;
    this.#stuck = [];
  }

  run(): SearchResult {
    this.#open();
    while (this.#left > 0) {
      if (this.#tried.size > this.#statesMax) return this.#result(Verdict.Exceeded);
      if (!this.#advance() && !this.#retreat()) return this.#result(Verdict.NotLinearizable);
    }
    return this.#result(Verdict.Linearizable);
  }

  #result(verdict: Verdict): SearchResult {
    return { verdict, states: this.#tried.size, deepest: this.#deepest, stuck: this.#stuck };
  }

  /** Puts one more operation in order; false when none of those that may come here fits. */
  #advance(): boolean {
    const place = this.#places.at(-1)!;
    while (place.next < place.candidates.length) {
      const number = place.candidates[place.next++]!;
      const operation = this.#operations[number]!;
      if (!this.#model.apply(operation)) continue;
      this.#done.toggle(number, 1, 2);
      if (!operation.changes) place.next = place.candidates.length;
      if (this.#tried.add(this.#done.with(this.#model.hash))) {
        this.#choose(place, number);
        return true;
      }
      this.#done.toggle(number, 1, 2);
      this.#model.undo(operation);
    }
    return false;
  }

  /** Takes the last operation out of order again; false when there is none. */
  #retreat(): boolean {
    if (this.#places.length - 1 >= this.#deepest) {
      this.#deepest = this.#places.length - 1;
      this.#stuck = this.#places.at(-1)!.candidates.map((number) => this.#operations[number]!.id);
    }
    this.#places.pop();
    const place = this.#places.at(-1);
    if (place === undefined) return false;
    const number = place.chosen;
    const operation = this.#operations[number]!;
    this.#next[this.#previous[number]!] = number;
    this.#previous[this.#next[number]!] = number;
    this.#done.toggle(number, 1, 2);
    this.#model.undo(operation);
    if (operation.returnedAt < Infinity) this.#left++;
    return true;
  }

  #choose(place: Place, number: number): void {
    place.chosen = number;
    this.#next[this.#previous[number]!] = this.#next[number]!;
    this.#previous[this.#next[number]!] = this.#previous[number]!;
    if (this.#operations[number]!.returnedAt < Infinity) this.#left--;
    this.#open();
  }

  /** A place behind the last: for all that were called before any of them had returned. */
  #open(): void {
    const head = this.#operations.length;
    const likely: number[] = [];
    const unheard: number[] = [];
    let firstReturn = Infinity;
    for (let number = this.#next[head]!; number !== head; number = this.#next[number]!) {
      const { calledAt, returnedAt } = this.#operations[number]!;
      if (calledAt > firstReturn) break;
      (returnedAt < Infinity ? likely : unheard).push(number);
      firstReturn = Math.min(firstReturn, returnedAt);
    }
    const hintOf = (number: number): number => this.#operations[number]!.hint;
    const inOrder = (a: number, b: number): number =>
      hintOf(a) === hintOf(b) ? a - b : hintOf(a) - hintOf(b);
    likely.sort(inOrder);
    unheard.sort(inOrder);
    this.#places.push({ candidates: [...likely, ...unheard], next: 0, chosen: -1 });
  }
}
