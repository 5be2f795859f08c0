// UTF-8 without TextEncoder, which pure packages do not have: to the WHATWG standard, so that it
// agrees with it byte for byte. Never fails: what is malformed becomes U+FFFD, one for each maximal
// subpart of a sequence. A byte order mark is an ordinary character.

const REPLACEMENT = 0xfffd;

/** A lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = codePointAt(text, i);
    if (code > 0xffff) i++;
    at = put(bytes, at, code);
  }
  return bytes;
}

/** Bytes that `utf8Encode` would make. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = codePointAt(text, i);
    if (code > 0xffff) i++;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

function codePointAt(text: string, i: number): number {
  const unit = text.charCodeAt(i);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || i + 1 === text.length) return REPLACEMENT;
  const next = text.charCodeAt(i + 1);
  if (next < 0xdc00 || next > 0xdfff) return REPLACEMENT;
  return 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
}

function put(bytes: Uint8Array, start: number, code: number): number {
  let at = start;
  if (code < 0x80) {
    bytes[at++] = code;
    return at;
  }
  if (code < 0x800) {
    bytes[at++] = 0xc0 | (code >> 6);
  } else {
    if (code < 0x10000) {
      bytes[at++] = 0xe0 | (code >> 12);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
    }
    bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  bytes[at++] = 0x80 | (code & 0x3f);
  return at;
}

/** Code units gathered before they become text: bounds the arguments of `fromCharCode`. */
const UNITS_PIECE_MAX = 4096;

export function utf8Decode(bytes: Uint8Array): string {
  let text = "";
  let units: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at++]!;
    if (lead < 0x80) {
      units.push(lead);
    } else {
      // The lead says how many bytes follow and, for the first of them, the range that leaves out
      // overlong forms, surrogates and what lies above U+10FFFF (Unicode, table 3-7).
      let more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
      let code = more === 0 ? REPLACEMENT : lead & (0x3f >> more);
      let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      for (; more > 0; more--) {
        const next = at < bytes.length ? bytes[at]! : 0;
        if (next < low || next > high) {
          code = REPLACEMENT;
          break;
        }
        code = (code << 6) | (next & 0x3f);
        at++;
        low = 0x80;
        high = 0xbf;
      }
      if (code > 0xffff) {
        units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
      } else {
        units.push(code);
      }
    }
    if (units.length >= UNITS_PIECE_MAX) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}
