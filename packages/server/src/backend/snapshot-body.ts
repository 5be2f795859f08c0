// A held state as the bytes of etcd's backend file, in pieces. Twice through the rows: what stands first
// in the file says where its end is. Nothing is written to this member's disk for it, which has other
// work: of the rows one page a level is held, whatever there is.
import { assert, must } from "@quorate/base";
import type { HeldState } from "@quorate/host";
import { encodeRevisionKey, etcdRowBytes, EtcdRowEncoder } from "@quorate/kv";
import type { Row } from "@quorate/kv";
import { RowsDamaged } from "@quorate/storage";
import type { RowWalk } from "@quorate/storage";
import { FileWriter } from "../bolt/file-writer.ts";
import type { FileParts, FilePlan } from "../bolt/file-writer.ts";
import { pageBytes } from "../bolt/page.ts";
import { BucketName } from "./names.ts";
import { smallBuckets } from "./small-buckets.ts";

/** What a row costs beside its key and value. */
const rowOverheadBytes = 64;

export class SnapshotBody {
  readonly #state: HeldState;
  readonly #parts: FileParts;
  readonly #pieceBytes: number;
  readonly #rows: EtcdRowEncoder;
  #walk: RowWalk;
  #measuring: FileWriter | null;
  #plan: FilePlan | null;
  /** Null before anything is measured, and after the last row. */
  #writing: FileWriter | null;
  #written: boolean;
  /** Pages not given out yet, and how much of the first one was. */
  #pages: Uint8Array[];
  #queuedBytes: number;
  #taken: number;

  /** `pieceBytes`: length of each piece but the last. */
  constructor(state: HeldState, pieceBytes: number) {
    this.#state = state;
    this.#parts = { buckets: smallBuckets(state), streamed: BucketName.Key };
    this.#pieceBytes = pieceBytes;
    this.#rows = new EtcdRowEncoder();
    this.#walk = state.walkRows();
    this.#measuring = new FileWriter(this.#parts, null, null);
    this.#plan = null;
    this.#writing = null;
    this.#written = false;
    this.#pages = [];
    this.#queuedBytes = 0;
    this.#taken = 0;
  }

  /** Reads about so many bytes of rows; true when all is measured. */
  measure(bytesMax: number): boolean | RowsDamaged {
    const measuring = this.#measuring;
    if (measuring === null) return true;
    for (let bytes = 0; bytes < bytesMax;) {
      const row = this.#walk.next();
      if (row instanceof RowsDamaged) return row;
      if (row === null) {
        this.#measuring = null;
        this.#begin(measuring.finish());
        return true;
      }
      measuring.measure(encodeRevisionKey(row), etcdRowBytes(row));
      bytes += rowOverheadBytes + row.key.length + row.value.length;
    }
    return false;
  }

  /** Of the whole, once it is measured. */
  get bytes(): number {
    return must(this.#plan, "the body was measured").pages * pageBytes;
  }

  /** The next piece; null behind the last. */
  next(): Uint8Array | RowsDamaged | null {
    while (this.#queuedBytes < this.#pieceBytes && !this.#written) {
      const damaged = this.#writeNext();
      if (damaged !== null) return damaged;
    }
    return this.#queuedBytes === 0 ? null : this.#cut();
  }

  #begin(plan: FilePlan): void {
    this.#plan = plan;
    this.#walk = this.#state.walkRows();
    this.#writing = new FileWriter(this.#parts, plan, (pages) => {
      this.#pages.push(pages);
      this.#queuedBytes += pages.length;
    });
  }

  #writeNext(): RowsDamaged | null {
    const writing = must(this.#writing, "the body was measured");
    const row: Row | RowsDamaged | null = this.#walk.next();
    if (row instanceof RowsDamaged) return row;
    if (row !== null) {
      writing.add(encodeRevisionKey(row), this.#rows.encode(row));
      return null;
    }
    writing.finish();
    this.#written = true;
    return null;
  }

  #cut(): Uint8Array {
    const piece = new Uint8Array(Math.min(this.#pieceBytes, this.#queuedBytes));
    let filled = 0;
    let emptied = 0;
    while (filled < piece.length) {
      const page = must(this.#pages[emptied], "so much is queued");
      const part = page.subarray(this.#taken, this.#taken + piece.length - filled);
      piece.set(part, filled);
      filled += part.length;
      this.#taken += part.length;
      if (this.#taken < page.length) break;
      this.#taken = 0;
      emptied += 1;
    }
    this.#pages.splice(0, emptied);
    this.#queuedBytes -= piece.length;
    assert(filled === piece.length, "a piece is filled");
    return piece;
  }
}
