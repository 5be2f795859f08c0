// `quorate put KEY [VALUE]`: the value comes from standard input when it is missing, as it is.
import { decodePutResponse, encodePutRequest, PutRequest } from "@quorate/kv";
import { decoded } from "./answer.ts";
import type { ClusterClient } from "./cluster-client.ts";
import { keyValueLines, print } from "./print.ts";

export interface PutOptions {
  readonly prevKv: boolean;
}

export async function put(
  client: ClusterClient,
  key: string,
  value: string | undefined,
  options: PutOptions,
): Promise<void> {
  const bytes = value === undefined ? await readAll(process.stdin) : Buffer.from(value, "utf8");
  const request = new PutRequest({
    key: Buffer.from(key, "utf8"),
    value: bytes,
    prevKv: options.prevKv,
  });
  const answer = await client.call("/etcdserverpb.KV/Put", encodePutRequest(request));
  const { prevKv } = decoded(decodePutResponse(answer));
  print("OK\n");
  if (prevKv !== null) {
    print(keyValueLines(prevKv, false));
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
