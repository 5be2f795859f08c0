// `quorate put`, `get`, `del` and `status` against a real cluster: output, exit codes, endpoints that
// cannot be reached, and what `status` says when something is wrong. (etcdctl's own output is the
// measure: etcdctl.test.ts compares the same calls with a real etcd.)
import { deepEqual, equal, match } from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TestCluster, withCluster } from "./cluster.ts";
import { runQuorate } from "./entry.ts";
import type { Ended, Environment } from "./entry.ts";
import { eventually } from "./eventually.ts";

const nobody = "127.0.0.1:1";

interface StatusJson {
  readonly members: readonly {
    readonly name: string;
    readonly reachable: boolean;
    readonly role?: string;
    readonly lag?: number;
    readonly liveDigest?: string;
  }[];
  readonly problems: readonly string[];
}

test("put, get and del in etcdctl's simple format", async () => {
  await withCluster({ size: 1 }, async (cluster) => {
    const endpoints: Environment = { ETCDCTL_ENDPOINTS: cluster.endpoints };
    const run = (line: string, input: string = ""): Promise<Ended> =>
      runQuorate(line.split(" "), endpoints, input);
    const rows: [string, string, number, string][] = [
      ["put a 1", "", 0, "OK\n"],
      ["put ab", "two\nlines", 0, "OK\n"],
      ["put --prev-kv a 3", "", 0, "OK\na\n1\n"],
      ["put b -- -1", "", 0, "OK\n"],
      ["get a", "", 0, "a\n3\n"],
      ["get ab", "", 0, "ab\ntwo\nlines\n"],
      ["get nothing", "", 0, ""],
      ["get a b", "", 0, "a\n3\nab\ntwo\nlines\n"],
      ["get --prefix a --keys-only", "", 0, "a\n\nab\n\n"],
      ["get --prefix a --print-value-only", "", 0, "3\ntwo\nlines\n"],
      ["get --prefix a --count-only", "", 0, "2\n"],
      ["get --from-key ab --limit 1", "", 0, "ab\ntwo\nlines\n"],
      ["get --prefix a --order DESCEND --keys-only", "", 0, "ab\n\na\n\n"],
      ["get --prefix a --sort-by MODIFY --keys-only", "", 0, "ab\n\na\n\n"],
      ["get a --rev 2 --consistency s", "", 0, "a\n1\n"],
      ["del a --prev-kv", "", 0, "1\na\n3\n"],
      ["del --prefix a", "", 0, "1\n"],
      ["del --from-key a", "", 0, "1\n"],
      ["del a", "", 0, "0\n"],
    ];
    for (const [line, input, code, out] of rows) {
      const ended = await run(line, input);
      deepEqual([ended.code, ended.stdout, ended.stderr], [code, out, ""], line);
    }
    const future = await run("get a --rev 1000");
    equal(future.code, 1);
    equal(future.stderr, "Error: etcdserver: mvcc: required revision is a future revision\n");
    const empty = await runQuorate(["put", "", "x"], endpoints);
    equal(empty.code, 1);
    equal(empty.stderr, "Error: etcdserver: key is not provided\n");
    const next = await runQuorate(["get", "a", "--endpoints", `${nobody},${cluster.endpoints}`]);
    deepEqual([next.code, next.stderr], [0, ""], "the next endpoint was asked");
    const none = await runQuorate(["get", "a", "--endpoints", nobody]);
    deepEqual([none.code, none.stderr], [1, `Error: cannot reach ${nobody}: connection refused\n`]);
  });
});

test("status: a healthy cluster, a member that is down, no majority", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    await runQuorate(["put", "a", "1", "--endpoints", leader.address]);
    await cluster.equalDigests();
    const at = ["--endpoints", leader.address];

    const healthy = await runQuorate(["status", ...at]);
    deepEqual([healthy.code, healthy.stderr], [0, ""], healthy.stdout);
    const lines = healthy.stdout.trimEnd().split("\n");
    equal(lines.length, 4);
    match(lines[0]!, /^NAME +ROLE +TERM +COMMIT +APPLIED +LAG +LEADER +DIGEST$/);
    for (const line of lines) equal(line.length <= 80, true, line);
    const json = JSON.parse((await runQuorate(["status", "--json", ...at])).stdout) as StatusJson;
    deepEqual(json.problems, []);
    deepEqual(
      json.members.map(({ name, lag }) => [name, lag]),
      [
        ["m1", 0],
        ["m2", 0],
        ["m3", 0],
      ],
    );
    equal(new Set(json.members.map((m) => m.liveDigest)).size, 1);
    deepEqual(
      json.members.filter((m) => m.role === "leader").map((m) => m.name),
      [leader.name],
    );

    const [down, last] = cluster.members.filter((member) => member !== leader);
    await down!.kill();
    const told = await eventually("the leader misses it", async () => {
      const ended = await runQuorate(["status", ...at]);
      return ended.stdout.includes(`! ${leader.name} does not hear`) ? ended : null;
    });
    equal(told.code, 1);
    const refused = `! ${down!.name} does not answer at ${down!.address}: connection refused`;
    equal(told.stdout.split("\n").includes(refused), true, told.stdout);

    await last!.kill();
    const alone = await eventually("the last member knows no leader", async () => {
      const ended = await runQuorate(["status", ...at]);
      return ended.stdout.includes(`! ${leader.name} knows no leader`) ? ended : null;
    });
    equal(alone.code, 1);
    const write = await runQuorate(["put", "a", "2", ...at]);
    equal(write.code, 1);
    match(write.stderr, /^Error: etcdserver: no leader \(not heard: .*\)\n$/);
  });
});

test("status while the cluster is founded: who is missing, and that nobody serves", async () => {
  const cluster = await TestCluster.make();
  try {
    const first = cluster.members[0]!;
    first.start();
    const told = await eventually("it tells for whom it waits", async () => {
      const ended = await runQuorate(["status", "--endpoints", first.address]);
      return ended.stdout.includes("is in phase genesis") ? ended : null;
    });
    equal(told.code, 1);
    match(told.stdout, /^m1 +genesis /m);
    match(told.stdout, /^! m1 is not serving, it is in phase genesis: .*m2.*m3/m);
    match(told.stdout, /^! m2 does not answer: it has told no client URL yet$/m);
  } finally {
    await cluster.close();
  }
});

test("inspect: every part of a member's directory, running and stopped, and what damage does to it", async () => {
  await withCluster({ size: 1 }, async (cluster) => {
    const [member] = cluster.members;
    for (const value of ["1", "2", "3"]) {
      await runQuorate(["put", `key${value}`, value, "--endpoints", member!.address]);
    }
    const { directory } = member!;
    const inspect = (...argv: string[]): Promise<Ended> => runQuorate(["inspect", ...argv]);
    await eventually("a checkpoint holds all of them", async () =>
      (await inspect("rows", directory, "--all")).stdout.includes("key3"),
    );
    await member!.stop();
    const wal = await inspect("wal", directory);
    deepEqual([wal.code, wal.stderr], [0, ""]);
    match(wal.stdout, /^wal-0000000000000001\.log +\d+ +1-\d+ +good$/m);
    match(wal.stdout, /^verdict +clean$/m);
    const rows = await inspect("rows", directory, "--all");
    equal(rows.code, 0);
    match(rows.stdout, /^ {2}4\.0 {2}"key3" {2}1 bytes, created at 4, version 1$/m);
    const checkpoint = await inspect("checkpoint", directory, "--json");
    const json = JSON.parse(checkpoint.stdout) as { tables: { name: string }[] };
    deepEqual(
      json.tables.map(({ name }) => name),
      ["kv", "alarms", "leases", "auth", "downgrade", "membership", "settings"],
    );
    const segment = readdirSync(directory).find((name) => name.startsWith("rows-"))!;
    const bytes = readFileSync(join(directory, segment));
    bytes[64 + 68]! ^= 1;
    writeFileSync(join(directory, segment), bytes);
    const damaged = await inspect("rows", directory);
    equal(damaged.code, 72);
    match(damaged.stdout, /^! \S+: offset 64: CRC [0-9a-f]{8}, want [0-9a-f]{8}$/m);
    match(damaged.stdout, /keep the directory/);
    const none = await inspect("wal", `${directory}/none`);
    deepEqual([none.code, none.stdout], [64, ""]);
    match(none.stderr, /^quorate: \S+: there is no such directory, or it is not yours\n$/);
  });
});
