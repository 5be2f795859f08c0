// A growable byte array with file semantics: writing past the end fills the gap with zeros,
// shrinking forgets what was behind. The content of one simulated file, in the cache or on the
// medium. Kept in pages, so that a copy shares what neither of the two has changed since, and what
// was never anything but zeros takes no room.

const pageBytes = 4096;

export class ByteImage {
  /** By number; null and missing: zeros. Invariant: what is behind the length is zero. */
  #pages: (Uint8Array | null)[];
  /** Pages that no other image has. */
  #own: Set<number>;
  #length: number;

  constructor() {
    this.#pages = [];
    this.#own = new Set();
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  clone(): ByteImage {
    const copy = new ByteImage();
    copy.#pages = this.#pages.slice();
    copy.#length = this.#length;
    this.#own.clear();
    return copy;
  }

  /** `bytes` must not change any more: whole pages of them are kept as they are. */
  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#length) this.#length = end;
    for (let at = position; at < end;) {
      const number = Math.floor(at / pageBytes);
      const from = at - number * pageBytes;
      const piece = bytes.subarray(at - position, at - position + pageBytes - from);
      at += piece.length;
      if (this.#pageAt(number) === null && isZero(piece)) continue;
      if (piece.length === pageBytes) this.#put(number, piece);
      else this.#owned(number).set(piece, from);
    }
  }

  /** The number of bytes read; short at the end. */
  read(position: number, into: Uint8Array): number {
    const end = Math.min(position + into.length, this.#length);
    if (end <= position) return 0;
    for (let at = position; at < end;) {
      const number = Math.floor(at / pageBytes);
      const from = at - number * pageBytes;
      const length = Math.min(pageBytes - from, end - at);
      const page = this.#pageAt(number);
      if (page === null) {
        into.fill(0, at - position, at - position + length);
      } else {
        into.set(length === pageBytes ? page : page.subarray(from, from + length), at - position);
      }
      at += length;
    }
    return end - position;
  }

  resize(length: number): void {
    if (length < this.#length) {
      const whole = Math.ceil(length / pageBytes);
      for (let number = whole; number < this.#pages.length; number++) this.#own.delete(number);
      if (this.#pages.length > whole) this.#pages.length = whole;
      const last = whole - 1;
      const kept = length - last * pageBytes;
      if (kept < pageBytes && this.#pageAt(last) !== null) this.#owned(last).fill(0, kept);
    }
    this.#length = length;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    this.read(0, bytes);
    return bytes;
  }

  #pageAt(number: number): Uint8Array | null {
    return number < this.#pages.length ? this.#pages[number]! : null;
  }

  /** The page, to be changed. */
  #owned(number: number): Uint8Array {
    const page = this.#pageAt(number);
    if (page !== null && this.#own.has(number)) return page;
    const own = page === null ? new Uint8Array(pageBytes) : page.slice();
    this.#put(number, own);
    this.#own.add(number);
    return own;
  }

  #put(number: number, page: Uint8Array): void {
    while (this.#pages.length < number) this.#pages.push(null);
    this.#pages[number] = page;
    this.#own.delete(number);
  }
}

/** By words where it can: files are made by writing zeros. */
export function isZero(bytes: Uint8Array): boolean {
  let at = 0;
  if (bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
    at = words.length * 4;
  }
  for (; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
