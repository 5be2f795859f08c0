// A Range of many keys in slices, between which everything else goes on: what it answers is the state of
// the moment at which it began. Meanwhile the store drops no versions (`holds`), so that its rows stay; a
// task must be driven to its end or abandoned.
import { assert } from "@quorate/base";
import type { RangeTask } from "../kv-api.ts";
import { KvError } from "../kv-error.ts";
import type { RowRef } from "../rows.ts";
import { ResponseTag, writeHeader, writeKeyValue } from "../wire/encode-response.ts";
import type { HeaderSource } from "../wire/encode-response.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import type { RangeRequest } from "../wire/request.ts";
import { collectRange, isPlain } from "./range.ts";
import type { MvccStore } from "./store.ts";

/** What is written before it is put aside: the writer's buffer is not to grow with the answer. */
const partBytes = 1 << 20;

export interface RangeTaskParts {
  readonly header: HeaderSource;
  readonly bytesMax: number;
  /** Asked at the end, when rights may have changed. */
  recheck(): KvError;
}

/**
 * Null: it has at most `rowsAtOnce` keys, or asks for more than rows in order of their keys (a sort of
 * another kind, a filter, a count), or for a revision that is not there.
 */
export function beginRange(
  store: MvccStore,
  request: RangeRequest,
  rowsAtOnce: number,
  parts: RangeTaskParts,
): RangeTask | null {
  const { key, rangeEnd, limit, countOnly } = request;
  if (rangeEnd.length === 0 || countOnly || !isPlain(request)) return null;
  if (limit > 0 && limit <= rowsAtOnce) return null;
  const now = store.readRevision;
  const revision = request.revision <= 0 ? now : request.revision;
  if (revision > now || revision < store.compactRevision) return null;
  const count = collectRange(store, key, rangeEnd, revision, 0, []);
  if (count <= rowsAtOnce) return null;
  return new SlicedRange(store, request, revision, parts);
}

class SlicedRange implements RangeTask {
  readonly #store: MvccStore;
  readonly #request: RangeRequest;
  readonly #parts: RangeTaskParts;
  readonly #generation: number;
  readonly #writer: ProtoWriter;
  readonly #refs: RowRef[];
  readonly #count: number;
  /** Of #refs. */
  #at: number;
  #written: Uint8Array[];
  #bytes: number;
  #ended: boolean;
  error: KvError;
  bytes: Uint8Array | null;
  stale: boolean;

  constructor(store: MvccStore, request: RangeRequest, revision: number, parts: RangeTaskParts) {
    this.#store = store;
    this.#request = request;
    this.#parts = parts;
    this.#generation = store.generation;
    this.#writer = new ProtoWriter();
    this.#refs = [];
    const { key, rangeEnd, limit } = request;
    const take = limit > 0 ? limit : Infinity;
    this.#count = collectRange(store, key, rangeEnd, revision, take, this.#refs);
    this.#at = 0;
    this.#written = [];
    this.#bytes = 0;
    this.#ended = false;
    this.error = KvError.None;
    this.bytes = null;
    this.stale = false;
    store.holds++;
    writeHeader(this.#writer, parts.header, store.readRevision);
  }

  step(rowsMax: number): boolean {
    assert(rowsMax > 0 && !this.#ended, "SlicedRange.step: no budget, or it has ended");
    if (this.#store.generation !== this.#generation) {
      this.stale = true;
      this.#ended = true;
      return true;
    }
    const refs = this.#refs;
    const end = Math.min(refs.length, this.#at + rowsMax);
    const sliceEnd = this.#bytes + this.#writer.length + partBytes;
    while (this.#at < end && this.#bytes + this.#writer.length < sliceEnd) {
      const row = this.#store.rows.read(refs[this.#at]!);
      writeKeyValue(this.#writer, ResponseTag.RangeKv, row, !this.#request.keysOnly);
      this.#at += 1;
    }
    this.#putAside();
    if (this.#bytes > this.#parts.bytesMax) return this.#end(KvError.ResponseTooLarge);
    if (this.#at < refs.length) return false;
    this.#writer.bool(ResponseTag.RangeMore, this.#count > refs.length);
    this.#writer.uint(ResponseTag.RangeCount, this.#count);
    this.#putAside();
    return this.#end(this.#parts.recheck());
  }

  abandon(): void {
    if (!this.#ended) this.#end(KvError.None);
    this.bytes = null;
  }

  #putAside(): void {
    this.#written.push(this.#writer.take());
    this.#bytes += this.#writer.length;
    this.#writer.reset();
  }

  #end(error: KvError): true {
    this.#ended = true;
    this.error = error;
    if (this.#store.generation === this.#generation) this.#store.holds--;
    if (error === KvError.None) this.bytes = joined(this.#written, this.#bytes);
    this.#written = [];
    return true;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
