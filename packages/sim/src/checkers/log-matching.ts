// S3: entries of equal index and term are equal, and so is everything before them (Raft figure 3).
// It is enough that each (index, term) has one content and one predecessor term: the rest follows
// by induction.
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
  readonly #entries: Map<string, SeenEntry>;

  constructor() {
    this.#entries = new Map();
  }

  /** An entry in anybody's log or in any message. */
  entrySeen(entry: SeenEntry): void {
    const id = `${entry.index}/${entry.term}`;
    const known = this.#entries.get(id);
    if (known === undefined) {
      this.#entries.set(id, entry);
      return;
    }
    demand(known.crc === entry.crc, property, () => `entry ${id} has two contents`);
    demand(
      known.previousTerm === entry.previousTerm,
      property,
      () => `before entry ${id} stand terms ${known.previousTerm} and ${entry.previousTerm}`,
    );
  }

  get entryCount(): number {
    return this.#entries.size;
  }
}
