// Which rows of one segment are dead, now and as of a captured checkpoint. Rows may be dropped only
// if they were dead when the checkpoint in force was captured: replay from it still reads the others
// (P9). Captures are numbered; a view of one is copied only when a row dies after it, so that a
// capture itself costs nothing however many segments there are.

class DeadView {
  readonly capture: number;
  readonly bits: Uint8Array;
  readonly count: number;
  readonly bytes: number;

  constructor(capture: number, bits: Uint8Array, count: number, bytes: number) {
    this.capture = capture;
    this.bits = bits;
    this.count = count;
    this.bytes = bytes;
  }
}

const noBits = new Uint8Array(0);

export class DeadRows {
  /** One bit per position; shorter than the segment when the rest is alive. */
  #bits: Uint8Array;
  #count: number;
  #bytes: number;
  /** Newest capture that `#bits` has seen: no row has died since, or a view was kept. */
  #seen: number;
  /** Ascending by capture; views older than the one in force are dropped. */
  #views: DeadView[];

  constructor() {
    this.#bits = noBits;
    this.#count = 0;
    this.#bytes = 0;
    this.#seen = 0;
    this.#views = [];
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(position: number): boolean {
    return bitOf(this.#bits, position);
  }

  /**
   * `capture`: number of the newest capture; `inForce`: of the checkpoint in force. False: it was
   * dead before.
   */
  mark(position: number, rowBytes: number, capture: number, inForce: number): boolean {
    if (bitOf(this.#bits, position)) return false;
    if (this.#seen < capture) {
      this.#views = this.#views.filter((view) => view.capture >= inForce);
      this.#views.push(new DeadView(capture, this.#bits.slice(), this.#count, this.#bytes));
      this.#seen = capture;
    }
    const at = position >>> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, 2 * this.#bits.length, 16));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at]! |= 1 << (position & 7);
    this.#count += 1;
    this.#bytes += rowBytes;
    return true;
  }

  /** Rows and bytes that were dead at `capture`, and which. */
  at(capture: number): DeadRowsAt {
    for (const view of this.#views) {
      if (view.capture >= capture) return new DeadRowsAt(view.bits, view.count, view.bytes);
    }
    return new DeadRowsAt(this.#bits, this.#count, this.#bytes);
  }

  /** Those of now, kept: no later `mark` changes it. */
  copy(): DeadRowsAt {
    return new DeadRowsAt(this.#bits.slice(), this.#count, this.#bytes);
  }

  /** Captures with a view of their own, ascending: what a rewritten segment must carry on. */
  captures(): number[] {
    return this.#views.map((view) => view.capture);
  }
}

/** Lent: valid until the next `mark`. */
export class DeadRowsAt {
  readonly #bits: Uint8Array;
  readonly count: number;
  readonly bytes: number;

  constructor(bits: Uint8Array, count: number, bytes: number) {
    this.#bits = bits;
    this.count = count;
    this.bytes = bytes;
  }

  has(position: number): boolean {
    return bitOf(this.#bits, position);
  }
}

function bitOf(bits: Uint8Array, position: number): boolean {
  const at = position >>> 3;
  return at < bits.length && (bits[at]! & (1 << (position & 7))) !== 0;
}
