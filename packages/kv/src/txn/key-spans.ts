// A union of key intervals, kept as sorted disjoint spans: all that the check for overlapping puts
// and deletes needs to ask is whether a key lies in any of them.

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

  contains(key: string): boolean {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle]!.from <= key) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    const { to } = this.#spans[low - 1]!;
    return to === null || key < to;
  }
}
