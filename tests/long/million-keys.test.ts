// A million keys fit into a member's memory and do not make it slow to come back. Method: fill, look
// at the resident memory of every process, kill and start every member in its turn, look again.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { utf8Encode } from "@quorate/base";
import { withCluster } from "../processes/cluster.ts";
import type { TestCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { folderBytes, memoryOf, mib, restartMs } from "./footprint.ts";
import { makePuts } from "./puts.ts";

/** Smaller for a quick look: QUORATE_LONG_KEYS=100000. */
const keys = Number(process.env["QUORATE_LONG_KEYS"] ?? 1_000_000);
const valueBytes = 256;
const residentBytesMax = 800_000_000;

test("1 M keys of 256 B: at most 800 MB of memory a member, before and after a restart", async (t) => {
  await withCluster({}, async (cluster) => {
    const value = new Uint8Array(valueBytes);
    const result = await makePuts(cluster, {
      count: keys,
      inFlight: 256,
      key: keyOf,
      value: (n) => value.fill(n % 251),
    });
    t.diagnostic(`${keys} puts in ${result.seconds.toFixed(1)} s, ${result.failures} failed`);
    await cluster.equalDigests();
    await look(cluster, "filled", t.diagnostic.bind(t));
    for (const member of cluster.members) {
      await member.kill();
      const tookMs = await restartMs(member, keyOf(keys - 1));
      t.diagnostic(
        `${member.name}: first linearizable read ${tookMs.toFixed(0)} ms after its start`,
      );
      await cluster.ready();
    }
    await cluster.equalDigests();
    await look(cluster, "restarted", t.diagnostic.bind(t));
  });
});

async function look(
  cluster: TestCluster,
  when: string,
  print: (text: string) => void,
): Promise<void> {
  for (const member of cluster.members) {
    const status = await eventually("a status", () => member.status());
    const memory = memoryOf(member.pid);
    print(
      `${member.name} (${status.role}), ${when}: RSS ${mib(memory.bytes)}, peak ` +
        `${mib(memory.peakBytes)}; directory ${mib(folderBytes(member.directory))}; longest ` +
        `stall ${status.stallMaxMs} ms`,
    );
    equal(status.keys, BigInt(keys));
    ok(memory.bytes <= residentBytesMax, `${member.name} has ${mib(memory.bytes)} when ${when}`);
  }
}

function keyOf(n: number): Uint8Array {
  return utf8Encode(`million/${n}`);
}
