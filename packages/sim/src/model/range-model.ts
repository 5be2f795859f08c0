// What a Range must answer about keys at one moment, and whether a Compare holds for one: etcd's
// rules, written down once more, for the naive twin and for the model of the black-box search.
import { assert, latin1Decode } from "@quorate/base";
import {
  type Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  type RangeRequest,
  SortOrder,
  SortTarget,
} from "@quorate/kv";
import { leaseNumber } from "./lease-number.ts";
import { kvText, type LiveKey, rangeText } from "./canonical.ts";

/** `live`: the keys in the request's range that are there, in order. */
export function rangeBody(request: RangeRequest, live: readonly LiveKey[]): string {
  if (request.countOnly) return rangeText(live.length, false, []);
  const { limit, sortOrder, sortTarget } = request;
  // etcd's oddity: without an order and without bounds only limit + 1 keys are ever looked at.
  const seen =
    sortOrder === SortOrder.None && !isBounded(request) && limit > 0
      ? live.slice(0, limit + 1)
      : live;
  const wanted = seen.filter((kv) => isWanted(request, kv));
  const by = orders[sortTarget];
  assert(by !== undefined, "rangeBody: the edge refuses other targets");
  wanted.sort((a, b) => (sortOrder === SortOrder.Descend ? by(b, a) : by(a, b)));
  const more = limit > 0 && wanted.length > limit;
  const shown = more ? wanted.slice(0, limit) : wanted;
  const texts = shown.map((kv) => kvText(request.keysOnly ? { ...kv, value: "" } : kv));
  return rangeText(live.length, more, texts);
}

export function isInRange(key: string, from: string, end: string | null): boolean {
  return key >= from && (end === null || key < end);
}

/** Of a non-empty range end: "\0" stands for no end. */
export function rangeEndOf(bytes: Uint8Array): string | null {
  const end = latin1Decode(bytes);
  return end === "\0" ? null : end;
}

function isBounded(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
    (n) => n !== 0,
  );
}

function isWanted(request: RangeRequest, kv: LiveKey): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    (maxModRevision === 0 || kv.main <= maxModRevision) &&
    (maxCreateRevision === 0 || kv.create <= maxCreateRevision) &&
    kv.main >= minModRevision &&
    kv.create >= minCreateRevision
  );
}

type Order = (a: LiveKey, b: LiveKey) => number;

const orders: Readonly<Record<SortTarget, Order>> = {
  [SortTarget.Key]: (a, b) => textOrder(a.key, b.key),
  [SortTarget.Version]: (a, b) => a.version - b.version,
  [SortTarget.Create]: (a, b) => a.create - b.create,
  [SortTarget.Mod]: (a, b) => a.main - b.main,
  [SortTarget.Value]: (a, b) => textOrder(a.value, b.value),
};

// ---- compares -----------------------------------------------------------------------------------

/** All keys that a Compare names; none counts as one that was never written. */
export function compareHolds(compare: Compare, live: readonly LiveKey[]): boolean {
  if (live.length > 0) return live.every((kv) => holdsFor(compare, kv));
  if (compare.target === CompareTarget.Value) return false;
  return holdsFor(compare, { key: "", create: 0, main: 0, version: 0, value: "", lease: 0 });
}

function holdsFor(compare: Compare, kv: LiveKey): boolean {
  switch (compare.target) {
    case CompareTarget.Value:
      assert(compare.operand === CompareOperand.Value, "a value is compared with a value");
      return resultHolds(compare.result, textOrder(kv.value, latin1Decode(compare.value)));
    case CompareTarget.Version:
      return resultHolds(compare.result, kv.version - compare.number);
    case CompareTarget.Create:
      return resultHolds(compare.result, kv.create - compare.number);
    case CompareTarget.Mod:
      return resultHolds(compare.result, kv.main - compare.number);
    case CompareTarget.Lease:
      return resultHolds(
        compare.result,
        kv.lease - leaseNumber(compare.leaseHigh, compare.leaseLow),
      );
    default:
      assert(false, "compareHolds: a target that no workload uses");
  }
}

function resultHolds(result: CompareResult, order: number): boolean {
  switch (result) {
    case CompareResult.Equal:
      return order === 0;
    case CompareResult.Greater:
      return order > 0;
    case CompareResult.Less:
      return order < 0;
    case CompareResult.NotEqual:
      return order !== 0;
    default:
      assert(false, "compareHolds: unknown compare result");
  }
}

function textOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
