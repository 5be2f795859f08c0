// The part of the log that is in memory: dense entries above a base that was compacted or came as
// a snapshot. Knows terms and what follows from the entries themselves (levels, stamps, where
// configuration changes stand); knows nothing of commit, durability or roles.
import { assert } from "@quorate/base";
import { EntryKind, entryBytes } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { Index, Term } from "./types.ts";

export class LogTail {
  /** The entry just below the first one here. Invariant: entries[i].index = baseIndex + 1 + i. */
  baseIndex: Index;
  baseTerm: Term;
  /** Feature level in force behind the base, and its newest stamp (P11). */
  baseLevel: number;
  baseWallMs: number;
  #entries: Entry[];
  /** Where ConfChange entries stand, ascending: looked up at campaigns and proposals. */
  #confChanges: Index[];

  constructor(baseIndex: Index, baseTerm: Term, baseLevel: number, baseWallMs: number) {
    this.baseIndex = baseIndex;
    this.baseTerm = baseTerm;
    this.baseLevel = baseLevel;
    this.baseWallMs = baseWallMs;
    this.#entries = [];
    this.#confChanges = [];
  }

  get lastIndex(): Index {
    return this.baseIndex + this.#entries.length;
  }

  get lastTerm(): Term {
    const count = this.#entries.length;
    return count === 0 ? this.baseTerm : this.#entries[count - 1]!.term;
  }

  /** Feature level of the next entry: what all Level entries of the log come to (P11). */
  get nextLevel(): number {
    const count = this.#entries.length;
    return count === 0 ? this.baseLevel : levelAfter(this.#entries[count - 1]!);
  }

  /** Stamp of the last entry: the next one's may not be below it (P11). */
  get lastWallMs(): number {
    const count = this.#entries.length;
    return count === 0 ? this.baseWallMs : this.#entries[count - 1]!.wallMs;
  }

  /** Null: compacted away, or beyond the end. */
  termAt(index: Index): Term | null {
    if (index === this.baseIndex) return this.baseTerm;
    if (index < this.baseIndex || index > this.lastIndex) return null;
    return this.#entries[index - this.baseIndex - 1]!.term;
  }

  at(index: Index): Entry {
    assert(index > this.baseIndex && index <= this.lastIndex, "log tail: no such entry");
    return this.#entries[index - this.baseIndex - 1]!;
  }

  /** Of the entries above `index` that are here. Walks them: for rare questions. */
  bytesAbove(index: Index): number {
    let bytes = 0;
    for (let i = Math.max(0, index - this.baseIndex); i < this.#entries.length; i++) {
      bytes += entryBytes(this.#entries[i]!);
    }
    return bytes;
  }

  push(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "log tail: entries must be dense");
    assert(entry.term >= this.lastTerm, "log tail: terms never decrease");
    this.#entries.push(entry);
    if (entry.kind === EntryKind.ConfChange) this.#confChanges.push(entry.index);
  }

  truncateFrom(index: Index): void {
    assert(index > this.baseIndex && index <= this.lastIndex, "log tail: truncation outside");
    this.#entries.length = index - this.baseIndex - 1;
    while (this.#confChanges.length > 0 && this.#confChanges.at(-1)! >= index) {
      this.#confChanges.pop();
    }
  }

  /** Forgets the entries up to `index`, which becomes the base. */
  compactTo(index: Index): void {
    assert(index > this.baseIndex && index <= this.lastIndex, "log tail: compaction outside");
    const base = this.at(index);
    this.baseLevel = levelAfter(base);
    this.baseWallMs = base.wallMs;
    this.#entries = this.#entries.slice(index - this.baseIndex);
    this.#confChanges = this.#confChanges.filter((at) => at > index);
    this.baseIndex = index;
    this.baseTerm = base.term;
  }

  /** Everything here is replaced by a snapshot. */
  resetTo(baseIndex: Index, baseTerm: Term, baseLevel: number, baseWallMs: number): void {
    this.baseIndex = baseIndex;
    this.baseTerm = baseTerm;
    this.baseLevel = baseLevel;
    this.baseWallMs = baseWallMs;
    this.#entries = [];
    this.#confChanges = [];
  }

  /** The oldest ConfChange entry in (after, upTo]; 0: none. */
  confChangeIn(after: Index, upTo: Index): Index {
    for (let i = 0; i < this.#confChanges.length; i++) {
      const at = this.#confChanges[i]!;
      if (at > after) return at <= upTo ? at : 0;
    }
    return 0;
  }

  /** Entries from `first` on, at most `bytesMax` of them but at least one (lesson 46). */
  slice(first: Index, bytesMax: number): Entry[] {
    const from = first - this.baseIndex - 1;
    assert(from >= 0 && from < this.#entries.length, "log tail: slice outside");
    let end = from + 1;
    let bytes = entryBytes(this.#entries[from]!);
    while (end < this.#entries.length) {
      bytes += entryBytes(this.#entries[end]!);
      if (bytes > bytesMax) break;
      end++;
    }
    return this.#entries.slice(from, end);
  }
}

function levelAfter(entry: Entry): number {
  return entry.kind === EntryKind.Level ? (levelOf(entry.payload) ?? entry.level) : entry.level;
}

/** Level in force behind the entry at `index`; 0: that is below the tail. */
export function levelAt(tail: LogTail, index: Index): number {
  if (index < tail.baseIndex) return 0;
  return index === tail.baseIndex ? tail.baseLevel : levelAfter(tail.at(index));
}

/** Stamp of the entry at `index`; 0: that is below the tail. */
export function stampAt(tail: LogTail, index: Index): number {
  if (index < tail.baseIndex) return 0;
  return index === tail.baseIndex ? tail.baseWallMs : tail.at(index).wallMs;
}

/** The level that a Level entry's payload sets; null: it is none. */
export function levelOf(payload: Uint8Array): number | null {
  if (payload.length !== 4) return null;
  return payload[0]! + payload[1]! * 0x100 + payload[2]! * 0x10000 + payload[3]! * 0x1000000;
}
