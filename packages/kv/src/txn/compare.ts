// Evaluates the compares of a transaction on the state before it, as etcd's applyCompare: all keys
// of a range must satisfy one; no key at all counts as one with zero in every field, except that
// a comparison of values is then false. Unknown results hold, unknown targets compare as equal.
import { compareBytes, emptyBytes, latin1Decode } from "@quorate/base";
import { endOf } from "../mvcc/range.ts";
import type { MvccStore } from "../mvcc/store.ts";
import { CompareOperand, CompareResult, CompareTarget } from "../wire/request.ts";
import type { Compare } from "../wire/request.ts";

export function holds(store: MvccStore, compare: Compare): boolean {
  const { index } = store;
  const key = latin1Decode(compare.key);
  if (compare.rangeEnd.length === 0) {
    const slot = index.findLive(key);
    return slot < 0 ? holdsForNothing(compare) : holdsFor(store, slot, compare);
  }
  const slots = index.collectLive(key, endOf(compare.rangeEnd));
  if (slots.length === 0) return holdsForNothing(compare);
  return slots.every((slot) => holdsFor(store, slot, compare));
}

function holdsForNothing(compare: Compare): boolean {
  if (compare.target === CompareTarget.Value) return false;
  return satisfies(compare, compareFields(compare, 0, 0, 0, 0, 0));
}

function holdsFor(store: MvccStore, slot: number, compare: Compare): boolean {
  const { slots } = store.index;
  if (compare.target === CompareTarget.Value) {
    const wanted = compare.operand === CompareOperand.Value ? compare.value : emptyBytes;
    const { value } = store.rows.read(slots.ref(slot));
    return satisfies(compare, compareBytes(value, wanted));
  }
  // Only the lease is not in the index.
  const needsRow = compare.target === CompareTarget.Lease;
  const row = needsRow ? store.rows.read(slots.ref(slot)) : null;
  const order = compareFields(
    compare,
    slots.version(slot),
    slots.createRevision(slot),
    slots.main(slot),
    row?.leaseHigh ?? 0,
    row?.leaseLow ?? 0,
  );
  return satisfies(compare, order);
}

// An operand of another kind than the target counts as zero.
function compareFields(
  compare: Compare,
  version: number,
  createRevision: number,
  modRevision: number,
  leaseHigh: number,
  leaseLow: number,
): number {
  const { operand, number } = compare;
  switch (compare.target) {
    case CompareTarget.Version:
      return version - (operand === CompareOperand.Version ? number : 0);
    case CompareTarget.Create:
      return createRevision - (operand === CompareOperand.Create ? number : 0);
    case CompareTarget.Mod:
      return modRevision - (operand === CompareOperand.Mod ? number : 0);
    case CompareTarget.Lease: {
      const given = operand === CompareOperand.Lease;
      // Halves of a signed 64-bit number: the high ones decide, as signed.
      const high = (leaseHigh | 0) - (given ? compare.leaseHigh | 0 : 0);
      return high !== 0 ? high : leaseLow - (given ? compare.leaseLow : 0);
    }
    default:
      return 0;
  }
}

function satisfies(compare: Compare, order: number): boolean {
  switch (compare.result) {
    case CompareResult.Equal:
      return order === 0;
    case CompareResult.NotEqual:
      return order !== 0;
    case CompareResult.Greater:
      return order > 0;
    case CompareResult.Less:
      return order < 0;
    default:
      return true;
  }
}
