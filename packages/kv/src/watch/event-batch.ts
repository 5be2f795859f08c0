// Changed rows as the events of watch responses, encoded once for all watchers that want the same. A
// batch is cut into parts at revisions only: a client takes all of one revision from one response,
// unless it asked for fragments (etcd-api.md W4).
import type { Row } from "../rows.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import { encodeEvent } from "../wire/encode-watch.ts";

/** One response carries about so much, and so many revisions, where its revisions let it. */
export const partBytesMax: number = 1 << 20;
export const partRevisionsMax: number = 1000;

/** Whole revisions, as the encoded field `events`. */
export class EventPart {
  readonly bytes: Uint8Array;
  /** Where each event ends in `bytes`. */
  readonly ends: readonly number[];
  /** The last one in it. */
  readonly revision: number;

  constructor(bytes: Uint8Array, ends: readonly number[], revision: number) {
    this.bytes = bytes;
    this.ends = ends;
    this.revision = revision;
  }
}

export type EventBatch = readonly EventPart[];

/** Which events of a group a watcher wants. */
export interface EventChoice {
  readonly noPuts: boolean;
  readonly noDeletes: boolean;
  readonly prevKv: boolean;
}

/** The row that held the key just before `row`, or null; null too where compaction has been. */
export type PreviousOf = (row: Row) => Row | null;

export class EventEncoder {
  readonly #rows: readonly Row[];
  readonly #previousOf: PreviousOf;
  readonly #writer: ProtoWriter;
  readonly #plain: (Uint8Array | undefined)[];
  readonly #withPrevious: (Uint8Array | undefined)[];

  /** `rows`: of whole revisions, ascending. */
  constructor(rows: readonly Row[], previousOf: PreviousOf) {
    this.#rows = rows;
    this.#previousOf = previousOf;
    this.#writer = new ProtoWriter();
    this.#plain = [];
    this.#withPrevious = [];
  }

  /** The place in `hits` of the first row that is not below the revision. */
  firstFrom(hits: readonly number[], revision: number): number {
    let from = 0;
    while (from < hits.length && this.#rows[hits[from]!]!.main < revision) from += 1;
    return from;
  }

  /** Of the rows numbered by `hits`, from the place `from` on, what the choice wants; empty: nothing. */
  batchOf(hits: readonly number[], from: number, choice: EventChoice): EventBatch {
    const parts: EventPart[] = [];
    let events: Uint8Array[] = [];
    let bytes = 0;
    let revisions = 0;
    let revision = 0;
    for (let place = from; place < hits.length; place += 1) {
      const hit = hits[place]!;
      const row = this.#rows[hit]!;
      if (row.tombstone ? choice.noDeletes : choice.noPuts) continue;
      if (row.main !== revision) {
        if (bytes >= partBytesMax || revisions >= partRevisionsMax) {
          parts.push(partOf(events, bytes, revision));
          events = [];
          bytes = 0;
          revisions = 0;
        }
        revision = row.main;
        revisions += 1;
      }
      const event = this.#eventOf(hit, row, choice.prevKv);
      events.push(event);
      bytes += event.length;
    }
    if (events.length > 0) parts.push(partOf(events, bytes, revision));
    return parts;
  }

  #eventOf(at: number, row: Row, prevKv: boolean): Uint8Array {
    const known = prevKv ? this.#withPrevious : this.#plain;
    return (known[at] ??= encodeEvent(this.#writer, row, prevKv ? this.#previousOf(row) : null));
  }
}

function partOf(events: readonly Uint8Array[], length: number, revision: number): EventPart {
  const bytes = new Uint8Array(length);
  const ends: number[] = [];
  let at = 0;
  for (const event of events) {
    bytes.set(event, at);
    at += event.length;
    ends.push(at);
  }
  return new EventPart(bytes, ends, revision);
}
