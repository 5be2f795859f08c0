// Whether bytes are a message of a type. The protobuf library alone does not say: it takes a known field
// by its number whatever its wire type is, and what follows is then read as something else, which a
// request that changes members or raises alarms must not be.
import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Deeper than any message of etcd outside KV. */
const depthMax = 32;

export function isWellFormed(type: DescMessage, bytes: Uint8Array): boolean {
  try {
    return check(type, bytes, 0);
  } catch {
    return false; // the reader met the end, or a number that is none
  }
}

function check(type: DescMessage, bytes: Uint8Array, depth: number): boolean {
  if (depth > depthMax) return false;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = type.fields.find((each) => each.number === number);
    if (field !== undefined && !allows(field, wireType)) return false;
    if (field?.message !== undefined) {
      if (!check(field.message, reader.bytes(), depth + 1)) return false;
    } else if (wireType === WireType.Varint) {
      reader.uint64(); // ends after ten bytes, as a skip does not
    } else {
      reader.skip(wireType, number);
    }
  }
  return reader.pos === reader.len;
}

function allows(field: DescField, wireType: WireType): boolean {
  const single = wireTypeOf(field);
  const packed = field.fieldKind === "list" && wireType === WireType.LengthDelimited;
  return wireType === single || packed;
}

function wireTypeOf({ message, scalar }: DescField): WireType {
  if (message !== undefined) return WireType.LengthDelimited;
  switch (scalar) {
    case ScalarType.BYTES:
    case ScalarType.STRING:
      return WireType.LengthDelimited;
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.FLOAT:
      return WireType.Bit32;
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    default:
      return WireType.Varint;
  }
}
