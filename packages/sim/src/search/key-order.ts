// Keys in order, and those of them that a request names.
import { latin1Decode as textOf } from "@quorate/base";

export interface Named {
  readonly key: Uint8Array;
  /** Empty: that key alone; "\0": all keys from there on. */
  readonly rangeEnd: Uint8Array;
}

/** Of the first key that is not less. */
export function placeOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Places of the named keys: from the first on, before the second. */
export function placesOf(keys: readonly string[], { key, rangeEnd }: Named): [number, number] {
  const text = textOf(key);
  const from = placeOf(keys, text);
  if (rangeEnd.length === 0) return [from, keys[from] === text ? from + 1 : from];
  const end = textOf(rangeEnd);
  return [from, end === "\0" ? keys.length : Math.max(from, placeOf(keys, end))];
}
