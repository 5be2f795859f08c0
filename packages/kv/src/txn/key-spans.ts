// A union of key intervals, kept as sorted disjoint spans: the check for overlapping puts and deletes
// asks whether a key lies in any of them, the check of rights whether a whole interval does.

interface Span {
  readonly from: string;
  /** Exclusive; null: no end. */
  readonly to: string | null;
}

export class KeySpans {
  #spans: readonly Span[];

  constructor() {
    this.#spans = [];
  }

  /** One key. */
  static ofKey(key: string): KeySpans {
    return KeySpans.of(key, `${key}\0`);
  }

  /** [from, to); nothing when it is empty. */
  static of(from: string, to: string | null): KeySpans {
    const spans = new KeySpans();
    if (to === null || from < to) spans.#spans = [{ from, to }];
    return spans;
  }

  static union(parts: readonly KeySpans[]): KeySpans {
    const all = parts.flatMap((part) => part.#spans);
    all.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    const merged: Span[] = [];
    for (const span of all) {
      const last = merged.at(-1);
      if (last === undefined || (last.to !== null && last.to < span.from)) merged.push(span);
      else if (last.to !== null && (span.to === null || span.to > last.to)) {
        merged[merged.length - 1] = { from: last.from, to: span.to };
      }
    }
    const union = new KeySpans();
    union.#spans = merged;
    return union;
  }

  /** Equal for equal unions. */
  get text(): string {
    return JSON.stringify(this.#spans.map(({ from, to }) => [from, to]));
  }

  contains(key: string): boolean {
    const span = this.#spanAt(key);
    return span !== null && (span.to === null || key < span.to);
  }

  /** Every key of [from, to) is in the union, `from` itself also when the interval is empty. */
  covers(from: string, to: string | null): boolean {
    const span = this.#spanAt(from);
    if (span === null || (span.to !== null && from >= span.to)) return false;
    return span.to === null || (to !== null && to <= span.to);
  }

  /** The last span that begins at the key or before. */
  #spanAt(key: string): Span | null {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle]!.from <= key) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.#spans[low - 1]!;
  }
}
