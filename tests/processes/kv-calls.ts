// The KV calls that tests make, over a connection that is kept.
import {
  CompactionRequest,
  decodeRangeResponse,
  encodeCompactionRequest,
  encodePutRequest,
  encodeRangeRequest,
  PutRequest,
  RangeRequest,
} from "@quorate/kv";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcClient, GrpcResult } from "@quorate/grpc";

const callTimeoutMs = 10_000;

export function put(
  client: GrpcClient,
  key: string,
  value: string,
  timeoutMs: number = callTimeoutMs,
): Promise<GrpcResult> {
  const request = new PutRequest({ key: Buffer.from(key), value: Buffer.from(value) });
  return client.call("/etcdserverpb.KV/Put", encodePutRequest(request), timeoutMs);
}

export function compact(client: GrpcClient, revision: number): Promise<GrpcResult> {
  const request = encodeCompactionRequest(new CompactionRequest({ revision }));
  return client.call("/etcdserverpb.KV/Compact", request, callTimeoutMs);
}

/** Everything under a prefix as of one revision, page by page; or why not. */
export async function getAll(
  client: GrpcClient,
  prefix: string,
  serializable: boolean = false,
): Promise<Map<string, string> | string> {
  let key = Buffer.from(prefix);
  const rangeEnd = Buffer.from(key);
  rangeEnd[rangeEnd.length - 1]! += 1;
  const found = new Map<string, string>();
  for (let revision = 0; ;) {
    const page = new RangeRequest({ key, rangeEnd, serializable, revision, limit: pageKeys });
    const path = "/etcdserverpb.KV/Range";
    const result = await client.call(path, encodeRangeRequest(page), callTimeoutMs);
    const response = result.message === null ? null : decodeRangeResponse(result.message);
    if (result.code !== GrpcCode.Ok || response === null) {
      return result.text || `gRPC code ${result.code}`;
    }
    for (const kv of response.kvs) found.set(textOf(kv.key), textOf(kv.value));
    if (!response.more) return found;
    revision = response.header.revision;
    key = Buffer.concat([response.kvs.at(-1)!.key, Buffer.alloc(1)]);
  }
}

const pageKeys = 10_000;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
