// Every put a key of its own: the log and the rows grow, nothing is overwritten, so every lost or
// doubled write shows by itself.
import { latin1Encode } from "@quorate/base";
import { PutRequest, RangeRequest } from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Known } from "./known.ts";
import { Redrawn } from "./redrawn.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

interface Shape {
  readonly valueBytesMax: number;
  readonly putChance: number;
}

export class UniquePuts implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;
  #puts: number;

  constructor(known: Known) {
    this.name = "unique-puts";
    this.background = null;
    this.#known = known;
    this.#shapes = new Redrawn(300, (random) => ({
      valueBytesMax: random.pick([64, 1_000, 4_000]),
      putChance: random.pick([0.6, 0.85, 1]),
    }));
    this.#puts = 0;
  }

  next(client: number, random: SimRandom): PlannedOperation {
    const { valueBytesMax, putChance } = this.#shapes.next(random);
    if (random.chance(putChance) || this.#puts === 0) {
      const key = keyOf(++this.#puts);
      const text = `c${client}`;
      const value = latin1Encode(text.padEnd(random.doublings(16, valueBytesMax), "."));
      return planned(new PutRequest({ key, value }));
    }
    const key = keyOf(random.between(1, this.#puts));
    if (random.chance(0.7)) return planned(new RangeRequest({ key }), random.chance(0.2));
    const limit = random.between(1, 20);
    return planned(new RangeRequest({ key, rangeEnd: latin1Encode("u0"), limit }));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
  }
}

function keyOf(number: number): Uint8Array {
  return latin1Encode(`u/${String(number).padStart(8, "0")}`);
}
