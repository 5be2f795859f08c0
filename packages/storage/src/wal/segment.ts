// One file of the log, as the running WAL sees it: where it is and what stands in it. Which bytes
// are good is recovery's business, which batches are durable is the commit queue's.
import type { Index } from "@quorate/raft";
import type { DiskFile } from "../env.ts";
import { nonceSeed } from "./wal-format.ts";

export class Segment {
  readonly id: number;
  readonly nonce: number;
  /** Start value of the CRCs in it. */
  readonly seed: number;
  readonly bytes: number;
  readonly path: string;
  /** Null when nothing more is written to it. */
  file: DiskFile | null;
  /** First and last batch in it; 0: none yet. */
  firstSeq: number;
  lastSeq: number;
  /**
   * The highest index that any batch in it speaks of. Entries voided since then count: what voided
   * them may not be durable yet.
   */
  lastIndex: Index;
  /** Recovery has found a part of it lost; its entries stand elsewhere, or will. */
  damaged: boolean;

  constructor(id: number, nonce: number, bytes: number, path: string, file: DiskFile | null) {
    this.id = id;
    this.nonce = nonce;
    this.seed = nonceSeed(nonce);
    this.bytes = bytes;
    this.path = path;
    this.file = file;
    this.firstSeq = 0;
    this.lastSeq = 0;
    this.lastIndex = 0;
    this.damaged = false;
  }

  noteBatch(seq: number, lastIndex: Index): void {
    if (this.firstSeq === 0) this.firstSeq = seq;
    this.lastSeq = seq;
    this.lastIndex = Math.max(this.lastIndex, lastIndex);
  }

  close(): void {
    this.file?.close();
    this.file = null;
  }
}

const idDigits = 16;
const prefix = "wal-";
const suffix = ".log";

/** Ids ascend without gaps, so names sort as the log runs: wal-0000000000000007.log. */
export function segmentName(id: number): string {
  return `${prefix}${String(id).padStart(idDigits, "0")}${suffix}`;
}

/** The id in a segment's name; 0 for any other name. */
export function segmentId(name: string): number {
  const digits = name.slice(prefix.length, -suffix.length);
  const id = /^[0-9]{16}$/.test(digits) ? Number(digits) : 0;
  return Number.isSafeInteger(id) && name === segmentName(id) ? id : 0;
}
