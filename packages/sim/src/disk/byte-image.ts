// A growable byte array with file semantics: writing past the end fills the gap with zeros,
// shrinking forgets what was behind. The content of one simulated file, in the cache or on the
// medium.

export class ByteImage {
  #bytes: Uint8Array;
  #length: number;
  /** Another image has the same bytes: they are copied before the first change. */
  #shared: boolean;

  constructor() {
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    this.#shared = false;
  }

  get length(): number {
    return this.#length;
  }

  clone(): ByteImage {
    const copy = new ByteImage();
    copy.#bytes = this.#bytes;
    copy.#length = this.#length;
    copy.#shared = true;
    this.#shared = true;
    return copy;
  }

  write(position: number, bytes: Uint8Array): void {
    this.#own();
    const end = position + bytes.length;
    if (end > this.#length) this.resize(end);
    this.#bytes.set(bytes, position);
  }

  /** The number of bytes read; short at the end. */
  read(position: number, into: Uint8Array): number {
    const end = Math.min(position + into.length, this.#length);
    if (end <= position) return 0;
    into.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  resize(length: number): void {
    this.#own();
    if (length < this.#length) {
      this.#bytes.fill(0, length, this.#length);
    } else if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#length = length;
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #own(): void {
    if (!this.#shared) return;
    this.#bytes = this.#bytes.slice();
    this.#shared = false;
  }
}
