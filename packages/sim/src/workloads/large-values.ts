// Values of all sizes up to the limit of a request, some requests of exactly the limit, some one byte
// and some many bytes above it, which must be refused as too large and leave nothing behind.
import { assert, latin1Encode } from "@quorate/base";
import { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest } from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Known } from "./known.ts";
import { Redrawn } from "./redrawn.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

interface Shape {
  readonly keys: number;
  /** Chance of a request near the limit, of one above it, and of a large value besides. */
  readonly nearChance: number;
  readonly aboveChance: number;
  readonly largeChance: number;
  readonly putChance: number;
}

const smallBytesMax = 2_000;
/** "." */
const filler = 0x2e;

export class LargeValues implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;

  constructor(known: Known) {
    this.name = "large-values";
    this.background = null;
    this.#known = known;
    this.#shapes = new Redrawn(100, (random) => ({
      keys: random.between(1, 5),
      nearChance: random.pick([0, 0.02, 0.1]),
      aboveChance: random.pick([0, 0.05]),
      largeChance: random.pick([0.05, 0.2]),
      putChance: random.pick([0.3, 0.6]),
    }));
  }

  next(client: number, random: SimRandom): PlannedOperation {
    const { keys, nearChance, aboveChance, largeChance, putChance } = this.#shapes.next(random);
    const key = latin1Encode(`l/${random.below(keys)}`);
    const { requestBytesMax } = this.#known.limits;
    const text = `${this.#known.uniqueText(client)} `;
    if (random.chance(nearChance)) {
      return this.#put(key, text, requestBytesMax - random.pick([0, 0, 1, 2, 100]));
    }
    if (random.chance(aboveChance)) {
      return this.#put(key, text, requestBytesMax + random.pick([1, 2, 100, 50_000]));
    }
    if (random.chance(putChance)) {
      const bytesMax = random.chance(largeChance) ? requestBytesMax : smallBytesMax;
      return this.#put(key, text, random.doublings(100, bytesMax));
    }
    if (random.chance(0.1)) return this.#compact(random);
    if (random.chance(0.2)) return planned(new DeleteRangeRequest({ key, prevKv: true }));
    if (random.chance(0.8)) return planned(new RangeRequest({ key }), random.chance(0.1));
    const rangeEnd = latin1Encode("l0");
    return planned(new RangeRequest({ key, rangeEnd, keysOnly: random.chance(0.5) }));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
  }

  /** Old values make a state that grows without end. */
  #compact(random: SimRandom): PlannedOperation {
    const revision = Math.max(1, this.#known.revision - random.below(20));
    return planned(new CompactionRequest({ revision }));
  }

  /** A request of exactly so many bytes. */
  #put(key: Uint8Array, text: string, bytes: number): PlannedOperation {
    let length = bytes - key.length;
    for (;;) {
      assert(length > text.length, "LargeValues: a request too small for its text");
      const value = new Uint8Array(length).fill(filler);
      value.set(latin1Encode(text));
      const plan = planned(new PutRequest({ key, value }));
      if (plan.bytes.length <= bytes) return plan;
      length -= plan.bytes.length - bytes;
    }
  }
}
