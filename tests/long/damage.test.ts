// Two hundred damaged files with real processes. Half of them with a log of several segments, so that one
// in the middle can go (row 9). Each case, how it ended and what it cost is told.
import { test } from "node:test";
import { utf8Encode } from "@quorate/base";
import { withCluster } from "../processes/cluster.ts";
import type { TestCluster } from "../processes/cluster.ts";
import { runDamage } from "../processes/damage-run.ts";
import type { DamageTold } from "../processes/damage-run.ts";
import { mib, processorMs } from "./footprint.ts";
import { makePuts } from "./puts.ts";

const flags = ["--checkpoint-interval=500", "--heartbeat-interval=50", "--election-timeout=500"];
const valueBytes = 8192;
const segments = 3;
const segmentMib = 64;
const calmMs = 60_000;
const measuredMs = 20_000;

test("a hundred damaged files of small members", async (t) => {
  await withCluster({ flags }, async (cluster) => {
    await runDamage(cluster, 1, 100, told(t));
    await tellProcessorShares(t, cluster);
  });
});

test("a hundred damaged files of members with a log of several segments", async (t) => {
  const catchup = "--snapshot-catchup-entries=100000";
  await withCluster({ flags: [...flags, catchup] }, async (cluster) => {
    const value = new Uint8Array(valueBytes);
    await makePuts(cluster, {
      count: (segments * segmentMib * 1_048_576) / valueBytes,
      inFlight: 64,
      key: (n) => utf8Encode(`log/${n % 100}`),
      value: (n) => value.fill(n % 251),
    });
    await runDamage(cluster, 2, 100, told(t));
    await tellProcessorShares(t, cluster);
  });
});

/** What is left to do after so much damage, a minute later: nothing. */
async function tellProcessorShares(
  t: { diagnostic(text: string): void },
  { members }: TestCluster,
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, calmMs));
  const before = members.map(({ pid }) => processorMs(pid));
  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  const shares = members.map(({ name, pid }, at) => {
    const share = (processorMs(pid) - before[at]!) / measuredMs;
    return `${name} ${(100 * share).toFixed(1)} %`;
  });
  t.diagnostic(`a minute later, of a core: ${shares.join(", ")} (should be ≤ 5 %)`);
}

function told(t: { diagnostic(text: string): void }): (told: DamageTold, at: number) => void {
  return ({ damage, end, receivedBytes, tookMs }, at) => {
    const { kind, file, detail } = damage;
    const took = `${(tookMs / 1000).toFixed(1)} s`;
    t.diagnostic(`${at}: ${file} ${kind} ${detail}: ${end}, ${took}, ${mib(receivedBytes)} came`);
  };
}
