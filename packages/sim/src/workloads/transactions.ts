// Lists in a few keys that belong together, appended to by compare-and-put of several keys at once:
// each transaction compares what some client last heard (or guesses), writes new lists to some keys,
// deletes others and reads them all. Some are nested, some read the past, some are at the limit of
// operations or above it. Groups of keys never meet in a transaction.
import { latin1Encode } from "@quorate/base";
import {
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { LiveKey } from "../model/canonical.ts";
import { keysHeard } from "../model/reply-keys.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Known } from "./known.ts";
import { Redrawn } from "./redrawn.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

interface Shape {
  readonly groups: number;
  readonly keysPerGroup: number;
  /** Elements of a list, before it starts anew. */
  readonly lengthMax: number;
  readonly nestedChance: number;
  readonly pastChance: number;
}

const limitChance = 0.01;

export class Transactions implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;
  #shape: Shape;
  /** What any client heard last of a key that was there. */
  readonly #heard: Map<string, LiveKey>;

  constructor(known: Known) {
    this.name = "transactions";
    this.background = null;
    this.#known = known;
    this.#shape = { groups: 1, keysPerGroup: 2, lengthMax: 1, nestedChance: 0, pastChance: 0 };
    this.#shapes = new Redrawn(300, (random) => ({
      groups: random.between(1, 4),
      keysPerGroup: random.between(2, 5),
      lengthMax: random.pick([2, 8, 30]),
      nestedChance: random.pick([0, 0.1, 0.4]),
      pastChance: random.pick([0, 0.05, 0.2]),
    }));
    this.#heard = new Map();
  }

  next(client: number, random: SimRandom): PlannedOperation {
    this.#shape = this.#shapes.next(random);
    const group = `t/${random.below(this.#shape.groups)}`;
    if (random.chance(limitChance)) return this.#atTheLimit(client, group, random);
    if (random.chance(0.25)) return this.#read(group, random);
    return planned(this.#append(client, group, random, random.chance(this.#shape.nestedChance)));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
    for (const kv of keysHeard(operation.kind, operation.reply!)) {
      const before = this.#heard.get(kv.key);
      if (before === undefined || before.main < kv.main) this.#heard.set(kv.key, kv);
    }
  }

  #append(client: number, group: string, random: SimRandom, nested: boolean): TxnRequest {
    const keys = random.shuffle(this.#keysOf(group)).slice(0, random.between(1, 3));
    const compare = keys
      .filter(() => random.chance(0.8))
      .map((key) => this.#compare(key, group, random));
    const writes = keys.map((key) => this.#write(client, key, random));
    const success = random.shuffle<RequestOp>([...writes, ...this.#reads(keys, group, random)]);
    if (nested) success.push(this.#inner(client, group, keys, random));
    return new TxnRequest({ compare, success, failure: this.#reads(keys, group, random) });
  }

  /** Writes other keys than the transaction that it is in: a key is put once. */
  #inner(client: number, group: string, taken: readonly string[], random: SimRandom): TxnRequest {
    const free = this.#keysOf(group).filter((key) => !taken.includes(key));
    if (free.length === 0) return new TxnRequest({ success: this.#reads(taken, group, random) });
    const key = random.pick(free);
    const compare = random.chance(0.7) ? [this.#compare(key, group, random)] : [];
    const success = [this.#put(client, key), ...this.#reads([key], group, random)];
    return new TxnRequest({ compare, success, failure: this.#reads([key], group, random) });
  }

  /** Mostly it holds, if nothing has happened since it was heard of. */
  #compare(key: string, group: string, random: SimRandom): Compare {
    const heard = this.#heard.get(key);
    const bytes = latin1Encode(key);
    const equal = CompareResult.Equal;
    const guess = random.chance(0.1) ? random.pick([-1, 1, 3]) : 0;
    switch (random.below(heard === undefined ? 2 : 6)) {
      case 0: {
        const number = Math.max(0, (heard?.create ?? 0) + guess);
        const { Create: target } = CompareTarget;
        const { Create: operand } = CompareOperand;
        return new Compare({ key: bytes, result: equal, target, operand, number });
      }
      case 1: {
        const number = Math.max(0, this.#known.revision + guess);
        const { Mod: target } = CompareTarget;
        const { Mod: operand } = CompareOperand;
        const rangeEnd = random.chance(0.5) ? latin1Encode(`${group}0`) : new Uint8Array(0);
        const result = random.pick([CompareResult.Less, CompareResult.Greater]);
        return new Compare({ key: bytes, rangeEnd, result, target, operand, number });
      }
      case 2:
      case 3: {
        const number = heard!.main + guess;
        const { Mod: target } = CompareTarget;
        const { Mod: operand } = CompareOperand;
        return new Compare({ key: bytes, result: equal, target, operand, number });
      }
      case 4: {
        const number = Math.max(0, heard!.version + guess);
        const { Version: target } = CompareTarget;
        const { Version: operand } = CompareOperand;
        return new Compare({ key: bytes, result: equal, target, operand, number });
      }
      default: {
        const { Value: target } = CompareTarget;
        const { Value: operand } = CompareOperand;
        const value = latin1Encode(heard!.value);
        const result = random.chance(0.8) ? equal : CompareResult.NotEqual;
        return new Compare({ key: bytes, result, target, operand, value });
      }
    }
  }

  #write(client: number, key: string, random: SimRandom): RequestOp {
    if (random.chance(0.9)) return this.#put(client, key);
    return new DeleteRangeRequest({ key: latin1Encode(key), prevKv: random.chance(0.5) });
  }

  #put(client: number, key: string): PutRequest {
    const element = this.#known.uniqueText(client);
    const list = this.#heard.get(key)?.value.split(",") ?? [];
    const next = list.length < this.#shape.lengthMax ? [...list, element] : [element];
    return new PutRequest({ key: latin1Encode(key), value: latin1Encode(next.join(",")) });
  }

  #reads(keys: readonly string[], group: string, random: SimRandom): RequestOp[] {
    if (random.chance(0.3)) return [this.#rangeOf(group, random)];
    return keys.map((key) => new RangeRequest({ key: latin1Encode(key) }));
  }

  #rangeOf(group: string, random: SimRandom): RangeRequest {
    const past = random.chance(this.#shape.pastChance);
    return new RangeRequest({
      key: latin1Encode(`${group}/`),
      rangeEnd: latin1Encode(`${group}0`),
      revision: past ? this.#known.pastRevision(random) : 0,
      limit: random.chance(0.2) ? random.between(1, 3) : 0,
    });
  }

  #read(group: string, random: SimRandom): PlannedOperation {
    const range = this.#rangeOf(group, random);
    if (random.chance(0.5)) return planned(range, random.chance(0.2));
    const success = [range, ...this.#reads(this.#keysOf(group), group, random)];
    return planned(new TxnRequest({ success, failure: [] }));
  }

  /** As many operations as may be, or one more. */
  #atTheLimit(client: number, group: string, random: SimRandom): PlannedOperation {
    const count = this.#known.limits.txnOpsMax + random.below(2);
    const success: RequestOp[] = Array.from({ length: count - 1 }, () =>
      this.#rangeOf(group, random),
    );
    success.push(this.#put(client, `${group}/0`));
    return planned(new TxnRequest({ success }));
  }

  #keysOf(group: string): string[] {
    return Array.from({ length: this.#shape.keysPerGroup }, (_, key) => `${group}/${key}`);
  }
}
