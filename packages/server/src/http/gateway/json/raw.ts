// A piece of JSON text that the scanner has found whole: cut into its fields or elements without making
// values of them, because a number may be a 64-bit one and a field nobody knows must cost nothing.
import { isSpace } from "./steps.ts";

/** Bytes of one JSON value, without space around it. */
export type Raw = Buffer;

/** What Go calls a value in its messages. */
export type JsonKind = "null" | "bool" | "number" | "string" | "array" | "object";

export function kindOf(raw: Raw): JsonKind {
  switch (raw[0]) {
    case 0x7b:
      return "object";
    case 0x5b:
      return "array";
    case 0x22:
      return "string";
    case 0x6e:
      return "null";
    case 0x74:
    case 0x66:
      return "bool";
    default:
      return "number";
  }
}

/** The text of a string; what is no Unicode becomes U+FFFD, as in Go. */
export function textOf(raw: Raw): string {
  if (!raw.includes(backslash)) return raw.toString("utf8", 1, raw.length - 1);
  return (JSON.parse(raw.toString("utf8")) as string).toWellFormed();
}

/** Escaped, a name of etcd's takes less; nobody asks for longer ones. */
const nameBytesMax = 200;

/** Of the fields that are `wanted`; of those with one name the last one counts. */
export function fieldsOf(object: Raw, wanted: (name: string) => boolean): Map<string, Raw> {
  const fields = new Map<string, Raw>();
  let at = afterSpace(object, 1);
  while (object[at] !== closeBrace) {
    const keyEnd = endOfString(object, at);
    const from = afterSpace(object, afterSpace(object, keyEnd) + 1);
    const end = endOfValue(object, from);
    const name = keyEnd - at > nameBytesMax ? "" : textOf(object.subarray(at, keyEnd));
    if (wanted(name)) fields.set(name, object.subarray(from, end));
    at = afterSpace(object, end);
    if (object[at] === comma) at = afterSpace(object, at + 1);
  }
  return fields;
}

/** One after the other: all at once could be millions. */
export function* elementsOf(array: Raw): Generator<Raw> {
  let at = afterSpace(array, 1);
  while (array[at] !== closeBracket) {
    const end = endOfValue(array, at);
    yield array.subarray(at, end);
    at = afterSpace(array, end);
    if (array[at] === comma) at = afterSpace(array, at + 1);
  }
}

export function trimmed(text: Buffer): Raw {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end -= 1;
  return text.subarray(afterSpace(text, 0), end);
}

const comma = 0x2c;
const backslash = 0x5c;
const quote = 0x22;
const closeBracket = 0x5d;
const closeBrace = 0x7d;

function afterSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at]!)) at += 1;
  return at;
}

/** Of a value that is known to be well formed. */
function endOfValue(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case quote:
        at = endOfString(bytes, at) - 1;
        break;
      case 0x7b:
      case 0x5b:
        depth += 1;
        continue;
      case closeBrace:
      case closeBracket:
        // Of what is around it: a number or a word ends here.
        if (depth === 0) return at;
        depth -= 1;
        break;
      default:
        if (depth === 0 && endsWord(bytes[at]!)) return at;
        continue;
    }
    if (depth === 0) return at + 1;
  }
  return bytes.length;
}

function endsWord(byte: number): boolean {
  return byte === comma || isSpace(byte);
}

function endOfString(bytes: Buffer, from: number): number {
  let end = bytes.indexOf(quote, from + 1);
  while (isEscaped(bytes, end)) end = bytes.indexOf(quote, end + 1);
  return end + 1;
}

/** An odd number of backslashes stands before it. */
function isEscaped(bytes: Buffer, at: number): boolean {
  let before = at;
  while (bytes[before - 1] === backslash) before -= 1;
  return (at - before) % 2 === 1;
}
