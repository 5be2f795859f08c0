// Rows read from disk, bounded by bytes. Two generations: what is used moves to the young one; when
// that holds half of the bound, the old one is forgotten. No per-row links, no order to maintain.
import type { Row, RowRef } from "@quorate/kv";
import { encodedRowBytes } from "./row-codec.ts";

/** Map slot, row object and two views, measured roughly. */
const entryOverheadBytes = 300;

export class RowCache {
  readonly #halfBytesMax: number;
  #young: Map<RowRef, Row>;
  #old: Map<RowRef, Row>;
  #youngBytes: number;

  constructor(bytesMax: number) {
    this.#halfBytesMax = bytesMax / 2;
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  get(ref: RowRef): Row | null {
    const young = this.#young.get(ref);
    if (young !== undefined) return young;
    const old = this.#old.get(ref);
    if (old === undefined) return null;
    this.put(ref, old);
    return old;
  }

  put(ref: RowRef, row: Row): void {
    const bytes = encodedRowBytes(row) + entryOverheadBytes;
    if (bytes > this.#halfBytesMax) return;
    if (this.#youngBytes + bytes > this.#halfBytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(ref, row);
    this.#youngBytes += bytes;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }
}
