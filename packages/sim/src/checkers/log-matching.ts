// S3: entries of equal index and term are equal, and so is everything before them (Raft figure 3).
// It is enough that each (index, term) has one content and one predecessor term: the rest follows
// by induction.
import { crc32c } from "@quorate/base";
import type { Entry } from "@quorate/raft";
import { demand } from "./violation.ts";

const property = "S3 log matching";

export interface SeenEntry {
  readonly index: number;
  readonly term: number;
  /** Term of the entry just before; 0 before index 1. */
  readonly previousTerm: number;
  /** Checksum over kind, level, stamp and payload. */
  readonly crc: number;
}

export class LogMatching {
  /** `idOf` → entry. */
  readonly #entries: Map<number, SeenEntry>;

  constructor() {
    this.#entries = new Map();
  }

  /** Entries that follow each other, in anybody's log or in any message. */
  entriesSeen(termBefore: number, entries: readonly Entry[]): void {
    let previousTerm = termBefore;
    for (const entry of entries) {
      const { index, term } = entry;
      this.entrySeen({ index, term, previousTerm, crc: crcOf(entry) });
      previousTerm = term;
    }
  }

  entrySeen(entry: SeenEntry): void {
    const id = idOf(entry);
    const known = this.#entries.get(id);
    if (known === undefined) {
      this.#entries.set(id, entry);
      return;
    }
    demand(known.crc === entry.crc, property, () => `entry ${nameOf(entry)} has two contents`);
    demand(
      known.previousTerm === entry.previousTerm,
      property,
      () =>
        `before entry ${nameOf(entry)} stand terms ${known.previousTerm} and ${entry.previousTerm}`,
    );
  }

  get entryCount(): number {
    return this.#entries.size;
  }
}

/** Terms stay far below a million in a run. */
function idOf({ index, term }: SeenEntry): number {
  return index * 1_048_576 + term;
}

function nameOf({ index, term }: SeenEntry): string {
  return `${index}/${term}`;
}

function crcOf(entry: Entry): number {
  const seed = entry.kind * 31 + entry.level * 7 + (entry.wallMs % 1_000_003);
  return crc32c(entry.payload, 0, entry.payload.length, seed >>> 0);
}
