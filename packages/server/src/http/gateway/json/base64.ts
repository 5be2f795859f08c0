// Standard base64 as Go reads it: padded, strict, line ends skipped, and the byte at which it fails.

const paddingByte = 0x3d;
const letters: ReadonlySet<number> = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
);

/** The bytes, or the offset in the UTF-8 text that Go names. */
export function decodeBase64(text: string): Uint8Array | number {
  if (isPlain(text)) return Buffer.from(text, "base64");
  const bytes = Buffer.from(text, "utf8");
  const wrong = firstWrongByte(bytes);
  return wrong < 0 ? Buffer.from(text.replace(/[\r\n]/g, ""), "base64") : wrong;
}

/** What nearly every client sends. Looks at each letter once: a pattern over quanta would need a stack. */
function isPlain(text: string): boolean {
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/=]/.test(text)) return false;
  const padding = text.indexOf("=");
  return padding < 0 || padding === text.length - 1 || text.indexOf("==") === text.length - 2;
}

/** -1: none. Walks in quanta of four letters (Go's Encoding.decodeQuantum). */
function firstWrongByte(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (letters.has(byte)) {
      count = (count + 1) % 4;
    } else if (byte === paddingByte && count >= 2) {
      return wrongPadding(bytes, at, count);
    } else if (!isLineEnd(byte)) {
      return at;
    }
  }
  return count === 0 ? -1 : bytes.length - count;
}

/** Two letters want two paddings; after them nothing may follow. */
function wrongPadding(bytes: Uint8Array, first: number, count: number): number {
  let at = first + 1;
  if (count === 2) {
    at = afterLineEnds(bytes, at);
    if (at === bytes.length) return at;
    if (bytes[at] !== paddingByte) return at - 1;
    at += 1;
  }
  at = afterLineEnds(bytes, at);
  return at < bytes.length ? at : -1;
}

function afterLineEnds(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isLineEnd(bytes[at]!)) at += 1;
  return at;
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d;
}
