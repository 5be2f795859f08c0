// The state machine's own section of a checkpoint (DESIGN.md 15): its numbers and digests. On disk
// and in snapshots; the first byte is the format.
import { ByteReader, ByteWriter } from "@quorate/base";
import type { StoreNumbers } from "./mvcc/store.ts";

export const stateRecordName = "kv";

const FORMAT = 1;

export interface StateRecord {
  /** Index of the last entry applied or skipped. */
  readonly appliedIndex: number;
  readonly store: StoreNumbers;
  readonly applyLow: number;
  readonly applyHigh: number;
  /** Live digest of rows and tables together. */
  readonly liveLow: number;
  readonly liveHigh: number;
}

export function encodeStateRecord(record: StateRecord): Uint8Array {
  const { store } = record;
  const writer = new ByteWriter();
  writer.u8(FORMAT);
  writer.u64(record.appliedIndex);
  writer.u64(store.revision);
  // One higher, so that "never compacted", -1, is not negative.
  writer.u64(store.compactRevision + 1);
  writer.u64(store.hlc);
  writer.u64(store.keys);
  writer.u64(store.liveBytes);
  writer.u64(store.puts);
  writer.u64(store.deletes);
  writer.u32(store.digestLow);
  writer.u32(store.digestHigh);
  writer.u32(record.applyLow);
  writer.u32(record.applyHigh);
  writer.u32(record.liveLow);
  writer.u32(record.liveHigh);
  return writer.take();
}

/** Null: not such a record. */
export function decodeStateRecord(bytes: Uint8Array): StateRecord | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT) return null;
  const appliedIndex = reader.u64();
  const store: StoreNumbers = {
    revision: reader.u64(),
    compactRevision: reader.u64() - 1,
    hlc: reader.u64(),
    keys: reader.u64(),
    liveBytes: reader.u64(),
    puts: reader.u64(),
    deletes: reader.u64(),
    digestLow: reader.u32(),
    digestHigh: reader.u32(),
  };
  const applyLow = reader.u32();
  const applyHigh = reader.u32();
  const liveLow = reader.u32();
  const liveHigh = reader.u32();
  if (!reader.ok || !reader.done) return null;
  if (store.revision < 1 || store.compactRevision > store.revision) return null;
  return { appliedIndex, store, applyLow, applyHigh, liveLow, liveHigh };
}
