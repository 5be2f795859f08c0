// What becomes of one send. Each chance that is not zero draws once per send, in a fixed order.
import { assert } from "@quorate/base";
import type { SimRandom } from "../sim-random.ts";
import type { SendChances } from "./network-options.ts";

export interface SendFate {
  readonly lost: boolean;
  readonly repeated: boolean;
  readonly late: boolean;
  readonly flipped: boolean;
  readonly cutShort: boolean;
  readonly clogs: boolean;
}

export function drawFate(random: SimRandom, all: SendChances, way: SendChances): SendFate {
  const draw = (name: keyof SendChances): boolean => {
    const chance = all[name] + way[name];
    return chance > 0 && random.chance(Math.min(1, chance));
  };
  return {
    lost: draw("lossChance"),
    repeated: draw("duplicateChance"),
    late: draw("lateChance"),
    flipped: draw("flipChance"),
    cutShort: draw("resetChance"),
    clogs: draw("clogChance"),
  };
}

/** A copy with one to three bits flipped: fewer than a CRC32C can miss. */
export function flipBits(bytes: Uint8Array, random: SimRandom): Uint8Array {
  assert(bytes.length > 0, "flipBits: nothing to damage");
  const flipped = bytes.slice();
  const places = new Set<number>();
  for (let i = random.between(1, 3); i > 0; i--) places.add(random.below(bytes.length * 8));
  for (const place of places) flipped[place >>> 3]! ^= 1 << (place & 7);
  return flipped;
}
