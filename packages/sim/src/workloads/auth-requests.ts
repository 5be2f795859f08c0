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
import { drawSpan, type Span } from "./auth-people.ts";
import { planned, type PlannedOperation } from "./workload.ts";

/** Named ids that clients of leases use (lease-client.ts). */
const leaseIds = 4;
const depthMax = 3;

export class AuthRequests {
  readonly #user: number;
  #values: number;
  /** What the present request is mostly about: else hardly one that names several keys were permitted. */
  #focus: Span;

  /** `user`: its values are told from those of others by it. */
  constructor(user: number) {
    this.#user = user;
    this.#values = 0;
    this.#focus = { key: "u/", rangeEnd: "" };
  }

  /** `rights`: where its user has any, for all that it knows. */
  next(random: SimRandom, rights: readonly Span[]): PlannedOperation {
    const isPermitted = rights.length > 0 && random.chance(0.7);
    this.#focus = isPermitted ? random.pick(rights) : drawSpan(random);
    const draw = random.below(40);
    if (draw === 0) return planned(new CompactionRequest({ revision: random.between(1, 50) }));
    if (draw < 10) return planned(this.#txn(random, random.between(0, depthMax), new Set()));
    if (draw < 14) return planned(this.#delete(random));
    if (draw < 26) return planned(this.#put(random, this.#span(random).key));
    return planned(this.#range(random), random.chance(0.3));
  }

  #span(random: SimRandom): Span {
    return random.chance(0.8) ? this.#focus : drawSpan(random);
  }

  #put(random: SimRandom, key: string): PutRequest {
    const value = `u${this.#user}v${(this.#values += 1)}`;
    const leaseLow = random.chance(0.1) ? random.between(1, leaseIds) : 0;
    const prevKv = random.chance(0.2);
    return new PutRequest({ key: latin1Encode(key), value: latin1Encode(value), leaseLow, prevKv });
  }

  /** `taken`: keys that it puts already; a transaction puts each once. */
  #txn(random: SimRandom, depth: number, taken: Set<string>): TxnRequest {
    const compare = random.chance(0.6) ? [this.#compare(random)] : [];
    const ops = (): RequestOp[] => {
      const some = [random.chance(0.5) ? this.#range(random) : this.#freshPut(random, taken)];
      return depth > 0 ? [...some, this.#txn(random, depth - 1, taken)] : some;
    };
    return new TxnRequest({ compare, success: ops(), failure: random.chance(0.5) ? ops() : [] });
  }

  #freshPut(random: SimRandom, taken: Set<string>): RequestOp {
    const { key } = this.#span(random);
    if (taken.has(key)) return this.#range(random);
    taken.add(key);
    return this.#put(random, key);
  }

  #range(random: SimRandom): RangeRequest {
    return new RangeRequest(bytesOf(this.#span(random)));
  }

  #delete(random: SimRandom): DeleteRangeRequest {
    const prevKv = random.chance(0.3);
    return new DeleteRangeRequest({ ...bytesOf(this.#span(random)), prevKv });
  }

  #compare(random: SimRandom): Compare {
    const { key, rangeEnd } = this.#span(random);
    return new Compare({
      ...bytesOf({ key, rangeEnd: random.chance(0.8) ? "" : rangeEnd }),
      target: CompareTarget.Version,
      operand: CompareOperand.Version,
      result: random.pick([CompareResult.Equal, CompareResult.Greater]),
      number: random.below(3),
    });
  }
}

function bytesOf({ key, rangeEnd }: Span): { key: Uint8Array; rangeEnd: Uint8Array } {
  return { key: latin1Encode(key), rangeEnd: latin1Encode(rangeEnd) };
}
