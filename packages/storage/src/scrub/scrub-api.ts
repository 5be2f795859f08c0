// What rereading finds, as an outcome: whoever is told decides what becomes of it.

export interface ScrubFinding {
  readonly part: "wal" | "rows";
  readonly path: string;
  /** Of the first byte that is not as it was written, or of the batch or row that holds it. */
  readonly offset: number;
  readonly what: string;
  /** The disk refused to read it; otherwise it gave other bytes. */
  readonly unreadable: boolean;
}

/** One file under scrub. */
export interface ScrubTarget {
  /** False: it is not in force any more, and nobody misses it. */
  stands(): boolean;
  /** Rereads about so many bytes; how many it were. 0: it is done. */
  step(bytesMax: number): number;
  /** Null: all that was reread is as it was written. */
  readonly finding: ScrubFinding | null;
  close(): void;
}

export interface ScrubOptions {
  /** Between the beginnings of two passes; Infinity: never. */
  readonly intervalMs: number;
  readonly bytesPerSecond: number;
}
