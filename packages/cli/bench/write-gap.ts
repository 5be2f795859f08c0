// How long clients cannot write when the leader dies: writers on the two other members, one call at a
// time each, trying again at once; the longest time between two successes of any of them.
import { encodePutRequest, PutRequest } from "@quorate/kv";
import { utf8Encode } from "@quorate/base";
import type { Cluster } from "./clusters.ts";
import { H2Client } from "@quorate/grpc/internal";

const runMs = 8000;
const killAfterMs = 1000;
/** A call without an answer by then counts as failed and is tried again on a new connection. */
const callTimeoutMs = 500;

/** Milliseconds; the killed member is started again afterwards. */
export async function measureGap(cluster: Cluster): Promise<number> {
  const leader = await cluster.leader();
  const others = cluster.endpoints.filter((_endpoint, at) => at !== leader);
  const endMs = performance.now() + runMs;
  const successes: number[] = [];
  const writers = others.map((endpoint) => writeUntil(endpoint, endMs, successes));
  await pause(killAfterMs);
  cluster.kill(leader);
  await Promise.all(writers);
  cluster.restart(leader);
  // The next leader must not die while this one still starts: that would measure starts.
  await cluster.whole();
  successes.sort((a, b) => a - b);
  let longest = 0;
  for (let at = 1; at < successes.length; at += 1) {
    longest = Math.max(longest, successes[at]! - successes[at - 1]!);
  }
  return longest;
}

async function writeUntil(endpoint: string, endMs: number, successes: number[]): Promise<void> {
  let client: H2Client | null = null;
  let count = 0;
  while (performance.now() < endMs) {
    if (client === null || client.closed) {
      client = await H2Client.connect(endpoint).catch(() => null);
      if (client === null) {
        await pause(10);
        continue;
      }
    }
    count += 1;
    const key = utf8Encode(`gap/${endpoint}`);
    const request = encodePutRequest(new PutRequest({ key, value: utf8Encode(String(count)) }));
    if (await callOnce(client, request)) {
      successes.push(performance.now());
    } else {
      await pause(2);
    }
  }
  client?.close();
}

function callOnce(client: H2Client, request: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), callTimeoutMs);
    client.call("/etcdserverpb.KV/Put", request, (ok) => {
      clearTimeout(timer);
      resolve(ok);
    });
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
