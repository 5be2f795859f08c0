// What users ask for: keys that they may and may not touch, by ranges of every kind, and transactions in
// whose branches, taken or not and however deep, anything may stand.
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
  type RequestOp,
  TxnRequest,
} from "@quorate/kv";
import type { SimRandom } from "../sim-random.ts";
import { drawKey, drawSpan, type Span } from "./auth-people.ts";
import { planned, type PlannedOperation } from "./workload.ts";

/** Named ids that clients of leases use (lease-client.ts). */
const leaseIds = 4;
const depthMax = 3;

export class AuthRequests {
  readonly #user: number;
  #values: number;

  /** `user`: its values are told from those of others by it. */
  constructor(user: number) {
    this.#user = user;
    this.#values = 0;
  }

  next(random: SimRandom): PlannedOperation {
    const draw = random.below(40);
    if (draw === 0) return planned(new CompactionRequest({ revision: random.between(1, 50) }));
    if (draw < 10) return planned(this.#txn(random, random.between(0, depthMax), new Set()));
    if (draw < 14) return planned(deleteOf(random));
    if (draw < 26) return planned(this.#put(random, drawKey(random)));
    return planned(rangeOf(random), random.chance(0.3));
  }

  #put(random: SimRandom, key: string): PutRequest {
    const value = `u${this.#user}v${(this.#values += 1)}`;
    const leaseLow = random.chance(0.1) ? random.between(1, leaseIds) : 0;
    const prevKv = random.chance(0.2);
    return new PutRequest({ key: latin1Encode(key), value: latin1Encode(value), leaseLow, prevKv });
  }

  /** `taken`: keys that it puts already; a transaction puts each once. */
  #txn(random: SimRandom, depth: number, taken: Set<string>): TxnRequest {
    const compare = random.chance(0.6) ? [compareOf(random)] : [];
    const ops = (): RequestOp[] => {
      const some = [random.chance(0.5) ? rangeOf(random) : this.#freshPut(random, taken)];
      return depth > 0 ? [...some, this.#txn(random, depth - 1, taken)] : some;
    };
    return new TxnRequest({ compare, success: ops(), failure: random.chance(0.5) ? ops() : [] });
  }

  #freshPut(random: SimRandom, taken: Set<string>): RequestOp {
    const key = drawKey(random);
    if (taken.has(key)) return rangeOf(random);
    taken.add(key);
    return this.#put(random, key);
  }
}

function rangeOf(random: SimRandom): RangeRequest {
  return new RangeRequest(bytesOf(drawSpan(random)));
}

function deleteOf(random: SimRandom): DeleteRangeRequest {
  return new DeleteRangeRequest({ ...bytesOf(drawSpan(random)), prevKv: random.chance(0.3) });
}

function compareOf(random: SimRandom): Compare {
  const span = random.chance(0.8) ? { key: drawKey(random), rangeEnd: "" } : drawSpan(random);
  return new Compare({
    ...bytesOf(span),
    target: CompareTarget.Version,
    operand: CompareOperand.Version,
    result: random.pick([CompareResult.Equal, CompareResult.Greater]),
    number: random.below(3),
  });
}

function bytesOf({ key, rangeEnd }: Span): { key: Uint8Array; rangeEnd: Uint8Array } {
  return { key: latin1Encode(key), rangeEnd: latin1Encode(rangeEnd) };
}
