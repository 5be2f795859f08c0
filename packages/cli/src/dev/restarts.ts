// How often a member that was killed is started again: a few times a minute, then no more.

export const restartsMax = 5;
export const restartWindowMs = 60_000;

export class Restarts {
  readonly #atMs: number[];

  constructor() {
    this.#atMs = [];
  }

  /** True, and counted, when one more start is within the bound. */
  allow(nowMs: number): boolean {
    while (this.#atMs.length > 0 && nowMs - this.#atMs[0]! >= restartWindowMs) {
      this.#atMs.shift();
    }
    if (this.#atMs.length >= restartsMax) {
      return false;
    }
    this.#atMs.push(nowMs);
    return true;
  }
}
