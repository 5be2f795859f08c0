// `quorate del KEY [RANGE_END]`: how many keys went, and with --prev-kv which.
import {
  decodeDeleteRangeResponse,
  DeleteRangeRequest,
  encodeDeleteRangeRequest,
} from "@quorate/kv";
import { decoded } from "./answer.ts";
import type { ClusterClient } from "./cluster-client.ts";
import { keyRange } from "./key-range.ts";
import type { KeyRangeOptions } from "./key-range.ts";
import { keyValueLines, print } from "./print.ts";

export interface DelOptions extends KeyRangeOptions {
  readonly prevKv: boolean;
}

export async function del(
  client: ClusterClient,
  key: string,
  rangeEnd: string | undefined,
  options: DelOptions,
): Promise<void> {
  const request = new DeleteRangeRequest({
    ...keyRange(key, rangeEnd, options),
    prevKv: options.prevKv,
  });
  const answer = await client.call(
    "/etcdserverpb.KV/DeleteRange",
    encodeDeleteRangeRequest(request),
  );
  const { deleted, prevKvs } = decoded(decodeDeleteRangeResponse(answer));
  print(`${deleted}\n`);
  print(Buffer.concat(prevKvs.map((kv) => keyValueLines(kv, false))));
}
