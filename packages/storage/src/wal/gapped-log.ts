// A log of which entries may be lost: what is known of it by index, and where it truly ends, which the
// headers of batches attest. Without lost entries it is an ordinary log. Recovery keeps entries in it,
// the running WAL only their terms: both must come to the same, whatever batches follow (P8).
//
// What stands behind a lost part counts only together with the name of the entry before it: entries that
// come again are of the leader's log, and only with that very entry is what follows known to belong to
// the same log (Raft §5.3). Else 1..4 | 5, 6 of another log | 7..9 of ours would pass for one log.
import type { Index, LogPoint, Term } from "@quorate/raft";

export class GappedLog<E extends LogPoint> {
  startIndex: Index;
  /** Of what lies just below the log; −1: unknown, its batch is gone. */
  startTerm: Term;
  /** The log's end, known or lost. Invariant: at or above every known entry. */
  #lastIndex: Index;
  #lastTerm: Term;
  /** Ascending, above `startIndex`. Invariant: of the entry before each the name is known. */
  #known: E[];
  /** Names of lost entries below the end, ascending: at least of those with a known one behind them. */
  #names: LogPoint[];

  constructor(startIndex: Index, startTerm: Term) {
    this.startIndex = startIndex;
    this.startTerm = startTerm;
    this.#lastIndex = startIndex;
    this.#lastTerm = startTerm;
    this.#known = [];
    this.#names = [];
  }

  get lastIndex(): Index {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#lastIndex === this.startIndex ? this.startTerm : this.#lastTerm;
  }

  /** Entries lost. */
  get missing(): number {
    return this.#lastIndex - this.startIndex - this.#known.length;
  }

  /** Up to here nothing is lost. */
  get denseIndex(): Index {
    return this.startIndex + this.#denseCount();
  }

  /** Known entries below the first lost one. */
  dense(): readonly E[] {
    return this.missing === 0 ? this.#known : this.#known.slice(0, this.#denseCount());
  }

  /** Known entries above the first lost one. */
  behind(): readonly E[] {
    return this.missing === 0 ? [] : this.#known.slice(this.#denseCount());
  }

  /** Names of lost entries, each right before a known one. */
  names(): readonly LogPoint[] {
    return this.#names.filter(({ index }) => this.known(index + 1) !== null);
  }

  /** −1 when the index is outside, or nothing is known of its entry. */
  termAt(index: Index): Term {
    if (index === this.startIndex) return this.startTerm;
    if (index === this.#lastIndex) return this.#lastTerm;
    const term = this.known(index)?.term;
    return term ?? this.#names.find((name) => name.index === index)?.term ?? -1;
  }

  /** Null: outside, or lost. */
  known(index: Index): E | null {
    const entry = this.#known[this.#at(index)];
    return entry?.index === index ? entry : null;
  }

  /** What an Append says: everything at or above `firstIndex` goes. False: a gap. */
  append(firstIndex: Index, entries: readonly E[]): boolean {
    if (firstIndex > this.#lastIndex + 1) return false;
    this.#truncate(firstIndex);
    for (const entry of entries) this.#push(entry);
    return true;
  }

  /**
   * What a Repair says: entries by index, and nothing else goes, unless one of them has another term than
   * what is known there, or a higher one than what is known above. Then the rest was never committed
   * (terms do not fall along a log). The index where it went; 0: it stays.
   */
  repair(entries: readonly E[]): Index {
    let conflict = 0;
    for (const entry of entries) {
      const { index, term } = entry;
      if (index <= this.startIndex) continue;
      const known = this.termAt(index);
      if (index > this.#lastIndex) this.#push(entry);
      else if (known < 0 ? term <= this.#termAbove(index) : known === term) this.#put(entry);
      else {
        conflict ||= index;
        this.#truncate(index);
        this.#push(entry);
      }
    }
    return conflict;
  }

  /** A batch of which only the header is left: its entries, which are the last, are lost. */
  lose(firstIndex: Index, end: LogPoint): boolean {
    if (!this.append(firstIndex, [])) return false;
    this.#endAt(end);
    return true;
  }

  /** Nothing above `index` is certain any more but the end. */
  forgetAbove(index: Index, end: LogPoint): void {
    const from = Math.min(index, end.index) + 1;
    this.#known.length = this.#at(from);
    this.#names = this.#names.filter((name) => name.index < from);
    if (end.index < this.startIndex) {
      this.startIndex = end.index;
      this.startTerm = end.term;
    }
    this.#endAt(end);
  }

  /**
   * The log behind a snapshot that ends at this point. Where entries are lost, those above stay as long
   * as nothing says that the log had another entry there.
   */
  restart(index: Index, term: Term): GappedLog<E> {
    const found = this.termAt(index);
    if (this.missing === 0 && found === term) return this;
    const log = new GappedLog<E>(index, term);
    const possible = found < 0 ? term <= this.#termAbove(index) : found === term;
    if (this.missing === 0 || index >= this.#lastIndex || index < this.startIndex || !possible) {
      return log;
    }
    log.#known = this.#known.slice(this.#at(index + 1));
    log.#names = this.#names.filter((name) => name.index > index);
    log.#endAt({ index: this.#lastIndex, term: this.#lastTerm });
    return log;
  }

  /** The same without what the entries hold. */
  points(): GappedLog<LogPoint> {
    const log = new GappedLog<LogPoint>(this.startIndex, this.startTerm);
    log.#known = this.#known.map(({ index, term }) => ({ index, term }));
    log.#names = [...this.#names];
    log.#endAt({ index: this.#lastIndex, term: this.#lastTerm });
    return log;
  }

  /** The term below the first entry is gone: the first entry takes the place of what is below. */
  dropUnknownStart(): void {
    const first = this.#known[0];
    if (this.startTerm >= 0 || first === undefined || first.index !== this.startIndex + 1) return;
    this.#known.shift();
    this.startIndex = first.index;
    this.startTerm = first.term;
  }

  #truncate(firstIndex: Index): void {
    if (firstIndex > this.#lastIndex) return;
    if (firstIndex <= this.startIndex) {
      this.startIndex = firstIndex - 1;
      this.startTerm = -1;
    }
    const lastTerm = this.termAt(firstIndex - 1);
    this.#known.length = this.#at(firstIndex);
    this.#names = this.#names.filter((name) => name.index < firstIndex - 1);
    this.#lastIndex = firstIndex - 1;
    this.#lastTerm = lastTerm;
  }

  /** Behind the end. */
  #push(entry: E): void {
    const { index, term } = entry;
    const before = { index: this.#lastIndex, term: this.#lastTerm };
    const isLost = before.index > this.startIndex && this.#known.at(-1)?.index !== before.index;
    if (isLost && before.term >= 0) this.#names.push(before);
    // Of what is not known to stand behind the entry before it, only the name counts.
    if (!isLost || before.term >= 0) this.#known.push(entry);
    this.#endAt({ index, term });
  }

  #put(entry: E): void {
    const { index, term } = entry;
    const at = this.#at(index);
    if (this.#known[at]?.index === index) {
      this.#known[at] = entry;
      return;
    }
    const isNamed = index - 1 === this.startIndex || this.termAt(index - 1) >= 0;
    if (isNamed) this.#known.splice(at, 0, entry);
    this.#names = this.#names.filter((name) => name.index !== index);
    if (isNamed || index === this.#lastIndex) return;
    this.#names.push({ index, term });
    this.#names.sort((a, b) => a.index - b.index);
  }

  /** The term of the first entry above of which it is known: terms do not fall along a log. */
  #termAbove(index: Index): Term {
    const known = this.#known[this.#at(index + 1)];
    const named = this.#names.find((name) => name.index > index);
    return Math.min(known?.term ?? Infinity, named?.term ?? Infinity, this.#lastTerm);
  }

  #endAt({ index, term }: LogPoint): void {
    this.#lastIndex = index;
    this.#lastTerm = term;
  }

  /** Place of the first known entry at or above. */
  #at(index: Index): number {
    const known = this.#known;
    const guess = index - this.startIndex - 1;
    if (known[guess]?.index === index) return guess;
    let low = 0;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (known[middle]!.index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #denseCount(): number {
    let low = 0;
    let high = this.#known.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#known[middle]!.index === this.startIndex + 1 + middle) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
