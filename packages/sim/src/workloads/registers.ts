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
import { replyText } from "../model/reply-text.ts";
import type { SimRandom } from "../sim-random.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

const keyCount = 6;
/** Values of this many bytes at most: several to a sector, and some over several. */
const valueBytesMax = 1_500;

export class Registers implements Workload {
  readonly name: string;
  #values: number;
  /** Newest revision that any client has heard of. */
  #revision: number;

  constructor() {
    this.name = "registers";
    this.#values = 0;
    this.#revision = 1;
  }

  next(client: number, random: SimRandom): PlannedOperation {
    const key = keyOf(random);
    const draw = random.below(100);
    if (draw < 40) return this.#put(client, key, random);
    if (draw < 58) return planned(new RangeRequest({ key }));
    if (draw < 63) return planned(new RangeRequest({ key }), true);
    if (draw < 70) return this.#rangeOfAll(random);
    if (draw < 78) return this.#delete(key, random);
    if (draw < 92) return this.#comparePut(client, key, random);
    if (draw < 97) return this.#readTxn(key, random);
    return planned(
      new CompactionRequest({ revision: Math.max(1, this.#revision - random.below(50)) }),
    );
  }

  heard(operation: ClientOperation): void {
    const { revision } = replyText(operation.kind, operation.reply!);
    this.#revision = Math.max(this.#revision, revision);
  }

  #put(client: number, key: Uint8Array, random: SimRandom): PlannedOperation {
    const value = this.#value(client, random);
    return planned(new PutRequest({ key, value, prevKv: random.chance(0.3) }));
  }

  #rangeOfAll(random: SimRandom): PlannedOperation {
    const all = { key: latin1Encode("r/"), rangeEnd: latin1Encode("r0") };
    const past = random.chance(0.3) ? Math.max(1, this.#revision - random.below(20)) : 0;
    const limit = random.chance(0.3) ? random.between(1, keyCount) : 0;
    const request = new RangeRequest({ ...all, revision: past, limit });
    const shape = random.below(25);
    request.countOnly = shape < 5;
    request.keysOnly = shape >= 5 && shape < 9;
    return planned(request);
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
          number: Math.max(0, this.#revision - random.below(10)),
        });
    const put = new PutRequest({ key, value: this.#value(client, random) });
    const other = new DeleteRangeRequest({ key: keyOf(random) });
    const read = new RangeRequest({ key });
    const success = random.chance(0.3) ? [put, other, read] : [read, put];
    return planned(new TxnRequest({ compare: [compare], success, failure: [read] }));
  }

  #readTxn(key: Uint8Array, random: SimRandom): PlannedOperation {
    const success = [new RangeRequest({ key }), new RangeRequest({ key: keyOf(random) })];
    return planned(new TxnRequest({ compare: [], success, failure: [] }));
  }

  #value(client: number, random: SimRandom): Uint8Array {
    const text = `c${client}v${++this.#values}`;
    return latin1Encode(text.padEnd(random.doublings(text.length, valueBytesMax), "."));
  }
}

function keyOf(random: SimRandom): Uint8Array {
  return latin1Encode(`r/${random.below(keyCount)}`);
}
