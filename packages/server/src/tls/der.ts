// DER (X.690), as much of it as certificates and lists of revoked ones need: a writer for our own, and
// a reader for files of others, which takes no length on trust.

export const Tag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  Oid: 0x06,
  Utf8String: 0x0c,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Sequence: 0x30,
  Set: 0x31,
} as const;

/** [n], holding other elements. */
export const explicit = (n: number): number => 0xa0 | n;
/** [n], in place of a primitive type. */
export const implicit = (n: number): number => 0x80 | n;

export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const head = [tag];
  if (body.length < 0x80) {
    head.push(body.length);
  } else {
    const bytes: number[] = [];
    for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
    head.push(0x80 | bytes.length, ...bytes);
  }
  return Buffer.concat([Buffer.from(head), body]);
}

export function sequence(...elements: readonly Uint8Array[]): Buffer {
  return der(Tag.Sequence, ...elements);
}

/** A whole number that is not negative, most significant byte first. */
export function integer(magnitude: Uint8Array): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const bytes = first < 0 ? Buffer.alloc(1) : magnitude.subarray(first);
  return der(Tag.Integer, Buffer.alloc(bytes[0]! >= 0x80 ? 1 : 0), bytes);
}

/** "1.2.840" → its first two numbers in one byte, the others seven bits a byte. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) {
      groups.unshift(0x80 | (high % 128));
    }
    bytes.push(...groups);
  }
  return der(Tag.Oid, Buffer.from(bytes));
}

/** RFC 5280 §4.1.2.5: two digits of the year up to 2049, four from then on; whole seconds. */
export function time(ms: number): Buffer {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return digits < "2050"
    ? der(Tag.UtcTime, Buffer.from(digits.slice(2)))
    : der(Tag.GeneralizedTime, Buffer.from(digits));
}

export interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
}

/** Walks the elements of a buffer; what is cut short, or longer than what holds it, is an error. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next element; -1 at the end. */
  get peeked(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  next(): Element {
    const tag = this.#byte();
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new DerError("an element is cut short");
    return { tag, contents: this.#bytes.subarray(start, this.#at) };
  }

  /** The contents of the next element, which has to be of this tag. */
  take(tag: number): Uint8Array {
    if (this.peeked !== tag) throw new DerError(`tag ${this.peeked} where ${tag} was expected`);
    return this.next().contents;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError("a length that DER does not have");
    let length = 0;
    for (let left = count; left > 0; left -= 1) length = length * 256 + this.#byte();
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DerError("it ends in the middle of an element");
    this.#at += 1;
    return byte;
  }
}

export class DerError extends Error {}

/** Milliseconds; NaN: no time. */
export function timeOf({ tag, contents }: Element): number {
  const text = Buffer.from(contents).toString("latin1");
  const digits = tag === Tag.UtcTime ? `${text < "50" ? "20" : "19"}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
