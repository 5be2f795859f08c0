// Twenty damaged files, one after the other: each member is whole again without an operator, or stops
// with a clear message where the table of reliability.md §3.3 says so. Two hundred: tests/long.
import { test } from "node:test";
import { withCluster } from "./cluster.ts";
import { runDamage } from "./damage-run.ts";

test("twenty damaged files: whole again by itself, or a clear stop", async () => {
  const flags = ["--checkpoint-interval=500", "--heartbeat-interval=50", "--election-timeout=500"];
  await withCluster({ flags }, (cluster) => runDamage(cluster, 20, 20));
});
