// A WAL with simple, known content, for tests that damage its files: batch n + 1 holds entry n alone,
// one block each, every one acknowledged before the next. Only tests import it.
import { ByteWriter, crc32c, fromHex, must, readU64, writeU32, writeU64 } from "@quorate/base";
import { Entry, HardState } from "@quorate/raft";
import { BatchHeader, beginBatchHeader, sealBatchHeader } from "../wal/batch-header.ts";
import { writeEntryRecord } from "../wal/batch-payload.ts";
import { segmentName } from "../wal/segment.ts";
import type { WalApi } from "../wal/wal-api.ts";
import { blockBytes, firstBatchOffset, nonceSeed } from "../wal/wal-format.ts";
import { benchClusterId, benchDirectory, benchRaftId, WalBench } from "./wal-bench.ts";

export const ledgerSegmentBytes = 32_768;
/** Batches of one block in a segment. */
export const batchesPerSegment = 7;

/** The batch of the first start is number 1; then entry 1 is in batch 2, and so on. */
export function batchOf(index: number): number {
  return index + 1;
}

export class WalLedger {
  readonly bench: WalBench;
  readonly wal: WalApi;
  #nowMs: number;

  constructor(entries: number) {
    this.bench = new WalBench(7, { segmentBytes: ledgerSegmentBytes });
    this.wal = this.bench.start().wal;
    this.#nowMs = 0;
    for (let index = 1; index <= entries; index++) this.append(index);
  }

  /** Commits everything below it. Acknowledged when this returns. */
  append(index: number, term: number = 1): void {
    this.begin(index, term);
    this.bench.env.run();
  }

  begin(index: number, term: number = 1): void {
    this.wal.append(
      {
        hardState: new HardState(term, 0, index - 1),
        firstIndex: index,
        entries: [entryOf(index, term)],
        peers: [],
        mustSync: true,
      },
      () => {},
    );
  }

  /** Idle for long enough. */
  seal(): void {
    for (let i = 0; i < 3; i++) {
      this.#nowMs += 60;
      this.wal.tick(this.#nowMs);
      this.bench.env.run();
    }
  }

  /** The checkpoint in force, as rows would name it. */
  checkpoint(index: number, durableSeq: number = this.wal.durableSeq): void {
    const entry = { id: 5000 + index, index, term: 1, durableSeq };
    const checkpoint = { ...entry, tablesName: "", tablesBytes: 0, tablesCrc: 0 };
    this.bench.manifest.change(
      (state) => ({ ...state, checkpoint }),
      () => {},
    );
    this.bench.env.run();
  }

  path(segment: number): string {
    return `${benchDirectory}/${segmentName(segment)}`;
  }

  /** File and offset of a batch, while no segment was dropped and every batch is one block. */
  place(seq: number): { readonly path: string; readonly offset: number } {
    const segment = 1 + Math.floor((seq - 1) / batchesPerSegment);
    const offset = firstBatchOffset + ((seq - 1) % batchesPerSegment) * blockBytes;
    return { path: this.path(segment), offset };
  }

  /** The block of a batch, to look at or to damage in place. */
  block(seq: number): Uint8Array {
    const { path, offset } = this.place(seq);
    return this.bench.disk.content(path).subarray(offset, offset + blockBytes);
  }

  nonce(segment: number): number {
    const { walSegments } = this.bench.medium.state;
    return must(
      walSegments.find(({ id }) => id === segment),
      "ledger: no such segment",
    ).nonce;
  }

  /** Changes a u64 of a batch's header and makes it check again. */
  forge(seq: number, at: number, value: number): void {
    const block = this.block(seq);
    writeU64(block, at, value);
    const seed = nonceSeed(readU64(block, 24));
    writeU32(block, 252, crc32c(block, 0, 252, seed));
  }

  /** Writes a whole, valid batch of one entry at any place. */
  plant(segment: number, offset: number, fields: Partial<BatchHeader>): void {
    const nonce = this.nonce(segment);
    const index = fields.firstIndex ?? 1;
    const header = Object.assign(new BatchHeader(), {
      clusterId: fromHex(benchClusterId),
      raftId: benchRaftId,
      nonce,
      offset,
      bootCount: 1,
      firstIndex: index,
      entries: 1,
      records: 1,
      lastIndex: index,
      lastTerm: 1,
      ...fields,
    });
    header.prevSeq = header.seq - 1;
    const writer = new ByteWriter();
    beginBatchHeader(writer, header);
    const running = writeEntryRecord(writer, entryOf(index, 1), nonceSeed(nonce));
    sealBatchHeader(writer, header, running, nonceSeed(nonce));
    writer.pad(blockBytes);
    this.bench.disk.content(this.path(segment)).set(writer.view(), offset);
  }
}

export function entryOf(index: number, term: number): Entry {
  return new Entry(term, index, 16, 1, 1000 + index, new Uint8Array(20).fill(index));
}
