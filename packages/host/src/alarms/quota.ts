// etcd's --quota-backend-bytes, on live bytes: the rows that no compaction has freed yet. Judged at the
// door of each member, never at apply (K5): a put that would go above it is refused, and NOSPACE
// raised. Unlike etcd's, which counts its file, it ends by itself when deletes and a compaction have
// freed an eighth.
import { takesSpace } from "@quorate/kv";
import type { OperationKind } from "@quorate/kv";
import type { StorageApi } from "@quorate/storage";

/** Share of the quota below which it is no longer exceeded. */
const endsBelow = 7 / 8;

export class Quota {
  readonly #bytesMax: number;
  readonly #storage: Pick<StorageApi, "usage">;
  /** At the last look, and of what was let in since. */
  #liveBytes: number;
  #freshBytes: number;
  /** Of the put that was refused last; 0: none since the last look. */
  #refusedAt: number;

  /** `bytesMax`: Infinity for none. */
  constructor(bytesMax: number, storage: Pick<StorageApi, "usage">) {
    this.#bytesMax = bytesMax;
    this.#storage = storage;
    this.#liveBytes = 0;
    this.#freshBytes = 0;
    this.#refusedAt = 0;
  }

  /** True: it must be refused. */
  refuses(kind: OperationKind, request: Uint8Array): boolean {
    const bytes = this.#liveBytes + this.#freshBytes + request.length;
    if (bytes <= this.#bytesMax) {
      this.#freshBytes += request.length;
      return false;
    }
    if (!takesSpace(kind, request)) return false;
    this.#refusedAt = bytes;
    return true;
  }

  /** At the last look. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Something was refused since the last look. */
  get wantsLook(): boolean {
    return this.#refusedAt > 0;
  }

  /** Whether it is exceeded, in one line; empty: not at all; null: as before. */
  look(): string | null {
    this.#liveBytes = this.#storage.usage().rowBytesLive;
    this.#freshBytes = 0;
    const refusedAt = this.#refusedAt;
    this.#refusedAt = 0;
    if (refusedAt > 0) return `${refusedAt} live bytes are above the quota of ${this.#bytesMax}`;
    return this.#liveBytes <= this.#bytesMax * endsBelow ? "" : null;
  }
}
