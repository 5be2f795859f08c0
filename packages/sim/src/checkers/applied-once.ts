// S15: a state takes in every index once and in order. It begins where its checkpoint ends, and only a
// whole snapshot moves it on otherwise; what it then holds is compared by digests (S16).
import { demand } from "./violation.ts";

const property = "S15 applied once";

export class AppliedOnce {
  /** Process → the last index that its state has taken in. */
  readonly #last: Map<string, number>;

  constructor() {
    this.#last = new Map();
  }

  /** The state is that of a checkpoint: at the start, or by a snapshot put in its place. */
  restored(name: string, index: number): void {
    const last = this.#last.get(name);
    demand(
      last === undefined || index >= last,
      property,
      () => `${name} puts the state of ${index} in the place of that of ${last}`,
    );
    this.#last.set(name, index);
  }

  applied(name: string, index: number): void {
    const last = this.#last.get(name) ?? 0;
    demand(
      index === last + 1,
      property,
      () => `${name} applies ${index} to a state that has taken in everything up to ${last}`,
    );
    this.#last.set(name, index);
  }

  /** Of a state: what it has taken in; null: it was never seen. */
  lastOf(name: string): number | null {
    return this.#last.get(name) ?? null;
  }

  gone(name: string): void {
    this.#last.delete(name);
  }
}
