// Zeroes what stands in a segment from an offset on, so that nothing of a torn tail can ever be
// taken for a later batch (P8). Blocks that are zero already are left alone, if they may be believed.
import { DiskError } from "../env.ts";
import type { DiskDone, DiskFile, Env } from "../env.ts";
import { blockBytes } from "./wal-format.ts";

const windowBytes = 1_048_576;

const zeros = new Uint8Array(windowBytes);

/** What was read last, by whichever sweep: it is looked through before the call that read it ends. */
const scratch = new Uint8Array(windowBytes);
/** The same bytes; whole blocks are whole words. */
const scratchWords = new Int32Array(scratch.buffer);

export interface SweepRange {
  /** Whole blocks. */
  readonly offset: number;
  readonly end: number;
  /** Write blocks too that read as zero. */
  readonly all: boolean;
}

export class Sweep {
  #env: Env;
  #file: DiskFile;
  #offset: number;
  #end: number;
  #all: boolean;
  #zeroed: number;
  #done: (error: DiskError | null, zeroedBytes: number) => void;

  constructor(
    env: Env,
    file: DiskFile,
    range: SweepRange,
    done: (error: DiskError | null, zeroedBytes: number) => void,
  ) {
    this.#env = env;
    this.#file = file;
    this.#offset = range.offset;
    this.#end = range.end;
    this.#all = range.all;
    this.#zeroed = 0;
    this.#done = done;
  }

  /** One window: reads it, zeroes what is between its first and its last block in use. */
  run(): void {
    if (this.#offset >= this.#end) {
      this.#done(null, this.#zeroed);
      return;
    }
    const length = Math.min(windowBytes, this.#end - this.#offset);
    const from = this.#offset;
    this.#offset += length;
    const { first, last } = this.#used(from, length);
    if (first > last) {
      this.#env.schedule(() => this.run());
      return;
    }
    const bytes = (last - first + 1) * blockBytes;
    this.#zeroed += bytes;
    const next: DiskDone = (error) => {
      if (error === null) this.run();
      else this.#done(error, this.#zeroed);
    };
    this.#file.write(from + first * blockBytes, zeros.subarray(0, bytes), next);
  }

  /** First and last block of the window that are not zero; all of them when it cannot be read. */
  #used(from: number, length: number): { first: number; last: number } {
    const blocks = length / blockBytes;
    if (this.#all) return { first: 0, last: blocks - 1 };
    const window = scratch.subarray(0, length);
    const read = this.#file.readNow(from, window);
    if (read instanceof DiskError) return { first: 0, last: blocks - 1 };
    window.fill(0, read);
    let first = 0;
    while (first < blocks && isZero(first)) first++;
    let last = blocks - 1;
    while (last > first && isZero(last)) last--;
    return { first, last };
  }
}

function isZero(block: number): boolean {
  const blockWords = blockBytes / 4;
  const end = (block + 1) * blockWords;
  for (let i = block * blockWords; i < end; i++) if (scratchWords[i] !== 0) return false;
  return true;
}
