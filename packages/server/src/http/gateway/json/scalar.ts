// One JSON value as one scalar of protobuf, by the rules of Go's jsonpb 1.3 (which etcd 3.4's gateway
// uses) and encoding/json, with their messages.
import { ScalarType } from "@bufbuild/protobuf";
import type { DescEnum } from "@bufbuild/protobuf";
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { assert } from "@quorate/base";
import { decodeBase64 } from "./base64.ts";
import { goQuoted } from "./go-quote.ts";
import { elementsOf, kindOf, textOf, trimmed } from "./raw.ts";
import type { Raw } from "./raw.ts";
import { checkOneValue } from "./scanner.ts";

/** What a field holds once its JSON is read; null: nothing, it stays as it is. */
export type Scalar = bigint | boolean | string | Uint8Array | null;

export interface Refusal {
  readonly refusal: string;
}

export function isRefusal(value: Scalar | Refusal): value is Refusal {
  return typeof value === "object" && value !== null && "refusal" in value;
}

interface Integer {
  readonly name: string;
  readonly least: bigint;
  readonly most: bigint;
}

function integer(name: string, bits: number, signed: boolean): Integer {
  const values = 1n << BigInt(bits);
  return signed
    ? { name, least: -values / 2n, most: values / 2n - 1n }
    : { name, least: 0n, most: values - 1n };
}

const integers: ReadonlyMap<ScalarType, Integer> = new Map([
  [ScalarType.INT32, integer("int32", 32, true)],
  [ScalarType.INT64, integer("int64", 64, true)],
  [ScalarType.UINT32, integer("uint32", 32, false)],
  [ScalarType.UINT64, integer("uint64", 64, false)],
]);

const byte = integer("uint8", 8, false);

export function scalarOf(raw: Raw, type: ScalarType): Scalar | Refusal {
  const number = integers.get(type);
  if (number !== undefined) return integerOf(raw, number);
  const kind = kindOf(raw);
  if (kind === "null") return null;
  switch (type) {
    case ScalarType.BOOL:
      return kind === "bool" ? raw.length === 4 : mismatch(kind, "bool");
    case ScalarType.STRING:
      return kind === "string" ? textOf(raw) : mismatch(kind, "string");
    default:
      assert(type === ScalarType.BYTES, "etcd's messages have no other scalars");
      return bytesOf(raw);
  }
}

/** By its name as it stands in the text, or by its number. */
export function enumOf(raw: Raw, type: DescEnum): Scalar | Refusal {
  const goName = goNameOf(type);
  if (kindOf(raw) !== "string") return integerOf(raw, { ...enumNumbers, name: goName });
  const name = raw.toString("utf8", 1, raw.length - 1);
  const value = type.values.find((one) => one.name === name);
  if (value !== undefined) return BigInt(value.number);
  return { refusal: `unknown value ${goQuoted(name)} for enum ${goName}` };
}

const enumNumbers = integer("", 32, true);

/** "etcdserverpb.RangeRequest_SortOrder": Go joins the names of nested types so. */
function goNameOf({ typeName, file }: DescEnum): string {
  const names = typeName.slice(file.proto.package.length + 1);
  return `${file.proto.package}.${names.replaceAll(".", "_")}`;
}

/** A number, or a string that holds one: then it is JSON of its own, not to be unescaped. */
function integerOf(raw: Raw, type: Integer): Scalar | Refusal {
  if (kindOf(raw) !== "string") return bareIntegerOf(raw, type);
  const inner = raw.subarray(1, raw.length - 1);
  const error = checkOneValue(inner);
  return error === "" ? bareIntegerOf(trimmed(inner), type) : { refusal: error };
}

/** More digits than any 64-bit number has: not even looked at. */
const digitsMax = 20;

function bareIntegerOf(raw: Raw, type: Integer): Scalar | Refusal {
  const kind = kindOf(raw);
  if (kind === "null") return null;
  if (kind !== "number") return mismatch(kind, type.name);
  const text = raw.toString("latin1");
  if (/^-?[0-9]+$/.test(text) && text.length <= digitsMax) {
    const value = BigInt(text);
    const negativeZero = text === "-0" && type.least === 0n;
    if (value >= type.least && value <= type.most && !negativeZero) return value;
  }
  return mismatch(`number ${text}`, type.name);
}

/** Base64, or, as Go takes it too, an array of numbers. */
function bytesOf(raw: Raw): Scalar | Refusal {
  const kind = kindOf(raw);
  if (kind === "array") return byteArrayOf(raw);
  if (kind !== "string") return mismatch(kind, "[]uint8");
  const bytes = decodeBase64(textOf(raw));
  if (typeof bytes !== "number") return bytes;
  return { refusal: `illegal base64 data at input byte ${bytes}` };
}

function byteArrayOf(raw: Raw): Scalar | Refusal {
  const bytes: number[] = [];
  for (const element of elementsOf(raw)) {
    const value =
      kindOf(element) === "string" ? mismatch("string", byte.name) : bareIntegerOf(element, byte);
    if (isRefusal(value)) return value;
    bytes.push(Number(value ?? 0n));
  }
  return Uint8Array.from(bytes);
}

export function mismatch(what: string, goType: string): Refusal {
  return { refusal: `json: cannot unmarshal ${what} into Go value of type ${goType}` };
}

/** With its tag before it, unless it is a zero that proto3 leaves out. */
export function isZero(value: Scalar): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === null || value === 0n || value === false || value === "";
}

export function writeScalar(writer: BinaryWriter, type: ScalarType, value: Scalar): void {
  switch (type) {
    case ScalarType.BOOL:
      writer.bool(value === true);
      return;
    case ScalarType.STRING:
      writer.string(typeof value === "string" ? value : "");
      return;
    case ScalarType.BYTES:
      writer.bytes(value instanceof Uint8Array ? value : new Uint8Array(0));
      return;
    case ScalarType.INT32:
      writer.int32(Number(value ?? 0n));
      return;
    case ScalarType.UINT32:
      writer.uint32(Number(value ?? 0n));
      return;
    case ScalarType.UINT64:
      writer.uint64((value as bigint) ?? 0n);
      return;
    default:
      writer.int64((value as bigint | null) ?? 0n);
  }
}
