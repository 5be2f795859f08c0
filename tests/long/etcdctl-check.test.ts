// etcdctl's own judgement of a cluster: `check perf` (a minute of puts at a fixed rate) and
// `check datascale` (memory for ten thousand keys of a kilobyte), by their smallest loads.
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { etcdctl } from "../processes/both-clusters.ts";
import { withCluster } from "../processes/cluster.ts";
import { etcdMissing } from "../processes/etcd-cluster.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED etcdctl check: ${missing}\n\n`);

test("check perf and check datascale, small", { skip: missing ?? false }, async (t) => {
  await withCluster({}, async (cluster) => {
    const run = async (addresses: string, line: string): Promise<string> => {
      const { code, out, err } = await etcdctl(addresses, line.split(" "));
      // Without the bar that says how far it is.
      const said = out.replace(/^.*\r/gm, "");
      t.diagnostic(said);
      equal(code, 0, said + err);
      return said;
    };
    const perf = await run(cluster.endpoints, "check perf --load=s");
    match(perf, /PASS: Throughput is \d+ writes\/s\n/);
    match(perf, /\nPASS\n$/);
    const { address } = cluster.members[0]!;
    const scale = await run(address, "check datascale --load=s");
    match(scale, /PASS: Approximate system memory used : [\d.]+ MB/);
    // Both take their keys away again.
    equal(await run(address, "get --prefix /etcdctl-check --keys-only"), "");
  });
});
