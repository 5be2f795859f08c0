// What a member takes of the machine, seen from outside: bytes of its data directory and of its
// memory; and how long it takes to answer a first linearizable read after a start.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeRangeRequest, RangeRequest } from "@quorate/kv";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { eventually } from "../processes/eventually.ts";
import type { TestMember } from "../processes/member.ts";

const mebibyte = 1_048_576;
const readTimeoutMs = 1000;

/** Bytes that the files of a folder take on disk (blocks, not lengths: preallocated ones count). */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const stat = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (stat?.isFile() === true) bytes += Math.max(stat.size, stat.blocks * 512);
  }
  return bytes;
}

/** Resident memory now and its peak since the start of the process, from /proc. */
export function memoryOf(pid: number): { readonly bytes: number; readonly peakBytes: number } {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN) * 1024;
  return { bytes: field("VmRSS"), peakBytes: field("VmHWM") };
}

/** Processor time that a process has taken so far, of all its threads, from /proc. */
export function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // utime and stime, in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Starts a member and asks until it answers a linearizable read of `key`: ms from the start. */
export async function restartMs(member: TestMember, key: Uint8Array): Promise<number> {
  const request = encodeRangeRequest(new RangeRequest({ key }));
  const startedMs = performance.now();
  member.start();
  await eventually(`a linearizable read from ${member.name}`, async () => {
    // A connection of its own: the kept one backs off between its attempts.
    const client = new GrpcClient(member.address);
    const result = await client.call("/etcdserverpb.KV/Range", request, readTimeoutMs);
    client.close();
    return result.code === GrpcCode.Ok;
  });
  return performance.now() - startedMs;
}

export function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}
