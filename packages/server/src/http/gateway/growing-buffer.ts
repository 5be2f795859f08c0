// Bytes of a body as they arrive, copied into one buffer: a body in pieces of one byte each must not
// cost an object for each. What all bodies hold together is bounded by their budget.

/** Bytes that all gathering together may hold. */
export class BytesBudget {
  readonly #max: number;
  #taken: number;

  constructor(max: number) {
    this.#max = max;
    this.#taken = 0;
  }

  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#max) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }

  get taken(): number {
    return this.#taken;
  }
}

/** Why a piece was not taken: the body is too long, or there is no room for it now. */
export type NoRoom = "too long" | "no room";

const firstBytes = 4096;

export class GrowingBuffer {
  readonly #budget: BytesBudget;
  readonly #bytesMax: number;
  #buffer: Buffer;
  #length: number;

  constructor(budget: BytesBudget, bytesMax: number) {
    this.#budget = budget;
    this.#bytesMax = bytesMax;
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): NoRoom | "" {
    const length = this.#length + chunk.length;
    if (length > this.#bytesMax) return "too long";
    if (length > this.#buffer.length && !this.#grow(length)) return "no room";
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
    return "";
  }

  /** What was gathered; valid until the next change. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Begins anew with the same room, or with none. */
  clear(keepRoom: boolean): void {
    this.#length = 0;
    if (keepRoom) return;
    this.#budget.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
  }

  #grow(length: number): boolean {
    const doubled = Math.max(firstBytes, length, 2 * this.#buffer.length);
    const size = Math.min(doubled, this.#bytesMax);
    if (!this.#budget.take(size - this.#buffer.length)) return false;
    const grown = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    return true;
  }
}
