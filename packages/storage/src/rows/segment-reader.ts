// Reads rows of segments for whoever takes many in order: ahead, in blocks that grow with the length of
// the walk. It keeps one block and knows no order.
import type { Row } from "@quorate/kv";
import { checkedRow } from "./checked-row.ts";
import type { RowFiles } from "./checked-row.ts";
import { RowBlock } from "./row-codec.ts";
import type { RowSegment } from "./row-segment.ts";

const blockBytesMin = 8_192;
const blockBytesMax = 262_144;

export class SegmentReader {
  readonly #files: RowFiles;
  /** Of which `#block` is a part, from `#blockOffset` on. */
  #segment: RowSegment | null;
  #block: RowBlock;
  #blockOffset: number;
  #blockBytes: number;

  constructor(files: RowFiles) {
    this.#files = files;
    this.#segment = null;
    this.#block = new RowBlock(new Uint8Array(0));
    this.#blockOffset = 0;
    this.#blockBytes = blockBytesMin;
  }

  rowAt(segment: RowSegment, position: number): Row {
    const unsaved = segment.unsavedRowAt(position);
    if (unsaved !== null) return unsaved;
    const offset = segment.places.offsetAt(position);
    const bound = segment.boundAt(position);
    if (!this.#holds(segment, offset, bound)) this.#load(segment, offset, bound);
    return checkedRow(this.#files, {
      segment,
      block: this.#block,
      at: offset - this.#blockOffset,
      bound,
      offset,
    });
  }

  #holds(segment: RowSegment, offset: number, bound: number): boolean {
    const from = this.#blockOffset;
    const end = from + this.#block.bytes.length;
    return segment === this.#segment && offset >= from && offset + bound <= end;
  }

  #load(segment: RowSegment, offset: number, bound: number): void {
    const wanted = Math.max(bound, this.#blockBytes);
    const length = Math.min(wanted, segment.savedBytes - offset);
    const fresh = new RowBlock(new Uint8Array(length));
    this.#files.readNow(segment, offset, fresh.bytes);
    this.#segment = segment;
    this.#block = fresh;
    this.#blockOffset = offset;
    this.#blockBytes = Math.min(2 * this.#blockBytes, blockBytesMax);
  }
}
