// KEY [RANGE_END] with --prefix and --from-key as the two byte strings of a request, as etcdctl has it.
import { UsageError } from "../exit.ts";

export interface KeyRangeOptions {
  readonly prefix: boolean;
  readonly fromKey: boolean;
}

export interface KeyRange {
  readonly key: Uint8Array;
  /** Empty: the key alone; "\0": everything from the key on; else exclusive. */
  readonly rangeEnd: Uint8Array;
}

const zero: Uint8Array = Uint8Array.of(0);

export function keyRange(
  key: string,
  rangeEnd: string | undefined,
  options: KeyRangeOptions,
): KeyRange {
  if (options.prefix && options.fromKey) {
    throw new UsageError("--prefix and --from-key cannot be set at the same time, choose one");
  }
  if (rangeEnd !== undefined && (options.prefix || options.fromKey)) {
    throw new UsageError("with --prefix or --from-key only one argument, the key, is accepted");
  }
  const bytes = Buffer.from(key, "utf8");
  if (options.prefix || options.fromKey) {
    const isAll = bytes.length === 0;
    return {
      key: isAll ? zero : bytes,
      rangeEnd: isAll || options.fromKey ? zero : prefixEnd(bytes),
    };
  }
  return { key: bytes, rangeEnd: Buffer.from(rangeEnd ?? "", "utf8") };
}

/** The first byte string after all that begin with the prefix: "ab" → "ac", "a\xff" → "b". */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last < 0) {
    return zero;
  }
  const end = Uint8Array.from(prefix.subarray(0, last + 1));
  end[last]! += 1;
  return end;
}
