// A protobuf message as the JSON that etcd's gateway sends: proto names in the order of their
// declaration, zeros left out, 64-bit numbers as strings, bytes in base64, enums by name, no space.
import { fromBinary, ScalarType } from "@bufbuild/protobuf";
import type { DescEnum, DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { assert } from "@quorate/base";

export function messageToJson(desc: DescMessage, bytes: Uint8Array): string {
  return objectOf(desc, fromBinary(desc, bytes));
}

/** A string as Go writes it: what HTML could take for markup is escaped as well. */
export function stringToJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]|\\./g,
    (found) => goEscapes[found] ?? found,
  );
}

const goEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
  "\\b": "\\u0008",
  "\\f": "\\u000c",
};

/** Fields by their local names; what protobuf-es keeps of a oneof is its case and value. */
type Fields = Readonly<Record<string, unknown>>;
interface Oneof {
  readonly case: string | undefined;
  readonly value: unknown;
}

function objectOf(desc: DescMessage, message: Message): string {
  const fields = message as unknown as Fields;
  const parts: string[] = [];
  for (const field of desc.fields) {
    const value = present(field, fields);
    if (value !== undefined) parts.push(`"${field.name}":${valueOf(field, value)}`);
  }
  return `{${parts.join(",")}}`;
}

/** undefined: unset, or a zero outside of a oneof. */
function present(field: DescField, fields: Fields): unknown {
  if (field.oneof !== undefined) {
    const chosen = fields[field.oneof.localName] as Oneof;
    return chosen.case === field.localName ? chosen.value : undefined;
  }
  const value = fields[field.localName];
  if (value === 0 || value === 0n || value === false || value === "") return undefined;
  const empty = (Array.isArray(value) || value instanceof Uint8Array) && value.length === 0;
  return empty ? undefined : value;
}

function valueOf(field: DescField, value: unknown): string {
  switch (field.fieldKind) {
    case "message":
      return objectOf(field.message, value as Message);
    case "enum":
      return enumText(field.enum, value as number);
    case "scalar":
      return scalarText(field.scalar, value);
    default: {
      assert(field.fieldKind === "list", "etcd's messages have no maps");
      const elements = (value as readonly unknown[]).map((one) => elementText(field, one));
      return `[${elements.join(",")}]`;
    }
  }
}

function elementText(field: DescField & { readonly fieldKind: "list" }, value: unknown): string {
  switch (field.listKind) {
    case "message":
      return objectOf(field.message, value as Message);
    case "enum":
      return enumText(field.enum, value as number);
    default:
      return scalarText(field.scalar, value);
  }
}

/** A number that has no name stays one. */
function enumText(desc: DescEnum, number: number): string {
  const name = desc.value[number]?.name;
  return name === undefined ? String(number) : `"${name}"`;
}

function scalarText(type: ScalarType, value: unknown): string {
  switch (type) {
    case ScalarType.BYTES: {
      const { buffer, byteOffset, length } = value as Uint8Array;
      return `"${Buffer.from(buffer, byteOffset, length).toString("base64")}"`;
    }
    case ScalarType.STRING:
      return stringToJson(value as string);
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return `"${String(value)}"`;
    default:
      return String(value);
  }
}
