// etcdctl's own judgement of a cluster: `check perf` (a minute of puts at a fixed rate) and
// `check datascale` (memory for ten thousand keys of a kilobyte), small, as on a real etcd beside it.
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { etcdctl } from "../processes/both-clusters.ts";
import { withCluster } from "../processes/cluster.ts";
import { etcdMissing } from "../processes/etcd-cluster.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED etcdctl check: ${missing}\n\n`);

test("check perf and check datascale, small", { skip: missing ?? false }, async (t) => {
  await withCluster({}, async (cluster) => {
    const perf = await etcdctl(
      cluster.endpoints,
      "check perf --load=s --command-timeout=120s".split(" "),
    );
    t.diagnostic(perf.out);
    match(perf.out, /PASS: Throughput/);
    match(perf.out, /\nPASS\n$/);
    equal(perf.code, 0);
    const scale = await etcdctl(cluster.members[0]!.address, ["check", "datascale", "--load=s"]);
    t.diagnostic(scale.out + scale.err);
    match(scale.out, /PASS: Approximate system memory used/);
    equal(scale.code, 0);
    equal(
      (await etcdctl(cluster.endpoints, ["get", "", "--prefix", "--count-only", "-w", "json"]))
        .code,
      0,
    );
  });
});
