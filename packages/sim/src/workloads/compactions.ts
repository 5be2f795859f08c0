// Few keys that come and go, and compactions all the time: at the present, behind it, beyond it, and
// where there was one before. What is read lies around the compaction, in ranges and in transactions.
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
  readonly compactChance: number;
  readonly deleteChance: number;
  readonly readChance: number;
}

export class Compactions implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;
  #shape: Shape;

  constructor(known: Known) {
    this.name = "compactions";
    this.background = null;
    this.#known = known;
    this.#shape = { keys: 1, compactChance: 0, deleteChance: 0, readChance: 0 };
    this.#shapes = new Redrawn(200, (random) => ({
      keys: random.pick([1, 3, 20, 100]),
      compactChance: random.pick([0.02, 0.1, 0.3]),
      deleteChance: random.pick([0.3, 0.5, 0.9]),
      readChance: random.pick([0.1, 0.4]),
    }));
  }

  next(client: number, random: SimRandom): PlannedOperation {
    this.#shape = this.#shapes.next(random);
    const { compactChance, readChance, deleteChance } = this.#shape;
    if (random.chance(compactChance)) return this.#compact(random);
    if (random.chance(readChance)) return this.#read(client, random);
    if (random.chance(deleteChance)) return this.#delete(random);
    return planned(this.#put(client, random));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
  }

  #compact(random: SimRandom): PlannedOperation {
    const { revision: now, compacted } = this.#known;
    const revision = random.pick([
      now,
      now - random.below(5),
      now - random.below(50),
      now + random.between(1, 20),
      compacted + random.between(-1, 1),
      random.between(-1, 1),
    ]);
    return planned(new CompactionRequest({ revision, physical: random.chance(0.3) }));
  }

  #put(client: number, random: SimRandom): PutRequest {
    const value = latin1Encode(this.#known.uniqueText(client));
    return new PutRequest({ key: this.#key(random), value, prevKv: random.chance(0.2) });
  }

  #delete(random: SimRandom): PlannedOperation {
    const all = random.chance(0.1);
    const request = new DeleteRangeRequest({ key: this.#key(random), prevKv: random.chance(0.3) });
    if (all) request.rangeEnd = latin1Encode("c0");
    return planned(request);
  }

  /** Alone, in a transaction that reads, or in one that writes and so goes through the log. */
  #read(client: number, random: SimRandom): PlannedOperation {
    const range = new RangeRequest({
      key: latin1Encode("c/"),
      rangeEnd: latin1Encode("c0"),
      revision: random.chance(0.8) ? this.#known.pastRevision(random) : 0,
    });
    const draw = random.below(10);
    if (draw < 6) return planned(range, random.chance(0.3));
    const success = draw < 8 ? [range] : [range, this.#put(client, random)];
    const failure = [new RangeRequest({ key: this.#key(random) })];
    return planned(new TxnRequest({ compare: [this.#compare(random)], success, failure }));
  }

  #compare(random: SimRandom): Compare {
    return new Compare({
      key: this.#key(random),
      target: CompareTarget.Version,
      operand: CompareOperand.Version,
      result: random.pick([CompareResult.Greater, CompareResult.Equal]),
      number: 0,
    });
  }

  #key(random: SimRandom): Uint8Array {
    return latin1Encode(`c/${String(random.below(this.#shape.keys)).padStart(3, "0")}`);
  }
}
