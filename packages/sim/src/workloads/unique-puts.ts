// Every put a key of its own: the log and the rows grow, nothing is overwritten, so every lost or
// doubled write shows by itself.
import { latin1Encode } from "@quorate/base";
import { PutRequest, RangeRequest } from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { SimRandom } from "../sim-random.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

const valueBytesMax = 4_000;

export class UniquePuts implements Workload {
  readonly name: string;
  #puts: number;

  constructor() {
    this.name = "unique-puts";
    this.#puts = 0;
  }

  next(client: number, random: SimRandom): PlannedOperation {
    if (random.chance(0.85) || this.#puts === 0) {
      const key = keyOf(++this.#puts);
      const text = `c${client}`;
      const value = latin1Encode(text.padEnd(random.doublings(16, valueBytesMax), "."));
      return planned(new PutRequest({ key, value }));
    }
    const key = keyOf(random.between(1, this.#puts));
    if (random.chance(0.7)) return planned(new RangeRequest({ key }));
    const limit = random.between(1, 20);
    return planned(new RangeRequest({ key, rangeEnd: latin1Encode("u0"), limit }));
  }

  heard(_operation: ClientOperation): void {
    // Nothing to learn: no request depends on an answer.
  }
}

function keyOf(number: number): Uint8Array {
  return latin1Encode(`u/${String(number).padStart(8, "0")}`);
}
