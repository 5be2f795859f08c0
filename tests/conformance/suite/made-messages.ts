// Messages from a seed, for any type: such as an honest encoder writes, such as a strange but valid one
// writes, and such as none may write. Each malformed one is known to be so by how it was made.
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Prng } from "@quorate/base";

const depthMax = 3;
/** Above every field of etcd's messages. */
const unknownField = 1000;

/** A random message of the type, well encoded. */
export function validMessage(random: Prng, type: DescMessage, depth: number = 0): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of type.fields) {
    if (random.below(2) === 0) continue;
    const times = field.fieldKind === "list" ? 1 + random.below(2) : 1;
    for (let time = 0; time < times; time += 1) writeField(random, writer, field, depth);
  }
  return writer.finish();
}

function writeField(random: Prng, writer: BinaryWriter, field: DescField, depth: number): void {
  const inner = field.message;
  if (inner !== undefined) {
    const bytes = depth < depthMax ? validMessage(random, inner, depth + 1) : new Uint8Array(0);
    writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
  } else if (isText(field)) {
    const bytes = Uint8Array.from({ length: random.below(6) }, () => 97 + random.below(26));
    writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
  } else {
    const bound = field.enum?.values.length ?? (field.scalar === ScalarType.BOOL ? 2 : 1000);
    writer.tag(field.number, WireType.Varint).uint64(random.below(bound));
  }
}

function isText({ scalar }: DescField): boolean {
  return scalar === ScalarType.BYTES || scalar === ScalarType.STRING;
}

/** The same message with fields that nobody knows, of every kind, at its end. */
export function withUnknownFields(random: Prng, message: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().raw(message);
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const field = unknownField + random.below(1_000_000);
    switch (random.below(5)) {
      case 0:
        writer.tag(field, WireType.Varint).uint64(random.below(2 ** 40));
        break;
      case 1:
        writer.tag(field, WireType.Bit32).fixed32(random.below(2 ** 32));
        break;
      case 2:
        writer.tag(field, WireType.Bit64).fixed64(BigInt(random.below(2 ** 50)));
        break;
      case 3:
        writer.tag(field, WireType.LengthDelimited).bytes(randomBytes(random, 12));
        break;
      default:
        writer.tag(field, WireType.StartGroup).tag(1, WireType.Varint).uint32(7);
        writer.tag(field, WireType.EndGroup);
    }
  }
  return writer.finish();
}

export function randomBytes(random: Prng, max: number): Uint8Array {
  return Uint8Array.from({ length: random.below(max + 1) }, () => random.below(256));
}

/** Not a message: the reason in a word, and the bytes. `knows`: whether the server has the field. */
export function malformedMessage(
  random: Prng,
  type: DescMessage,
  knows: (field: DescField) => boolean,
): { readonly why: string; readonly bytes: Uint8Array } {
  const start = validMessage(random, type);
  const inner = type.fields.flatMap((field) => (field.message === undefined ? [] : [field]));
  if (inner.length > 0 && random.below(4) === 0) {
    const field = inner[random.below(inner.length)]!;
    const { why, bytes } = malformedMessage(random, field.message, knows);
    const writer = new BinaryWriter().raw(start);
    writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
    return { why: `${why} in ${field.name}`, bytes: writer.finish() };
  }
  const known = type.fields.filter(
    (field) => knows(field) && (field.fieldKind !== "list" || field.message !== undefined),
  );
  const numbers = known.filter((field) => !isText(field) && field.message === undefined);
  const endings = [
    ...foreignEndings,
    ...(known.length === 0 ? [] : ["wrong wire type"]),
    ...(numbers.length === 0 ? [] : ["varint of eleven bytes"]),
  ];
  const why = endings[random.below(endings.length)]!;
  const end = ((): Uint8Array => {
    if (why === "wrong wire type") return wrongType(random, known);
    if (why !== "varint of eleven bytes") return foreignEnding(random, why);
    const tag = numbers[random.below(numbers.length)]!.number * 8;
    return Uint8Array.of(...new BinaryWriter().uint32(tag).finish(), ...tooLong(random));
  })();
  return { why, bytes: Uint8Array.of(...start, ...end) };
}

function tooLong(random: Prng): number[] {
  return [...Array.from({ length: 10 }, () => 0x80 + random.below(128)), 1];
}

const foreignEndings: readonly string[] = [
  "wire type 6 or 7",
  "field number 0",
  "length beyond the end",
  "negative length",
  "unfinished varint",
  "tag of eleven bytes",
  "unfinished fixed number",
  "end of a group that never began",
  "group without an end",
];

function foreignEnding(random: Prng, why: string): Uint8Array {
  const field = unknownField + random.below(1000);
  const tag = (type: number): number[] => [...new BinaryWriter().uint32(field * 8 + type).finish()];
  const bytes = ((): number[] => {
    switch (why) {
      case "wire type 6 or 7":
        return tag(6 + random.below(2));
      case "field number 0":
        return [random.below(3), 1, 0];
      case "length beyond the end":
        return [...tag(2), 2 + random.below(100), 0];
      case "negative length":
        return [...tag(2), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
      case "unfinished varint":
        return [...tag(0), 0x80 + random.below(128)];
      case "tag of eleven bytes":
        return tooLong(random);
      case "unfinished fixed number":
        return [...tag(random.below(2) === 0 ? 1 : 5), 1, 2, 3];
      case "end of a group that never began":
        return tag(4);
      default:
        return [...tag(3), 8, 1];
    }
  })();
  return Uint8Array.from(bytes);
}

function wrongType(random: Prng, known: readonly DescField[]): Uint8Array {
  const field = known[random.below(known.length)]!;
  const writer = new BinaryWriter();
  if (isText(field) || field.message !== undefined) {
    return writer.tag(field.number, WireType.Varint).uint32(random.below(100)).finish();
  }
  return writer.tag(field.number, WireType.LengthDelimited).bytes(randomBytes(random, 5)).finish();
}
