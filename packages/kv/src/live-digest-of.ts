// The live digest (DESIGN.md 14): the rows' set hash, the revision and clock, and the tables.
import { latin1Encode } from "@quorate/base";
import type { Hasher } from "./digest.ts";
import type { Digest } from "./kv-api.ts";
import type { StoreNumbers } from "./mvcc/store.ts";
import type { ReplicatedTable } from "./table.ts";

const PURPOSE_LIVE = 4;

export type LiveNumbers = Pick<StoreNumbers, "revision" | "hlc" | "digestLow" | "digestHigh">;

export function liveDigestOf(
  hasher: Hasher,
  numbers: LiveNumbers,
  tables: readonly ReplicatedTable[],
): Digest {
  hasher.reset(PURPOSE_LIVE);
  hasher.word(numbers.digestLow);
  hasher.word(numbers.digestHigh);
  hasher.number(numbers.revision);
  hasher.number(numbers.hlc);
  for (const table of tables) {
    const { low, high } = table.digest();
    // Empty, and maybe younger than the state: as if it were not there.
    if (low === 0 && high === 0) continue;
    hasher.bytes(latin1Encode(table.name));
    hasher.word(low);
    hasher.word(high);
  }
  hasher.finish();
  return { low: hasher.low, high: hasher.high };
}
