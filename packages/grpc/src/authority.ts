// The :authority of etcd's clients. Where they dial one endpoint that was given with its scheme
// (`etcdctl --endpoints=http://… endpoint status`, snapshot, defrag), Go's gRPC sends all of it as
// :authority, "http://127.0.0.1:2379": no authority by RFC 3986, and nghttp2 ends the stream with
// PROTOCOL_ERROR, where etcd does not look at it. Here the two slashes become two hyphens in the bytes
// of the header block (RFC 7541), which keeps every length, and so the tables of both ends, as they are.

/** Indexes of RFC 7541's static table. */
const authorityIndex = 1;

const slash = "011000";
const hyphen = "010110";
/** Huffman codes of "http:" and "https:"; those of "/" and "-" have six bits both. */
const schemes: readonly string[] = [
  ["100111", "01001", "01001", "101011", "1011100"].join(""),
  ["100111", "01001", "01001", "101011", "01000", "1011100"].join(""),
];
const plainSchemes: readonly string[] = ["http://", "https://"];

/** Changes a header block in place; one that is cut short, or says nothing of it, stays as it is. */
export function mendAuthority(block: Uint8Array): void {
  const reader = new BlockReader(block);
  while (!reader.done) {
    const value = reader.next();
    if (value === null) continue;
    if (value.huffman) mendHuffman(value.bytes);
    else mendPlain(value.bytes);
  }
}

function mendPlain(bytes: Uint8Array): void {
  for (const scheme of plainSchemes) {
    const start = bytes.subarray(0, scheme.length);
    if (String.fromCharCode(...start) !== scheme) continue;
    bytes.fill(0x2d, scheme.length - 2, scheme.length);
  }
}

function mendHuffman(bytes: Uint8Array): void {
  for (const scheme of schemes) {
    if (beginsWith(bytes, scheme + slash + slash)) write(bytes, scheme + hyphen + hyphen);
  }
}

function beginsWith(bytes: Uint8Array, bits: string): boolean {
  if (bytes.length * 8 < bits.length) return false;
  for (let at = 0; at < bits.length; at++) {
    const isSet = (bytes[at >> 3]! & (0x80 >> (at & 7))) !== 0;
    if (isSet !== (bits[at] === "1")) return false;
  }
  return true;
}

function write(bytes: Uint8Array, to: string): void {
  for (let at = 0; at < to.length; at++) {
    const mask = 0x80 >> (at & 7);
    if (to[at] === "1") bytes[at >> 3]! |= mask;
    else bytes[at >> 3]! &= ~mask;
  }
}

interface Value {
  readonly huffman: boolean;
  readonly bytes: Uint8Array;
}

/** Walks the representations of a header block; a nonsensical one is at its end at once. */
class BlockReader {
  readonly #block: Uint8Array;
  #at: number;

  constructor(block: Uint8Array) {
    this.#block = block;
    this.#at = 0;
  }

  get done(): boolean {
    return this.#at >= this.#block.length;
  }

  /** The value of :authority, where the next field is that one and stands here in full. */
  next(): Value | null {
    const first = this.#block[this.#at]!;
    if ((first & 0x80) !== 0) return this.#skip(7);
    if ((first & 0xe0) === 0x20) return this.#skip(5);
    const index = this.#integer((first & 0x40) === 0 ? 4 : 6);
    if (index === 0) this.#string();
    const value = this.#string();
    return index === authorityIndex ? value : null;
  }

  #skip(prefix: number): null {
    this.#integer(prefix);
    return null;
  }

  #integer(prefix: number): number {
    const mask = 2 ** prefix - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let scale = 1; scale < 2 ** 28; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return value;
    }
    return this.#end();
  }

  #string(): Value | null {
    if (this.done) return null;
    const isHuffman = (this.#block[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#block.length) return null;
    return { huffman: isHuffman, bytes: this.#block.subarray(start, this.#at) };
  }

  #byte(): number {
    return this.#at < this.#block.length ? this.#block[this.#at++]! : this.#end();
  }

  #end(): number {
    this.#at = this.#block.length;
    return 0;
  }
}
