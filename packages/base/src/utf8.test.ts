// UTF-8 against the platform's TextEncoder and TextDecoder, which pure packages do not have.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8Decode, utf8Encode, utf8Length } from "./utf8.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// Bytes at which the rules of UTF-8 change: leads, bounds of second bytes, continuation bounds.
const edgeByte = fc.constantFrom(
  ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1],
  ...[0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff],
);
const edgeBytes = fc.array(edgeByte, { maxLength: 12 }).map((list) => Uint8Array.from(list));
const unit = fc.oneof(fc.nat({ max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe00f }));
const anyText = fc.array(unit, { maxLength: 12 }).map((units) => String.fromCharCode(...units));

test("encode agrees with TextEncoder, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: "binary" })), (text) => {
      deepEqual(utf8Encode(text), encoder.encode(text));
      equal(utf8Length(text), utf8Encode(text).length);
    }),
    { numRuns: 1000 },
  );
});

test("decode agrees with TextDecoder on any bytes, malformed ones included", () => {
  fc.assert(
    fc.property(fc.oneof(edgeBytes, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      equal(utf8Decode(bytes), decoder.decode(bytes));
    }),
    { numRuns: 3000 },
  );
});

test("every code point goes both ways", () => {
  let text = "";
  for (let code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
    if (code < 0xd800 || code > 0xdfff) text += String.fromCodePoint(code);
  }
  const bytes = utf8Encode(text);
  deepEqual(bytes, encoder.encode(text));
  equal(utf8Decode(bytes), text);
});

test("every two-byte sequence decodes as the platform decodes it", () => {
  for (let pair = 0; pair < 65536; pair++) {
    const bytes = Uint8Array.of(pair >> 8, pair & 255, 0x80, 0x41);
    equal(utf8Decode(bytes), decoder.decode(bytes));
  }
});

test("a byte order mark stays", () => {
  equal(utf8Decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), "\ufeffA");
});
