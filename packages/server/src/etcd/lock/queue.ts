// The queue that locks and elections are: each in it has a key under the queue's prefix, bound to its
// lease; who came first, by create revision, has the lock or leads; the others wait for the key before
// theirs to go (etcd's client/v3/concurrency). A lease that ends takes its key, and so its place, with it.
import { emptyBytes } from "@quorate/base";
import {
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
  TxnRequest,
} from "@quorate/kv";
import type { KeyValue, RangeResponse, ResponseHeader, TxnResponse } from "@quorate/kv";
import { HistoryGone } from "./key-calls.ts";
import type { KeyCalls } from "./key-calls.ts";

const slash = 0x2f;

/** Where one stands in a queue. */
export interface Place {
  readonly key: Uint8Array;
  /** Create revision of the key. */
  readonly revision: number;
  readonly lease: bigint;
}

export class Queue {
  readonly #calls: KeyCalls;
  /** "NAME/" and the first key behind all that begin with it. */
  readonly #prefix: Uint8Array;
  readonly #prefixEnd: Uint8Array;

  constructor(calls: KeyCalls, name: Uint8Array) {
    this.#calls = calls;
    this.#prefix = Uint8Array.from([...name, slash]);
    this.#prefixEnd = Uint8Array.from([...name, slash + 1]);
  }

  get prefix(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    return { key: this.#prefix, rangeEnd: this.#prefixEnd };
  }

  /** Takes a place, or finds the one that this lease has already, with the value there. */
  async enter(
    lease: bigint,
    value: Uint8Array,
  ): Promise<{
    readonly place: Place;
    readonly header: ResponseHeader;
    readonly old: KeyValue | null;
  }> {
    const key = Uint8Array.from([...this.#prefix, ...Buffer.from(lease.toString(16))]);
    const response = await this.#calls.txn(
      new TxnRequest({
        compare: [createdAt(key, 0)],
        success: [putWith(key, value, lease)],
        failure: [new RangeRequest({ key })],
      }),
    );
    const old = response.succeeded ? null : firstOf(response);
    const revision = old?.createRevision ?? response.header.revision;
    return { place: { key, revision, lease }, header: response.header, old };
  }

  /** Nobody who came before the place is left. Rejects when the caller goes away. */
  async first(place: Place, gone: AbortSignal): Promise<ResponseHeader> {
    for (;;) {
      const before = await this.#last(place.revision - 1);
      const next = before.kvs[0];
      if (next === undefined) return before.header;
      await this.#deleted(next.key, before.header.revision, gone);
    }
  }

  /** Who is first; null: the queue is empty. */
  async holder(): Promise<{ readonly header: ResponseHeader; readonly kv: KeyValue | null }> {
    const { header, kvs } = await this.#calls.range(
      new RangeRequest({
        ...this.prefix,
        limit: 1,
        sortTarget: SortTarget.Create,
        sortOrder: SortOrder.Ascend,
      }),
    );
    return { header, kv: kvs[0] ?? null };
  }

  /** Another value, while the place is still there; null: it is not. */
  async update(place: Place, value: Uint8Array): Promise<ResponseHeader | null> {
    const { header, succeeded } = await this.#calls.txn(
      new TxnRequest({
        compare: [createdAt(place.key, place.revision)],
        success: [putWith(place.key, value, place.lease)],
      }),
    );
    return succeeded ? header : null;
  }

  /** Gives the place back, if it is still there. */
  async leave(place: Pick<Place, "key" | "revision">): Promise<ResponseHeader> {
    const { header } = await this.#calls.txn(
      new TxnRequest({
        compare: [createdAt(place.key, place.revision)],
        success: [new DeleteRangeRequest({ key: place.key })],
      }),
    );
    return header;
  }

  /** The lease lives, and with it the place. */
  async holds(place: Place): Promise<ResponseHeader | null> {
    const { header, kvs } = await this.#calls.range(new RangeRequest({ key: place.key }));
    return kvs[0]?.createRevision === place.revision ? header : null;
  }

  #last(maxCreateRevision: number): Promise<RangeResponse> {
    return this.#calls.range(
      new RangeRequest({
        ...this.prefix,
        limit: 1,
        sortTarget: SortTarget.Create,
        sortOrder: SortOrder.Descend,
        maxCreateRevision,
      }),
    );
  }

  /** From the revision on; where that is compacted, whoever asked looks again. */
  async #deleted(key: Uint8Array, revision: number, gone: AbortSignal): Promise<void> {
    try {
      const keys = { key, rangeEnd: emptyBytes };
      await this.#calls.watch(keys, revision, gone, ({ deleted }) => deleted);
    } catch (error) {
      if (!(error instanceof HistoryGone)) throw error;
    }
  }
}

function createdAt(key: Uint8Array, revision: number): Compare {
  return new Compare({
    key,
    target: CompareTarget.Create,
    operand: CompareOperand.Create,
    result: CompareResult.Equal,
    number: revision,
  });
}

function putWith(key: Uint8Array, value: Uint8Array, lease: bigint): PutRequest {
  const bits = BigInt.asUintN(64, lease);
  const [leaseHigh, leaseLow] = [Number(bits >> 32n), Number(bits & 0xffffffffn)];
  return new PutRequest({ key, value, leaseHigh, leaseLow });
}

function firstOf({ responses }: TxnResponse): KeyValue | null {
  const [range] = responses;
  return range !== null && range !== undefined && "kvs" in range ? (range.kvs[0] ?? null) : null;
}
