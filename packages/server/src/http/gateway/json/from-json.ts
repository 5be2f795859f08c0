// A JSON object as the bytes of a protobuf message: etcd's mapping (lowerCamel and proto names, unknown
// fields ignored, 64-bit numbers as numbers or strings, bytes in base64, enums by name or number).
import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { assert } from "@quorate/base";
import { elementsOf, fieldsOf, kindOf } from "./raw.ts";
import type { Raw } from "./raw.ts";
import { enumOf, isRefusal, isZero, mismatch, scalarOf, writeScalar } from "./scalar.ts";
import type { Refusal, Scalar } from "./scalar.ts";

/** Transactions nest without end in JSON; what the store takes is far below. */
const messageDepthMax = 48;

/** The bytes, or why not in Go's words. */
export function messageFromJson(desc: DescMessage, raw: Raw): Uint8Array | string {
  const writer = new BinaryWriter();
  const error = writeMessage(writer, desc, raw, 0);
  return error === "" ? writer.finish() : error;
}

function writeMessage(writer: BinaryWriter, desc: DescMessage, raw: Raw, depth: number): string {
  const kind = kindOf(raw);
  if (kind === "null") return "";
  if (kind !== "object") return mismatch(kind, "map[string]json.RawMessage").refusal;
  if (depth === messageDepthMax) return "exceeded max depth";
  const names = namesOf(desc);
  const fields = fieldsOf(raw, (name) => names.has(name));
  // Go looks at fields in the order of their declaration, those of a oneof last: so do its errors come.
  for (const inOneof of [false, true]) {
    for (const field of desc.fields) {
      const value = fields.get(field.jsonName) ?? fields.get(field.name);
      if (value === undefined || (field.oneof !== undefined) !== inOneof) continue;
      const error = writeField(writer, field, value, depth);
      if (error !== "") return error;
    }
  }
  return "";
}

const namesByMessage = new WeakMap<DescMessage, ReadonlySet<string>>();

function namesOf(desc: DescMessage): ReadonlySet<string> {
  const known = namesByMessage.get(desc);
  if (known !== undefined) return known;
  const names = new Set(desc.fields.flatMap((field) => [field.name, field.jsonName]));
  namesByMessage.set(desc, names);
  return names;
}

function writeField(writer: BinaryWriter, field: DescField, raw: Raw, depth: number): string {
  switch (field.fieldKind) {
    case "message":
      return kindOf(raw) === "null" ? "" : writeNested(writer, field, raw, depth);
    case "list":
      return writeList(writer, field, raw, depth);
    default: {
      assert(field.fieldKind !== "map", "etcd's messages have no maps");
      const value = valueOf(field, raw);
      if (isRefusal(value)) return value.refusal;
      if (isZero(value) && field.oneof === undefined) return "";
      const type = field.fieldKind === "enum" ? ScalarType.INT32 : field.scalar;
      writer.tag(field.number, wireTypeOf(type));
      writeScalar(writer, type, value);
      return "";
    }
  }
}

type MessageField = DescField & { readonly message: DescMessage };

function writeNested(writer: BinaryWriter, field: MessageField, raw: Raw, depth: number): string {
  writer.tag(field.number, WireType.LengthDelimited).fork();
  const error = writeMessage(writer, field.message, raw, depth + 1);
  writer.join();
  return error;
}

type ListField = DescField & { readonly fieldKind: "list" };

function writeList(writer: BinaryWriter, field: ListField, raw: Raw, depth: number): string {
  const kind = kindOf(raw);
  if (kind === "null") return "";
  if (kind !== "array") return mismatch(kind, "[]json.RawMessage").refusal;
  const packed = field.listKind !== "message" && field.packed;
  if (packed) writer.tag(field.number, WireType.LengthDelimited).fork();
  for (const element of elementsOf(raw)) {
    const error = writeElement(writer, field, element, packed, depth);
    if (error !== "") return error;
  }
  if (packed) writer.join();
  return "";
}

function writeElement(
  writer: BinaryWriter,
  field: ListField,
  raw: Raw,
  packed: boolean,
  depth: number,
): string {
  if (field.listKind === "message") {
    // Ends etcd 3.4's process; a client may not.
    if (kindOf(raw) === "null") return mismatch("null", "map[string]json.RawMessage").refusal;
    return writeNested(writer, field, raw, depth);
  }
  const value = valueOf(field, raw);
  if (isRefusal(value)) return value.refusal;
  const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
  if (!packed) writer.tag(field.number, wireTypeOf(type));
  writeScalar(writer, type, value);
  return "";
}

function valueOf(field: DescField, raw: Raw): Scalar | Refusal {
  if (field.enum !== undefined) return enumOf(raw, field.enum);
  assert(field.scalar !== undefined, "neither a message nor an enum");
  return scalarOf(raw, field.scalar);
}

function wireTypeOf(type: ScalarType): WireType {
  return type === ScalarType.STRING || type === ScalarType.BYTES
    ? WireType.LengthDelimited
    : WireType.Varint;
}
