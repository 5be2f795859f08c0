// etcd's rules for compares and ranges, as far as the answers of one moment show them.
import { latin1Decode as textOf } from "@quorate/base";
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type RangeRequest,
  SortOrder,
  SortTarget,
} from "@quorate/kv";
import { leaseNumber } from "../model/lease-number.ts";

/** A key that is there. */
export interface Life {
  readonly value: string;
  readonly version: number;
  readonly create: number;
  readonly mod: number;
  /** 0: none. */
  readonly lease: number;
}

/** `live`: all named keys that are there. None counts as one with 0 in everything, but has no value. */
export function holds(compare: Compare, live: readonly Life[]): boolean {
  if (live.length > 0) return live.every((life) => holdsFor(compare, life));
  return compare.target !== CompareTarget.Value && holdsFor(compare, absent);
}

const absent: Life = { value: "", version: 0, create: 0, mod: 0, lease: 0 };

function holdsFor(compare: Compare, life: Life): boolean {
  const { result, target, number } = compare;
  if (target === CompareTarget.Lease) {
    return isResult(result, life.lease - leaseNumber(compare.leaseHigh, compare.leaseLow));
  }
  if (target !== CompareTarget.Value) return isResult(result, numberOf(target, life) - number);
  const value = textOf(compare.value);
  return isResult(result, life.value < value ? -1 : life.value > value ? 1 : 0);
}

function numberOf(target: CompareTarget, { version, create, mod }: Life): number {
  if (target === CompareTarget.Version) return version;
  return target === CompareTarget.Create ? create : mod;
}

function isResult(result: CompareResult, order: number): boolean {
  if (result === CompareResult.Equal) return order === 0;
  if (result === CompareResult.NotEqual) return order !== 0;
  return result === CompareResult.Greater ? order > 0 : order < 0;
}

// ---- ranges ---------------------------------------------------------------------------------------

export function isWithin(request: RangeRequest, { create, mod }: Life): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const lies = (revision: number, min: number, max: number): boolean =>
    revision >= min && (max === 0 || revision <= max);
  return (
    lies(mod, minModRevision, maxModRevision) && lies(create, minCreateRevision, maxCreateRevision)
  );
}

export function isInOrderOfKeys({ sortOrder, sortTarget }: RangeRequest): boolean {
  return sortTarget === SortTarget.Key && sortOrder !== SortOrder.Descend;
}
