// What a disk has lately made durable, with what stood there before: a write that the medium lost or
// put elsewhere shows only later, and then the old bytes are there again.
import { Ring } from "@quorate/base";
import type { SimFile } from "./sim-file.ts";

const writesMax = 64;

export interface RecentWrite {
  readonly path: string;
  readonly file: SimFile;
  readonly position: number;
  readonly bytes: Uint8Array;
  /** As long as `bytes`; zeros where the file ended. */
  readonly before: Uint8Array;
}

export class RecentWrites {
  readonly #writes: Ring<RecentWrite>;

  constructor() {
    this.#writes = new Ring(writesMax);
  }

  /** A sync of the file up to this change is about to take effect. */
  synced(path: string, file: SimFile, upTo: number): void {
    for (const { position, bytes } of file.pendingUpTo(upTo)) {
      if (bytes === null) continue;
      if (this.#writes.size === writesMax) this.#writes.shift();
      const before = new Uint8Array(bytes.length);
      file.readSynced(position, before);
      this.#writes.push({ path, file, position, bytes, before });
    }
  }

  /** Oldest first. */
  all(): RecentWrite[] {
    return Array.from({ length: this.#writes.size }, (_, at) => this.#writes.at(at));
  }
}
