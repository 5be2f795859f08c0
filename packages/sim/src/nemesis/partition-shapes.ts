// The shapes in which a network can be cut: which pairs of members do not reach each other.
import { assertNever } from "@quorate/base";
import type { SimRandom } from "../sim-random.ts";

export const PartitionShape = {
  /** Two groups. */
  Split: 1,
  /** One alone. */
  Isolate: 2,
  /** Two members, who both reach all others. */
  Pair: 3,
  /** Two groups, and one member that reaches both. */
  Bridge: 4,
  /** Everybody reaches two neighbours only. */
  Ring: 5,
} as const;
export type PartitionShape = (typeof PartitionShape)[keyof typeof PartitionShape];

export const partitionShapes: readonly PartitionShape[] = Object.values(PartitionShape);

export type Pair = readonly [string, string];

/**
 * The pairs that are cut, each once; a one-way cut takes each from its first to its second. The order
 * of the names says who is who: the first one is alone, or the bridge. With too few members for a
 * shape it is the nearest one: a bridge or ring of three is a pair, one of two a split.
 */
export function pairsOf(
  shape: PartitionShape,
  names: readonly string[],
  random: SimRandom,
): readonly Pair[] {
  const [first, second, ...rest] = names;
  if (first === undefined || second === undefined) return [];
  if (rest.length === 0) return [[first, second]];
  switch (shape) {
    case PartitionShape.Split:
      return between(names, random.between(1, names.length - 1));
    case PartitionShape.Isolate:
      return between(names, 1);
    case PartitionShape.Pair:
      return [[first, second]];
    case PartitionShape.Bridge:
      return between([second, ...rest], random.between(1, rest.length));
    case PartitionShape.Ring:
      return names.length === 3 ? [[first, second]] : ring(names);
    default:
      return assertNever(shape, "partition shape");
  }
}

/** Everybody before the place with everybody from there on. */
function between(names: readonly string[], place: number): readonly Pair[] {
  const others = names.slice(place);
  return names.slice(0, place).flatMap((a) => others.map((b): Pair => [a, b]));
}

function ring(names: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = [];
  for (let a = 0; a < names.length; a++) {
    for (let b = a + 2; b < names.length; b++) {
      const neighbours = a === 0 && b === names.length - 1;
      if (!neighbours) pairs.push([names[a]!, names[b]!]);
    }
  }
  return pairs;
}
