// Debian's etcdctl against Quorate and against a real etcd, command by command: output and exit code
// must be equal but for ids, ports, versions, times and sizes. Method: both clusters are fresh, so
// revisions agree; what may differ is replaced by a name before the comparison.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcClient } from "@quorate/grpc";
import { AlarmType as alarmTypes } from "@quorate/kv";
import { etcd as pb } from "@quorate/proto";
import { TestCluster } from "./cluster.ts";
import { runQuorate } from "./entry.ts";
import { EtcdCluster, etcdMissing } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { runTool } from "./run-tool.ts";
import type { Outcome } from "./run-tool.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED tests with etcdctl: ${missing}\n\n`);
const skip = missing ?? false;

function etcdctl(addresses: string, argv: readonly string[], input: string): Promise<Outcome> {
  return runTool("etcdctl", [`--endpoints=${addresses}`, ...argv], input);
}

let quorate: TestCluster;
let etcd: EtcdCluster;

before(async () => {
  if (skip !== false) return;
  etcd = await EtcdCluster.start(3);
  quorate = await TestCluster.make();
  quorate.start();
  await quorate.ready();
  await eventually("etcd serves", async () => {
    const all = etcd.addresses.map((a) => etcdctl(a, ["get", "nothing"], ""));
    return (await Promise.all(all)).every(({ code }) => code === 0);
  });
});

after(async () => {
  if (skip !== false) return;
  await quorate.close();
  await etcd.close();
});

function addressesOf(side: "quorate" | "etcd"): readonly string[] {
  return side === "etcd" ? etcd.addresses : quorate.members.map((m) => m.address);
}

/** Names in place of what belongs to one cluster alone. */
function plain(side: "quorate" | "etcd", text: string): string {
  let result = text;
  addressesOf(side).forEach((address, at) => {
    const peer = address.replace(/\d+$/, (port) => String(Number(port) + 1));
    result = result.replaceAll(address, `CLIENT${at + 1}`).replaceAll(peer, `PEER${at + 1}`);
  });
  return (
    result
      .replace(/"ts":"[^"]*"/g, '"ts":TIME')
      .replace(/endpoint:\/\/client-[-0-9a-f]+\/CLIENT\d(?:,CLIENT\d)*/g, "CLIENT")
      .replace(/took = [0-9.]+[µm]?s/g, "took = TIME")
      .replace(/"(cluster_id|member_id|ID|leader)":\d+/g, '"$1":ID')
      .replace(/"(raft_term|raftTerm|raftIndex|raftAppliedIndex)":\d+/g, '"$1":N')
      .replace(/"(dbSize|dbSizeInUse)":\d+/g, '"$1":SIZE')
      .replace(/"version":"[^"]*"/g, '"version":VERSION')
      // etcd 3.4 sends no header here, 3.5 does.
      .replace(/"header":\{[^}]*\},"alarms"/, '"alarms"')
      .replace(/^("(?:ID|ClusterID|MemberID|RaftTerm)" :) \d+$/gm, "$1 ID")
      .replace(/\b[0-9a-f]{13,16}\b/g, "ID")
  );
}

async function both(argv: readonly string[], input: string, at: number | null): Promise<Outcome[]> {
  const run = async (side: "quorate" | "etcd"): Promise<Outcome> => {
    const all = addressesOf(side);
    const addresses = at === null ? all.join(",") : all[at % all.length]!;
    const { code, out, err } = await etcdctl(addresses, argv, input);
    return { code, out: plain(side, out), err: plain(side, err) };
  };
  return Promise.all([run("quorate"), run("etcd")]);
}

/** Runs every command on both, each at the next of the three endpoints; yields Quorate's outcomes. */
async function same(rows: readonly (readonly [string, string?])[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [at, [line, input = ""]] of rows.entries()) {
    const argv = line.split(" ").map((word) => (word === "''" ? "" : word));
    const [ours, theirs] = await both(argv, input, at);
    deepEqual(ours, theirs, `etcdctl ${line}`);
    outcomes.push(ours!);
  }
  return outcomes;
}

test(
  "put: plain, from standard input, previous value, without value, and what is refused",
  { skip },
  async () => {
    const outcomes = await same([
      ["put foo bar"],
      ["put foo bar2 --prev-kv"],
      ["put empty ''"],
      ["put piped", "from standard input\nwith two lines\n"],
      ["put foo --ignore-value"],
      ["put missing --ignore-value"],
      ["put '' value"],
      ["put foo bar3 -w json"],
      ["put foo bar4 -w fields"],
      ["put leased value --lease=1234abcd"],
      ["put large", "x".repeat(1_600_000)],
      ["put k1 a"],
      ["put k2 c"],
      ["put k3 b"],
      ["put k2 d"],
      ["put k4 a"],
    ]);
    equal(outcomes[0]!.out, "OK\n");
    match(outcomes[6]!.err, /Error: etcdserver: key is not provided/);
  },
);

test(
  "get: key, range, prefix, revision, order, limits, formats, and what is refused",
  { skip },
  async () => {
    const outcomes = await same([
      ["get foo"],
      ["get nothing"],
      ["get piped"],
      ["get k1 k4"],
      ["get --prefix k"],
      ["get --prefix ''"],
      ["get --from-key k3"],
      ["get --prefix k --limit=2"],
      ["get --prefix k --keys-only"],
      ["get --prefix k --print-value-only"],
      ["get --prefix k --order=DESCEND"],
      ["get --prefix k --sort-by=CREATE --order=ASCEND"],
      ["get --prefix k --sort-by=MODIFY"],
      ["get --prefix k --sort-by=VALUE --order=DESCEND"],
      ["get --prefix k --sort-by=VERSION"],
      ["get --prefix k --hex"],
      ["get --prefix k -w json"],
      ["get --prefix k -w fields"],
      ["get --prefix k --limit=1 -w json"],
      ["get foo --rev=2"],
      ["get foo --rev=3 -w json"],
      ["get --prefix k --rev=9"],
      ["get foo --rev=1000"],
      ["get foo --consistency=s --rev=2"],
    ]);
    equal(outcomes[0]!.out, "foo\nbar4\n");
    match(outcomes[22]!.err, /required revision is a future revision/);
  },
);

test("txn: both branches, every kind of compare, and what is refused", { skip }, async () => {
  const outcomes = await same([
    ["txn", 'value("foo") = "bar4"\n\nput t1 yes\nget foo\n\nput t1 no\n\n'],
    ["txn", 'value("foo") = "other"\n\nput t1 yes\n\nput t1 no\nget t1\n\n'],
    ["txn", 'mod("t1") > "3"\n\nget t1\n\n\n'],
    ["txn", 'create("t9") = "0"\n\nput t9 created\n\nget t9\n\n'],
    ["txn", 'version("t9") = "1"\n\ndel t9\n\nget t9\n\n'],
    ["txn", 'version("t9") < "0"\n\nget k1\n\nget k2\n\n'],
    ["txn -w json", 'value("foo") = "bar4"\n\nput t2 a\nget --prefix k\ndel k9\n\n\n'],
    ["txn", "\n\nput same a\nput same b\n\n\n"],
    ["txn", "\n\nput '' a\n\n\n"],
    ["txn", "\n\n\n\n"],
    ["get --prefix t"],
  ]);
  match(outcomes[0]!.out, /^SUCCESS\n/);
  match(outcomes[1]!.out, /^FAILURE\n/);
  match(outcomes[7]!.err, /duplicate key given in txn request/);
});

test("del: key, range, prefix, previous values, what is not there", { skip }, async () => {
  const outcomes = await same([
    ["put d1 1"],
    ["put d2 2"],
    ["put d3 3"],
    ["put d4 4"],
    ["del d1"],
    ["del d1"],
    ["del d2 d3 --prev-kv"],
    ["del --prefix d --prev-kv"],
    ["del --prefix d"],
    ["put z1 1"],
    ["put z2 2"],
    ["del --from-key z -w json"],
    ["del ''"],
    ["get --prefix d"],
  ]);
  deepEqual(
    outcomes.slice(4, 9).map(({ out }) => out),
    ["1\n", "0\n", "1\nd2\n2\n", "2\nd3\n3\nd4\n4\n", "0\n"],
  );
});

test("compaction: what went, what stays, what is refused", { skip }, async () => {
  const outcomes = await same([
    ["compaction 6"],
    ["get foo --rev=5"],
    ["get foo --rev=6"],
    ["compaction 6"],
    ["compaction 3"],
    ["compaction 100000"],
    ["compaction --physical 9"],
    ["get foo --rev=8"],
    ["get --prefix k --rev=9"],
    ["get --prefix ''"],
    ["put after compaction"],
    ["get after -w json"],
  ]);
  equal(outcomes[0]!.out, "compacted revision 6\n");
  match(outcomes[1]!.err, /required revision has been compacted/);
});

test("alarms: listed, what they refuse, disarmed", { skip }, async () => {
  const member = "1311768467463790320";
  const raise = async (alarm: string): Promise<void> => {
    const [theirs, ours] = await Promise.all([
      raiseByGateway(etcd.addresses[0]!, member, alarm),
      raiseByGateway(quorate.members[0]!.address, member, alarm),
    ]);
    deepEqual(ours, theirs);
    // Every member has applied it: asked at each.
    await same([["alarm list"], ["alarm list"], ["alarm list"]]);
  };
  await raise("NOSPACE");
  const full = await same([
    ["put a1 refused"],
    ["put a1 refused --prev-kv"],
    ["get --prefix k"],
    ["get after"],
    ["txn", "\n\nput a1 refused\n\n\n\n"],
    ["txn", "\n\nget after\n\nput a1 refused\n\n"],
    ["txn", "\n\nget after\n\n\n\n"],
    ["txn", "\n\ndel z9\nget after\n\n\n\n"],
    ["put '' refused"],
    ["put after --ignore-value"],
    ["put missing --ignore-value"],
    ["del k1"],
    ["compaction 15"],
    ["compaction 15"],
    ["alarm list"],
    ["alarm list -w json"],
  ]);
  match(full[0]!.err, /Error: etcdserver: mvcc: database space exceeded/);
  deepEqual([full[0]!.code, full[4]!.code, full[11]!.out], [1, 1, "1\n"]);
  equal(full[14]!.out, `memberID:${member} alarm:NOSPACE \n`);
  const [ours, theirs] = await both(["endpoint", "status", "-w", "json"], "", null);
  deepEqual(shape(ours!), shape(theirs!));
  match(ours!.out, new RegExp(`"errors":\\["memberID:${member} alarm:NOSPACE "\\]`));
  for (const { address } of quorate.members) {
    equal((await fetch(`http://${address}/health`)).status, 503);
    equal((await fetch(`http://${address}/health?exclude=NOSPACE`)).status, 200);
  }
  await same([
    ["alarm disarm"],
    ["alarm list"],
    ["put a1 accepted"],
    ["put a1 accepted"],
    ["alarm disarm"],
    ["get a1 -w json"],
  ]);

  await raise("CORRUPT");
  const corrupt = await same([
    ["put a1 refused"],
    ["get a1"],
    ["get a1 --consistency=s"],
    ["del a1"],
    ["txn", "\n\nput a1 refused\n\n\n\n"],
    ["txn", "\n\nget a1\n\n\n\n"],
    ["compaction 16"],
    ["alarm list"],
    ["alarm disarm"],
    ["alarm list"],
    ["del a1"],
  ]);
  match(corrupt[0]!.err, /Error: etcdserver: corrupt cluster/);
  equal(corrupt[7]!.out, `memberID:${member} alarm:CORRUPT \n`);
});

/** No command of etcdctl raises an alarm; the gateway does. */
async function raiseByGateway(address: string, memberID: string, alarm: string): Promise<string[]> {
  const body = JSON.stringify({ action: "ACTIVATE", memberID, alarm });
  const url = `http://${address}/v3/maintenance/alarm`;
  const answer = (await (await fetch(url, { method: "POST", body })).json()) as {
    readonly alarms?: readonly { readonly memberID: string; readonly alarm: string }[];
  };
  return (answer.alarms ?? []).map((one) => `${one.memberID} ${one.alarm}`);
}

/** By the number of its kind, which may be one of ours; the alarm in its answer. */
async function raise(address: string, memberID: string, type: number): Promise<string> {
  const request = create(pb.AlarmRequestSchema, {
    action: pb.AlarmRequest_AlarmAction.ACTIVATE,
    memberID: BigInt(memberID),
    alarm: type,
  });
  const client = new GrpcClient(address);
  const bytes = toBinary(pb.AlarmRequestSchema, request);
  const { message } = await client.call("/etcdserverpb.Maintenance/Alarm", bytes, 5000);
  client.close();
  const { alarms } = fromBinary(pb.AlarmResponseSchema, message!);
  return alarms.map((one) => `${one.memberID} ${one.alarm}`).join();
}

test("endpoint health, status and hashkv, member list", { skip }, async () => {
  // Every member has applied everything: asked by a linearizable read at each.
  await same([["get foo"], ["get foo"], ["get foo"]]);
  const lists = await same([
    ["endpoint health"],
    ["endpoint health"],
    ["endpoint health"],
    ["endpoint hashkv"],
    ["endpoint hashkv"],
    ["endpoint hashkv"],
    ["endpoint hashkv --rev=12 -w json"],
  ]);
  match(lists[0]!.out + lists[0]!.err, /is healthy: successfully committed proposal/);

  // Sorted by ids, which differ: the same lines, each cluster in its own order.
  for (const line of ["member list", "member list -w table", "member list -w fields"]) {
    const [ours, theirs] = await both(line.split(" "), "", 1);
    deepEqual(sortedLines(ours!), sortedLines(theirs!), line);
  }
  const raw = await etcdctl(quorate.members[0]!.address, ["member", "list"], "");
  const ids = raw.out.split("\n").map((line) => line.split(",")[0]!);
  const ascending = ids.slice(0, -1).map((id) => id.padStart(16, "0"));
  deepEqual(ascending, ascending.toSorted());

  for (const argv of [
    ["member", "list", "-w", "json"],
    ["endpoint", "status", "-w", "json"],
  ]) {
    const [ours, theirs] = await both(argv, "", null);
    deepEqual(shape(ours!), shape(theirs!), argv.join(" "));
  }
  const [table, reference] = await both(["endpoint", "status", "-w", "table"], "", null);
  equal(table!.code, 0);
  equal(columns(table!.out), columns(reference!.out));
  const [all] = await both(["endpoint", "health", "--cluster"], "", 0);
  equal(all!.code, 0);
});

test(
  "endpoints given with their scheme: what dials each of them alone works too",
  { skip },
  async () => {
    for (const side of ["etcd", "quorate"] as const) {
      const endpoints = addressesOf(side).map((address) => `http://${address}`);
      for (const command of ["status", "hashkv", "health"]) {
        const { code, out, err } = await etcdctl(endpoints.join(), ["endpoint", command], "");
        equal(code, 0, `${side} ${command}: ${err}`);
        // etcdctl 3.4 writes what it says of health to standard error.
        for (const endpoint of endpoints) {
          match(out + err, new RegExp(`^${endpoint}(,| is healthy)`, "m"));
        }
      }
    }
  },
);

test("defrag, move-leader and version", { skip }, async () => {
  await same([["defrag"], ["version"]]);
  // It looks for the leader among the endpoints, and that is anyone's turn.
  for (const target of ["1234", "nonsense"]) {
    const [ours, theirs] = await both(["move-leader", target], "", null);
    deepEqual(ours, theirs, target);
  }
  const outcomes = await Promise.all((["quorate", "etcd"] as const).map(moveLeader));
  deepEqual(outcomes[0], outcomes[1]);
  match(outcomes[0]![0]!.out, /^Leadership transferred from ID to ID\n$/);
});

/** Moves it to one that does not lead, and asks again where that one is not among the endpoints. */
async function moveLeader(side: "quorate" | "etcd"): Promise<Outcome[]> {
  const all = addressesOf(side).join(",");
  const leads = async (): Promise<{ leader: string; members: string[] }> => {
    const { out } = await etcdctl(all, ["endpoint", "status", "-w", "json"], "");
    const members = [...out.matchAll(/"member_id":(\d+)/g)].map((found) => found[1]!);
    return { leader: /"leader":(\d+)/.exec(out)![1]!, members };
  };
  const { leader, members } = await leads();
  const at = members.findIndex((id) => id !== leader);
  const target = BigInt(members[at]!).toString(16);
  const moved = await etcdctl(all, ["move-leader", target], "");
  await eventually("it leads", async () => (await leads()).leader === members[at]);
  const rest = addressesOf(side).filter((_, i) => i !== at);
  const nobody = await etcdctl(rest.join(","), ["move-leader", target], "");
  const defrag = await etcdctl(all, ["defrag", "--cluster"], "");
  return [moved, nobody, defrag].map(({ code, out, err }) => ({
    code,
    // In an order of ids.
    out: plain(side, out).replace(/CLIENT\d/g, "CLIENT"),
    err: plain(side, err).replace(/CLIENT\d/g, "CLIENT"),
  }));
}

test("an endpoint where nobody listens: the same words and exit code", { skip }, async () => {
  const outcomes = await Promise.all(
    ["get", "put"].map((word) =>
      etcdctl(
        "127.0.0.1:1",
        ["--command-timeout=1s", word, "a", ...(word === "put" ? ["b"] : [])],
        "",
      ),
    ),
  );
  for (const { code, err } of outcomes) {
    equal(code, 1);
    match(err, /context deadline exceeded/);
  }
});

test(
  "alarms that etcd has no name for: not in its list, and taken back by ours",
  { skip },
  async () => {
    const { address } = quorate.members[0]!;
    const environment = { ETCDCTL_ENDPOINTS: address };
    const type = alarmTypes.DiskFailing;
    equal(await raise(address, "7", type), "7 101");
    const errors = await etcdctl(address, ["endpoint", "status", "-w", "json"], "");
    match(errors.out, /"errors":\["memberID:7 alarm:DISK_FAILING "\]/);
    equal((await etcdctl(address, ["alarm", "list"], "")).out, "");
    equal((await etcdctl(address, ["alarm", "disarm"], "")).out, "");
    equal((await etcdctl(address, ["put", "after", "all"], "")).out, "OK\n");
    equal((await fetch(`http://${address}/health`)).status, 200);
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    const line = 'quorate_alarm_active{type="DISK_FAILING",member_id="0000000000000007"} 1';
    equal(metrics.includes(line), true);
    const listed = await runQuorate(["alarms", "list"], environment);
    match(listed.stdout, /^DISK_FAILING +0000000000000007 .* by hand/m);
    const other = await runQuorate(["alarms", "disarm", "NOSPACE"], environment);
    deepEqual([other.code, other.stdout], [0, ""]);
    const wrong = await runQuorate(["alarms", "disarm", "DISK"], environment);
    deepEqual([wrong.code, wrong.stdout], [64, ""]);
    const disarmed = await runQuorate(["alarms", "disarm"], environment);
    equal(disarmed.stdout, "disarmed DISK_FAILING of 0000000000000007\n");
    equal((await runQuorate(["alarms", "list"], environment)).stdout, "");
  },
);

/** The rows of JSON output, in the order of the endpoints or names, values of one cluster replaced. */
function shape({ code, out }: Outcome): unknown {
  const parsed = JSON.parse(out.replace(/:(ID|N|SIZE|VERSION)\b/g, ':"$1"')) as unknown;
  const rows = Array.isArray(parsed) ? parsed : (parsed as { members: unknown[] }).members;
  return { code, rows: [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

function sortedLines({ code, out, err }: Outcome): unknown {
  // An id may be a digit shorter, and its column with it.
  const lines = out.split("\n").map((line) => line.replace(/ +/g, " ").replace(/-+/g, "-"));
  return { code, lines: lines.sort(), err };
}

function columns(text: string): string {
  return text.split("\n")[1]!.replace(/\s+/g, " ");
}
