// `quorate get KEY [RANGE_END]`: keys and values in etcdctl's simple format.
import {
  decodeRangeResponse,
  encodeRangeRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
} from "@quorate/kv";
import { UsageError } from "../exit.ts";
import { decoded } from "./answer.ts";
import type { ClusterClient } from "./cluster-client.ts";
import { keyRange } from "./key-range.ts";
import type { KeyRangeOptions } from "./key-range.ts";
import { keyValueLines, print } from "./print.ts";

export interface GetOptions extends KeyRangeOptions {
  readonly rev: number;
  readonly limit: number;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly printValueOnly: boolean;
  readonly consistency: string;
  readonly order: string;
  readonly sortBy: string;
}

const orders: ReadonlyMap<string, SortOrder> = new Map([
  ["", SortOrder.None],
  ["ASCEND", SortOrder.Ascend],
  ["DESCEND", SortOrder.Descend],
]);

const targets: ReadonlyMap<string, SortTarget> = new Map([
  ["", SortTarget.Key],
  ["KEY", SortTarget.Key],
  ["CREATE", SortTarget.Create],
  ["MODIFY", SortTarget.Mod],
  ["VALUE", SortTarget.Value],
  ["VERSION", SortTarget.Version],
]);

export async function get(
  client: ClusterClient,
  key: string,
  rangeEnd: string | undefined,
  options: GetOptions,
): Promise<void> {
  const request = encodeRangeRequest(rangeRequest(key, rangeEnd, options));
  const answer = await client.read("/etcdserverpb.KV/Range", request);
  const { kvs, count } = decoded(decodeRangeResponse(answer));
  if (options.countOnly) {
    print(`${count}\n`);
  } else {
    print(Buffer.concat(kvs.map((kv) => keyValueLines(kv, options.printValueOnly))));
  }
}

export function rangeRequest(
  key: string,
  rangeEnd: string | undefined,
  options: GetOptions,
): RangeRequest {
  if (options.consistency !== "l" && options.consistency !== "s") {
    throw new UsageError(`--consistency: "${options.consistency}" is neither l nor s`);
  }
  return new RangeRequest({
    ...keyRange(key, rangeEnd, options),
    revision: options.rev,
    limit: options.limit,
    keysOnly: options.keysOnly,
    countOnly: options.countOnly,
    serializable: options.consistency === "s",
    sortOrder: named("order", orders, options.order),
    sortTarget: named("sort-by", targets, options.sortBy),
  });
}

function named(flag: string, values: ReadonlyMap<string, number>, text: string): number {
  const value = values.get(text.toUpperCase());
  if (value === undefined) {
    const known = [...values.keys()].filter((name) => name !== "").join(", ");
    throw new UsageError(`--${flag}: "${text}" is none of ${known}`);
  }
  return value;
}
