// Random messages of any descriptor, for property tests: every kind of field, often at its limits.
import { create, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import type { Prng } from "@quorate/base";

const depthMax = 3;

export function randomMessage(desc: DescMessage, prng: Prng, depth: number = 0): Message {
  const message = create(desc);
  const fields = message as unknown as Record<string, unknown>;
  for (const field of desc.fields) {
    if (prng.below(3) === 0) continue;
    const value = randomValue(field, prng, depth);
    if (value === undefined) continue;
    const { localName, oneof } = field;
    if (oneof === undefined) fields[localName] = value;
    else fields[oneof.localName] = { case: localName, value };
  }
  return message;
}

function randomValue(field: DescField, prng: Prng, depth: number): unknown {
  if (field.fieldKind !== "list") return randomSingle(field, prng, depth);
  if (field.listKind === "message" && depth >= depthMax) return undefined;
  return Array.from({ length: prng.below(4) }, () => randomSingle(field, prng, depth));
}

function randomSingle(field: DescField, prng: Prng, depth: number): unknown {
  if (field.message !== undefined) {
    return depth >= depthMax ? undefined : randomMessage(field.message, prng, depth + 1);
  }
  if (field.enum !== undefined) {
    const { values } = field.enum;
    return values[prng.below(values.length)]!.number;
  }
  return randomScalar(field.scalar ?? ScalarType.STRING, prng);
}

function randomScalar(type: ScalarType, prng: Prng): unknown {
  switch (type) {
    case ScalarType.BOOL:
      return prng.below(2) === 1;
    case ScalarType.BYTES:
      return Uint8Array.from({ length: prng.below(9) }, () => prng.below(256));
    case ScalarType.INT64:
      return BigInt.asIntN(64, randomBits(prng));
    case ScalarType.UINT64:
      return BigInt.asUintN(64, randomBits(prng));
    case ScalarType.UINT32:
      return prng.below(2 ** 32);
    case ScalarType.INT32:
      return prng.below(2 ** 32) - 2 ** 31;
    default:
      return Array.from({ length: prng.below(6) }, () => letters[prng.below(letters.length)]).join(
        "",
      );
  }
}

function randomBits(prng: Prng): bigint {
  const bits = (BigInt(prng.below(2 ** 32)) << 32n) | BigInt(prng.below(2 ** 32));
  return [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), bits][prng.below(6)]!;
}

const letters = ["a", "Z", "é", "€", "😀", '"', "\\", "\n", "<", "&", "\u2028", "\b"];
