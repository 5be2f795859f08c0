// Files that the manifest no longer names but that a transfer still reads: removed when the last
// holder lets go. What a crash leaves of them is removed at the next start.
import { assert } from "@quorate/base";
import type { Medium } from "../medium.ts";

export class HeldFiles {
  readonly #medium: Medium;
  readonly #directory: string;
  readonly #holders: Map<string, number>;
  readonly #discarded: Set<string>;
  #removing: number;
  #whenIdle: (() => void) | null;

  constructor(medium: Medium, directory: string) {
    this.#medium = medium;
    this.#directory = directory;
    this.#holders = new Map();
    this.#discarded = new Set();
    this.#removing = 0;
    this.#whenIdle = null;
  }

  hold(name: string): void {
    assert(!this.#discarded.has(name), "what was discarded is not held anew");
    this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1);
  }

  release(name: string): void {
    const holders = this.#holders.get(name) ?? 0;
    assert(holders > 0, "only what is held is released");
    if (holders > 1) {
      this.#holders.set(name, holders - 1);
      return;
    }
    this.#holders.delete(name);
    if (this.#discarded.delete(name)) this.#remove(name);
  }

  /** No manifest names it any more, both copies durable. */
  discard(name: string): void {
    if (this.#holders.has(name)) this.#discarded.add(name);
    else this.#remove(name);
  }

  /** Calls back when no removal is in flight. */
  idle(done: () => void): void {
    assert(this.#whenIdle === null, "one waits for the removals");
    if (this.#removing === 0) done();
    else this.#whenIdle = done;
  }

  #remove(name: string): void {
    this.#removing += 1;
    this.#medium.remove(`${this.#directory}/${name}`, () => {
      this.#removing -= 1;
      const idle = this.#whenIdle;
      if (this.#removing > 0 || idle === null) return;
      this.#whenIdle = null;
      idle();
    });
  }
}
