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

/** Everything under a prefix, or why not. */
export async function getAll(
  client: GrpcClient,
  prefix: string,
  serializable: boolean = false,
): Promise<Map<string, string> | string> {
  const key = Buffer.from(prefix);
  const rangeEnd = Buffer.from(key);
  rangeEnd[rangeEnd.length - 1]! += 1;
  const request = encodeRangeRequest(new RangeRequest({ key, rangeEnd, serializable }));
  const result = await client.call("/etcdserverpb.KV/Range", request, callTimeoutMs);
  const response = result.message === null ? null : decodeRangeResponse(result.message);
  if (result.code !== GrpcCode.Ok || response === null) {
    return result.text || `gRPC code ${result.code}`;
  }
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
  return new Map(response.kvs.map((kv) => [text(kv.key), text(kv.value)]));
}
