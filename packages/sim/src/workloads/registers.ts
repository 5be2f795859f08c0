// A handful of hot keys with everything at once: puts of unique values, reads now and in the past,
// deletes of keys and ranges, compare-and-put, read-only transactions, compactions.
import { latin1Encode } from "@quorate/base";
import {
  CompactionRequest,
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Known } from "./known.ts";
import { Redrawn } from "./redrawn.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

interface Shape {
  readonly keys: number;
  /** Values of this many bytes at most: several to a sector, and some over several. */
  readonly valueBytesMax: number;
}

const valueBytesMin = 20;

export class Registers implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;
  #shape: Shape;

  constructor(known: Known) {
    this.name = "registers";
    this.background = null;
    this.#known = known;
    this.#shape = { keys: 1, valueBytesMax: valueBytesMin };
    this.#shapes = new Redrawn(500, (random) => ({
      keys: random.between(1, 8),
      valueBytesMax: random.pick([valueBytesMin, 200, 1_500]),
    }));
  }

  next(client: number, random: SimRandom): PlannedOperation {
    this.#shape = this.#shapes.next(random);
    const key = this.#key(random);
    const draw = random.below(100);
    if (draw < 40) return this.#put(client, key, random);
    if (draw < 58) return planned(new RangeRequest({ key }));
    if (draw < 63) return planned(new RangeRequest({ key }), true);
    if (draw < 70) return this.#rangeOfAll(random);
    if (draw < 78) return this.#delete(key, random);
    if (draw < 92) return this.#comparePut(client, key, random);
    if (draw < 97) return this.#readTxn(key, random);
    const revision = Math.max(1, this.#known.revision - random.below(50));
    return planned(new CompactionRequest({ revision }));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
  }

  #put(client: number, key: Uint8Array, random: SimRandom): PlannedOperation {
    const value = this.#value(client, random);
    return planned(new PutRequest({ key, value, prevKv: random.chance(0.3) }));
  }

  #rangeOfAll(random: SimRandom): PlannedOperation {
    const all = { key: latin1Encode("r/"), rangeEnd: latin1Encode("r0") };
    const revision = random.chance(0.3) ? this.#known.pastRevision(random) : 0;
    const limit = random.chance(0.3) ? random.between(1, this.#shape.keys) : 0;
    const request = new RangeRequest({ ...all, revision, limit });
    const shape = random.below(25);
    request.countOnly = shape < 5;
    request.keysOnly = shape >= 5 && shape < 9;
    return planned(request, random.chance(0.1));
  }

  #delete(key: Uint8Array, random: SimRandom): PlannedOperation {
    const rangeEnd = random.chance(0.2) ? latin1Encode("r0") : new Uint8Array(0);
    return planned(new DeleteRangeRequest({ key, rangeEnd, prevKv: random.chance(0.5) }));
  }

  #comparePut(client: number, key: Uint8Array, random: SimRandom): PlannedOperation {
    const compare = random.chance(0.5)
      ? new Compare({
          key,
          target: CompareTarget.Version,
          result: random.pick([CompareResult.Greater, CompareResult.Equal, CompareResult.NotEqual]),
          operand: CompareOperand.Version,
          number: random.below(4),
        })
      : new Compare({
          key,
          target: CompareTarget.Mod,
          result: random.pick([CompareResult.Less, CompareResult.Greater]),
          operand: CompareOperand.Mod,
          number: Math.max(0, this.#known.revision - random.below(10)),
        });
    const put = new PutRequest({ key, value: this.#value(client, random) });
    const other = new DeleteRangeRequest({ key: this.#key(random) });
    const read = new RangeRequest({ key });
    const success = random.chance(0.3) ? [put, other, read] : [read, put];
    return planned(new TxnRequest({ compare: [compare], success, failure: [read] }));
  }

  #readTxn(key: Uint8Array, random: SimRandom): PlannedOperation {
    const success = [new RangeRequest({ key }), new RangeRequest({ key: this.#key(random) })];
    return planned(new TxnRequest({ compare: [], success, failure: [] }));
  }

  #key(random: SimRandom): Uint8Array {
    return latin1Encode(`r/${random.below(this.#shape.keys)}`);
  }

  #value(client: number, random: SimRandom): Uint8Array {
    const text = this.#known.uniqueText(client);
    const bytes = random.doublings(valueBytesMin, this.#shape.valueBytesMax);
    return latin1Encode(text.padEnd(bytes, "."));
  }
}
