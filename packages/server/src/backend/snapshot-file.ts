// A file that holds etcd's backend: as `etcdctl snapshot save` leaves it, with a SHA-256 behind the body,
// or a copy of etcd's own, without one. By the length alone, as etcd tells them apart.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { BoltSource } from "../bolt/reader.ts";

const hashBytes = 32;
/** etcd's: a body ends at a multiple of this. */
const sectorBytes = 512;
const readBytes = 1_048_576;

export class SnapshotFile implements BoltSource {
  /** Of the body. */
  readonly bytes: number;
  readonly hasHash: boolean;
  readonly #fd: number;

  /** Throws what the system says. */
  constructor(path: string) {
    this.#fd = openSync(path, "r");
    const { size } = fstatSync(this.#fd);
    this.hasHash = size % sectorBytes === hashBytes;
    this.bytes = this.hasHash ? size - hashBytes : size;
  }

  /** Of a length that neither a snapshot nor a backend has. */
  get isCut(): boolean {
    return this.bytes % sectorBytes !== 0 || this.bytes === 0;
  }

  read(offset: number, length: number): Uint8Array {
    const into = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.bytes - offset)));
    return into.subarray(0, this.#readInto(into, offset));
  }

  /** The SHA-256 behind the body is that of the body. */
  isHashRight(): boolean {
    const hash = createHash("sha256");
    for (let at = 0; at < this.bytes; at += readBytes) hash.update(this.read(at, readBytes));
    const stored = Buffer.alloc(hashBytes);
    this.#readInto(stored, this.bytes);
    return hash.digest().equals(stored);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readInto(into: Buffer, offset: number): number {
    let total = 0;
    while (total < into.length) {
      const count = readSync(this.#fd, into, total, into.length - total, offset + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  }
}
