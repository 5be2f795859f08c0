// Snapshots in memory: a source that hands out bytes, and a sink that takes them slowly and checks
// everything that it is promised.
import { crc32c, Prng } from "@quorate/base";
import type { CheckpointInfo, SnapshotFile, SnapshotSink, SnapshotSource } from "@quorate/storage";
import type { World } from "@quorate/sim";

export class MemorySource implements SnapshotSource {
  readonly checkpoint: CheckpointInfo;
  readonly files: readonly SnapshotFile[];
  readonly content: readonly Uint8Array[];
  released = 0;
  reads = 0;

  constructor(seed: number, lengths: readonly number[]) {
    const random = new Prng(seed);
    this.content = lengths.map((length) => {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i += 97) bytes[i] = random.below(256);
      return bytes;
    });
    this.files = this.content.map((bytes, i) => ({
      name: `file${i}`,
      bytes: bytes.length,
      crc: crc32c(bytes),
    }));
    this.checkpoint = { id: seed, index: 100, term: 3, tables: [] };
  }

  readNow(file: number, offset: number, length: number): Uint8Array {
    if (this.released > 0) throw new Error("read after release");
    this.reads++;
    return this.content[file]!.subarray(offset, offset + length);
  }

  release(): void {
    this.released++;
  }
}

export class MemorySink implements SnapshotSink {
  readonly files: readonly SnapshotFile[];
  readonly content: Uint8Array[];
  readonly #world: World;
  readonly #writeUs: number;
  #at: { file: number; offset: number };
  #writing = false;
  bytesWritten = 0;
  abandoned = false;
  finished = false;
  readonly #held: ReadonlySet<number>;

  /** `held`: files that an earlier transfer has brought. */
  constructor(
    world: World,
    files: readonly SnapshotFile[],
    writeUs: number,
    held: ReadonlyMap<number, Uint8Array> = new Map(),
  ) {
    this.#held = new Set(held.keys());
    this.#world = world;
    this.#writeUs = writeUs;
    this.files = files;
    this.content = files.map((file, at) => held.get(at) ?? new Uint8Array(file.bytes));
    this.#at = { file: 0, offset: 0 };
    this.#skipEmpty();
  }

  holds(file: number): boolean {
    return this.#held.has(file);
  }

  write(file: number, offset: number, bytes: Uint8Array, done: () => void): void {
    if (this.#writing) throw new Error("two writes at once");
    if (this.abandoned || this.finished) throw new Error("a write after the end");
    if (file !== this.#at.file || offset !== this.#at.offset) throw new Error("out of order");
    this.#writing = true;
    this.content[file]!.set(bytes, offset);
    this.bytesWritten += bytes.length;
    this.#at.offset += bytes.length;
    this.#skipEmpty();
    this.#world.after(this.#writeUs, () => {
      this.#writing = false;
      done();
    });
  }

  finish(done: (ok: boolean, checkpoint: CheckpointInfo | null) => void): void {
    if (this.#writing || this.abandoned || this.finished) throw new Error("finish out of place");
    this.finished = true;
    this.#world.after(this.#writeUs, () => {
      if (this.abandoned) return done(false, null);
      const ok = this.files.every((file, i) => crc32c(this.content[i]!) === file.crc);
      done(ok, ok ? { id: 1, index: 100, term: 3, tables: [] } : null);
    });
  }

  abandon(): void {
    this.abandoned = true;
  }

  #skipEmpty(): void {
    while (
      this.#at.file < this.files.length &&
      (this.holds(this.#at.file) || this.#at.offset === this.files[this.#at.file]!.bytes)
    ) {
      this.#at = { file: this.#at.file + 1, offset: 0 };
    }
  }
}
