// etcd 3.4's HashKV (HashByRev of mvcc/kvstore.go): CRC32C over the bucket name "key" and then,
// row by row in the order of revisions, over etcd's bytes of the row's revision and key-value.
// Rows up to the compaction revision count only if they hold their key at the revision hashed;
// unless no key is alive there at all: then those that a finished compaction has left count.
//
// In slices. Meanwhile the store drops no versions (`holds`), so that what must be hashed stays;
// the task must be driven to its end. A rebuilt store begins it anew.
import { assert, crc32c, latin1Decode, latin1Encode } from "@quorate/base";
import type { HashKvTask } from "../kv-api.ts";
import { KvError } from "../kv-error.ts";
import type { Row, RowCursor, RowRef } from "../rows.ts";
import { writeKeyValueFields } from "../wire/encode-response.ts";
import { putRevisionKey, revisionKeyBytesMax } from "../wire/etcd-row.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import { noRef } from "./key-index.ts";
import type { MvccStore } from "./store.ts";

const BUCKET_NAME = latin1Encode("key");
/** Blocks of keys looked at for one row of a step's budget. */
const BLOCKS_PER_ROW = 1 / 256;

export function beginHashKv(store: MvccStore, revision: number): HashKvTask | KvError {
  const refusal = refusalOf(store, revision);
  return refusal === KvError.None ? new HashTask(store, revision) : refusal;
}

// A revision below 0 is a revision without rows, as in etcd; only 0 means "now".
function refusalOf(store: MvccStore, revision: number): KvError {
  if (revision > 0 && revision <= store.compactRevision) return KvError.Compacted;
  return revision > store.revision ? KvError.FutureRevision : KvError.None;
}

class HashTask implements HashKvTask {
  hash: number;
  compactRevision: number;
  hashRevision: number;
  error: KvError;

  readonly #store: MvccStore;
  readonly #asked: number;
  #generation: number;
  #done: boolean;
  /** Next block in the search for a key that is alive at the revision; -1: the search is over. */
  #searchAt: number;
  /** Rows up to the compaction revision count if they hold their key at this one. */
  #keepRevision: number;
  #cursor: RowCursor | null;
  #revisionBytes: Uint8Array;
  #writer: ProtoWriter;
  #fields: Uint8Array;

  constructor(store: MvccStore, revision: number) {
    this.hash = 0;
    this.compactRevision = 0;
    this.hashRevision = 0;
    this.error = KvError.None;
    this.#store = store;
    this.#asked = revision;
    this.#generation = -1;
    this.#done = false;
    this.#searchAt = 0;
    this.#keepRevision = 0;
    this.#cursor = null;
    this.#revisionBytes = new Uint8Array(revisionKeyBytesMax);
    this.#writer = new ProtoWriter();
    this.#fields = new Uint8Array(1024);
    this.#start();
  }

  step(rowsMax: number): boolean {
    assert(rowsMax > 0, "HashTask.step: no budget");
    if (this.#done) return true;
    if (this.#generation !== this.#store.generation) {
      this.error = refusalOf(this.#store, this.#asked);
      if (this.error !== KvError.None) {
        this.#done = true;
        return true;
      }
      this.#start();
    }
    if (this.#searchAt >= 0) {
      this.#search(Math.ceil(rowsMax * BLOCKS_PER_ROW));
      return false;
    }
    return this.#hashRows(rowsMax);
  }

  #start(): void {
    const store = this.#store;
    this.#generation = store.generation;
    store.holds++;
    this.compactRevision = store.compactRevision;
    this.hashRevision = this.#asked === 0 ? store.revision : this.#asked;
    this.hash = crc32c(BUCKET_NAME);
    this.#searchAt = 0;
    this.#keepRevision = this.hashRevision;
    this.#cursor = null;
  }

  #search(blocksMax: number): void {
    const next = this.#store.index.anyAliveFrom(this.#searchAt, this.hashRevision, blocksMax);
    if (next === true) {
      this.#searchAt = -1;
    } else {
      this.#searchAt = next;
      if (next < 0) this.#keepRevision = this.compactRevision;
    }
  }

  #hashRows(rowsMax: number): boolean {
    const cursor = (this.#cursor ??= this.#store.rows.cursorFrom(0));
    for (let i = 0; i < rowsMax; i++) {
      const row = cursor.next();
      if (row === null || row.main > this.hashRevision) {
        this.#done = true;
        this.#store.holds--;
        return true;
      }
      if (this.#counts(row, cursor.ref())) this.#add(row);
    }
    return false;
  }

  #counts(row: Row, ref: RowRef): boolean {
    if (row.main > this.compactRevision) return true;
    const { index } = this.#store;
    const slot = index.find(latin1Decode(row.key));
    const held = slot < 0 ? noRef : index.refAt(slot, this.#keepRevision);
    return held === ref;
  }

  #add(row: Row): void {
    const bytes = this.#revisionBytes;
    const hash = crc32c(bytes, 0, putRevisionKey(bytes, row), this.hash);
    this.#writer.reset();
    writeKeyValueFields(this.#writer, row, true);
    const length = this.#writer.length;
    if (length > this.#fields.length) this.#fields = new Uint8Array(2 * length);
    this.#writer.copyTo(this.#fields, 0);
    this.hash = crc32c(this.#fields, 0, length, hash);
  }
}
