// What the other packages may use of base. Add here by name; what is not listed does not exist.
export { assert, assertNever, AssertionError, must } from "./assert.ts";
export type { Brand } from "./brand.ts";
export { ByteReader } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
export {
  compareBytes,
  concatBytes,
  emptyBytes,
  equalBytes,
  fromHex,
  latin1Decode,
  latin1Encode,
  readU16,
  readU32,
  readU64,
  toHex,
  writeU16,
  writeU32,
  writeU64,
} from "./bytes.ts";
export { crc32c } from "./crc32c.ts";
export { Heap } from "./heap.ts";
export { Prng } from "./prng.ts";
export { Ring } from "./ring.ts";
export { nearest, padLeft, padRight, table } from "./text.ts";
export { utf8Decode, utf8Encode, utf8Length } from "./utf8.ts";
