// Ranges of a member's files that its disk has refused to read, within a day: some of them are bad luck,
// several are a disk that fails (reliability.md §3.3, row 16).

const rangeBytes = 4096;
const dayMs = 86_400_000;
/** So many distinct ranges a day, and the disk counts as failing. */
const failingFrom = 3;
const rangesMax = 64;

export class ReadErrors {
  /** Path and range → when it was refused last. */
  readonly #ranges: Map<string, number>;

  constructor() {
    this.#ranges = new Map();
  }

  add(path: string, offset: number, nowMs: number): void {
    const range = `${path} ${Math.floor(offset / rangeBytes)}`;
    this.#ranges.delete(range);
    this.#ranges.set(range, nowMs);
    for (const [known, atMs] of this.#ranges) {
      if (nowMs - atMs < dayMs && this.#ranges.size <= rangesMax) break;
      this.#ranges.delete(known);
    }
  }

  /** Empty: the disk is not known to fail. */
  text(nowMs: number): string {
    const recent = [...this.#ranges.values()].filter((atMs) => nowMs - atMs < dayMs).length;
    return recent < failingFrom
      ? ""
      : `${recent} ranges of its files could not be read within a day`;
  }
}
