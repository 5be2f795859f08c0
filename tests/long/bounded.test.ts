// Old revisions do not stay: the data directory of every member is bounded by what is alive and by
// what catching up needs, not by what was ever written. Method: puts over 1,000 keys, compacted every
// 10,000 revisions, sizes looked at all along; then every member is killed and started in its turn.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { utf8Encode } from "@quorate/base";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { compact } from "../processes/kv-calls.ts";
import { folderBytes, memoryOf, mib, restartMs } from "./footprint.ts";
import { makePuts } from "./puts.ts";

/** Smaller for a quick look: QUORATE_LONG_BYTES=100000000. */
const totalBytes = Number(process.env["QUORATE_LONG_BYTES"] ?? 2_000_000_000);
const valueBytes = 8192;
const keys = 1000;
const compactEvery = 10_000;
const directoryBytesMax = 512_000_000;
const lookEveryMs = 250;

test("2 GB of puts over 1,000 keys, compacted every 10,000 revisions: at most 512 MB a directory", async (t) => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const peak = new Map(cluster.members.map((member) => [member.name, 0]));
    const look = (): void => {
      for (const { name, directory } of cluster.members) {
        peak.set(name, Math.max(peak.get(name)!, folderBytes(directory)));
      }
    };
    const timer = setInterval(look, lookEveryMs);
    const compactions: Promise<number>[] = [];
    const value = new Uint8Array(valueBytes);
    const count = Math.ceil(totalBytes / valueBytes);
    const result = await makePuts(cluster, {
      count,
      inFlight: 64,
      key: keyOf,
      value: (n) => value.fill(n % 251),
      onAcknowledged: (acknowledged) => {
        // The n-th put has revision n + 1 at least.
        if (acknowledged % compactEvery === 0) {
          compactions.push(compact(leader.client, acknowledged).then(({ code }) => code));
        }
      },
    });
    clearInterval(timer);
    const codes = await Promise.all(compactions);
    ok(codes.every((code) => code === GrpcCode.Ok));
    look();
    t.diagnostic(`${count} puts in ${result.seconds.toFixed(1)} s, ${result.failures} failed`);
    for (const member of cluster.members) {
      const status = (await member.status())!;
      t.diagnostic(
        `${member.name}: directory ${mib(folderBytes(member.directory))}, at most ` +
          `${mib(peak.get(member.name)!)}; RSS ${mib(memoryOf(member.pid).bytes)}, peak ` +
          `${mib(memoryOf(member.pid).peakBytes)}; longest stall ${status.stallMaxMs} ms`,
      );
      ok(peak.get(member.name)! <= directoryBytesMax, `${member.name} took more`);
    }
    await cluster.equalDigests();
    for (const member of cluster.members) {
      await member.kill();
      t.diagnostic(
        `${member.name}: first linearizable read ${(await restartMs(member, keyOf(0))).toFixed(0)} ms after its start`,
      );
      await cluster.ready();
    }
    await cluster.equalDigests();
    const keysSeen = await eventually("keys are counted", async () => {
      const statuses = await cluster.statuses();
      return statuses.every((status) => status !== null) ? statuses.map((s) => s.keys) : null;
    });
    for (const seen of keysSeen) equal(seen, BigInt(Math.min(keys, count)));
    for (const { name, directory } of cluster.members) {
      ok(folderBytes(directory) <= directoryBytesMax, `${name} took more after its restart`);
    }
  });
});

function keyOf(n: number): Uint8Array {
  return utf8Encode(`bounded/${n % keys}`);
}
