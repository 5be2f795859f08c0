// From settings to a member's options: defaults, etcd's ids, relations between values, and the line
// for each wrong one.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import type { MemberOptions } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { resolveMember } from "./resolve.ts";
import { gatherSettings } from "./settings.ts";

function resolve(...argv: string[]): MemberOptions {
  return resolveMember(gatherSettings(argv, {}), false);
}

test("without a flag: etcd's defaults", () => {
  const { host, listenClient, listenPeer } = resolve();
  equal(host.directory, "default.quorate");
  deepEqual(listenClient, [{ host: "127.0.0.1", port: 2379, secure: false }]);
  deepEqual(listenPeer, [{ host: "127.0.0.1", port: 2380, secure: false }]);
  deepEqual(host.clientUrls, ["http://localhost:2379"]);
  equal(host.electionTimeoutMs, 1000);
  equal(host.heartbeatIntervalMs, 100);
  equal(host.requestTimeoutMs, 7000);
  // The ids that every etcd with its default flags has.
  equal(host.memberId, "8e9e05c52164694d");
  equal(host.clusterId, "cdf818194e3a8c32");
});

test("a cluster of three: this member found by name, all addresses known", () => {
  const list = "a=http://127.0.0.1:1,b=http://127.0.0.1:2,c=http://127.0.0.1:3";
  const { host } = resolve("--name=b", `--initial-cluster=${list}`, "--listen-peer-urls", b);
  equal(host.members.length, 3);
  equal(host.members[1]!.memberId, host.memberId);
  deepEqual(
    host.members.map((m) => m.peerAddresses),
    [["127.0.0.1:1"], ["127.0.0.1:2"], ["127.0.0.1:3"]],
  );
});
const b = "http://127.0.0.1:2";

test("existing: it joins, and finds itself among the listed ones", () => {
  const list = "a=http://127.0.0.1:1,b=http://127.0.0.1:2";
  const flags = ["--name=b", `--initial-cluster=${list}`, "--listen-peer-urls", b];
  equal(resolve(...flags).host.join, false);
  equal(resolve(...flags, "--initial-cluster-state=new").host.join, false);
  const { host } = resolve(...flags, "--initial-cluster-state=existing");
  equal(host.join, true);
  equal(host.members[1]!.memberId, host.memberId);
});

test("what HTTP requests may come in, and what clients are told", () => {
  const bare = resolve();
  const none = { listenClient: [], listenMetrics: [] };
  deepEqual(bare.http, { cors: null, hostWhitelist: null, gateway: true, ...none });
  equal(bare.etcdVersion, "3.5.21");
  const { http, etcdVersion } = resolve(
    "--cors=http://a:80, http://b:80",
    "--host-whitelist=",
    "--enable-grpc-gateway=false",
    "--listen-metrics-urls=http://127.0.0.1:3,http://[::1]:4",
    "--listen-client-http-urls=http://127.0.0.1:5",
    "--compat-version=3.4.23",
  );
  deepEqual(http.cors, ["http://a:80", "http://b:80"]);
  equal(http.gateway, false);
  deepEqual(http.listenMetrics, [
    { host: "127.0.0.1", port: 3, secure: false },
    { host: "::1", port: 4, secure: false },
  ]);
  deepEqual(http.listenClient, [{ host: "127.0.0.1", port: 5, secure: false }]);
  equal(etcdVersion, "3.4.23");
});

test("numbers and folders arrive where they belong", () => {
  const { host } = resolve(
    "--data-dir=/d",
    "--wal-dir=/w",
    "--election-timeout=2000",
    "--election-timeout-randomization=300",
    "--election-rank-slot=30",
    "--late-vote-answers",
    "--heartbeat-interval=250",
    "--max-request-bytes=10",
    "--max-txn-ops=11",
    "--snapshot-catchup-entries=13",
    "--checkpoint-interval=140",
    "--snapshot-rate=2",
  );
  equal(host.directory, "/d");
  equal(host.walDirectory, "/w");
  equal(host.electionTimeoutMs, 2000);
  equal(host.electionTimeoutRandomizationMs, 300);
  equal(host.electionRankSlotMs, 30);
  equal(host.lateVoteAnswers, true);
  equal(resolve("--late-vote-answers=false").host.lateVoteAnswers, false);
  equal(host.heartbeatIntervalMs, 250);
  equal(host.requestTimeoutMs, 9000);
  equal(host.requestBytesMax, 10);
  equal(host.txnOpsMax, 11);
  equal(host.catchUpEntriesMax, 13);
  equal(host.checkpointIntervalMs, 140);
  equal(host.snapshotBytesPerSecond, 2_097_152);
  equal(resolve().host.snapshotBytesPerSecond, 67_108_864);
});

test("the random wait is as long as the election timeout unless it is said", () => {
  equal(resolve("--election-timeout=3000").host.electionTimeoutRandomizationMs, 3000);
});

test("wrong values: each with its line", () => {
  const three = "a=http://h:1,b=http://h:2,c=http://h:3";
  const rows: [string[], string][] = [
    [
      ["--name=d", `--initial-cluster=${three}`],
      '--initial-cluster does not list this member\'s name "d" (it lists a, b, c)',
    ],
    [
      ["--name=a", `--initial-cluster=${three}`],
      "--initial-cluster says a=http://h:1, " +
        "but --initial-advertise-peer-urls says http://localhost:2380",
    ],
    [
      ["--election-timeout=499"],
      "--election-timeout[499ms] should be at least as 5 times as --heartbeat-interval[100ms]",
    ],
    [
      ["--election-timeout=50001"],
      "--election-timeout[50001ms] is too long, and should be set less than 50000ms",
    ],
    [["--heartbeat-interval=0"], "--heartbeat-interval: 0 is below 1"],
    [["--max-request-bytes=67039233"], "--max-request-bytes: 67039233 is above 67039232"],
    [["--log-level=loud"], '--log-level: "loud" is none of debug, info, warn, error, fatal'],
    [["--log-format=xml"], '--log-format: "xml" is neither json nor text'],
    [["--compat-version=3.5"], '--compat-version: "3.5" is not three numbers like 3.5.21'],
    [["--compat-version=v3.5.0"], '--compat-version: "v3.5.0" is not three numbers like 3.5.21'],
    [["--compat-version=3.5."], '--compat-version: "3.5." is not three numbers like 3.5.21'],
    [["--compat-version=3.3.27"], '--compat-version: "3.3.27" is no release of etcd from 3.4.0 on'],
    [["--compat-version=4.0.0"], '--compat-version: "4.0.0" is no release of etcd from 3.4.0 on'],
    [["--compat-version=3.05.1"], '--compat-version: "3.05.1" is no release of etcd from 3.4.0 on'],
    [["--initial-cluster-state=old"], '--initial-cluster-state: "old" is neither new nor existing'],
    [
      ["--listen-client-urls=http://0.0.0.0:2379"],
      "--advertise-client-urls is required: clients cannot dial http://0.0.0.0:2379 " +
        "(--listen-client-urls)",
    ],
  ];
  for (const [argv, message] of rows) {
    throws(() => resolve(...argv), new UsageError(message), argv.join(" "));
  }
});
