// Members come and go in a real cluster, driven by Debian's etcdctl: what is refused is refused in the
// words of a real etcd beside it; a member added as etcd's way says joins, catches up and votes; the
// leader is removed, ends with 73, and every acknowledged write is there.
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { TestCluster } from "./cluster.ts";
import { EtcdCluster, etcdMissing } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";
import { runTool } from "./run-tool.ts";
import type { Outcome } from "./run-tool.ts";
import { TestMember } from "./member.ts";
import { freePorts } from "./ports.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED tests with etcdctl: ${missing}\n\n`);
const skip = missing ?? false;

/** Its errors without the client's own log lines. */
async function etcdctl(address: string, ...argv: readonly string[]): Promise<Outcome> {
  const { err, ...said } = await runTool("etcdctl", [`--endpoints=${address}`, ...argv]);
  return { ...said, err: err.replace(/^\{"level":"warn".*\n/gm, "") };
}

let quorate: TestCluster;

before(async () => {
  if (skip !== false) return;
  quorate = await TestCluster.make();
  quorate.start();
  await quorate.ready();
});

after(async () => {
  if (skip === false) await quorate.close();
});

/** Both refuse until the members have been connected for five seconds. */
async function addLearner(address: string, url: string): Promise<string> {
  const added = await eventually("a learner is added", async () => {
    const outcome = await etcdctl(address, "member", "add", "l", "--learner", `--peer-urls=${url}`);
    if (outcome.code === 0) return outcome;
    match(outcome.err, /^Error: etcdserver: unhealthy cluster\n$/);
    return null;
  });
  return /^Member +([0-9a-f]+) added to cluster/.exec(added.out)![1]!;
}

/** Outcomes of the same commands, ids replaced; the cluster is as before. */
async function refusals(address: string): Promise<Outcome[]> {
  const own = address.replace(/\d+$/, (port) => String(Number(port) + 1));
  const id = await addLearner(address, "http://127.0.0.1:1");
  const lines = [
    `member add x --peer-urls=http://${own}`,
    "member add x --learner --peer-urls=http://127.0.0.1:2",
    "member add x --peer-urls=nonsense",
    "member add x",
    `member promote ${id}`,
    "member promote 1234",
    "member update 1234 --peer-urls=http://127.0.0.1:3",
    `member update ${id} --peer-urls=http://${own}`,
    `member update ${id} --peer-urls=http://127.0.0.1:4`,
    "member remove 1234",
    "member remove nonsense",
    `member remove ${id}`,
    `member remove ${id}`,
  ];
  const outcomes: Outcome[] = [];
  for (const line of lines) outcomes.push(await etcdctl(address, ...line.split(" ")));
  // An id may be a digit shorter, and is padded then.
  const plain = (text: string): string => text.replace(/ *\b[0-9a-f]{12,16}\b/g, " ID");
  return outcomes.map(({ code, out, err }) => ({ code, out: plain(out), err: plain(err) }));
}

test("what is refused, and what is not: the words and codes of etcd", { skip }, async () => {
  const etcd = await EtcdCluster.start(3);
  try {
    const theirs = await refusals(etcd.addresses[0]!);
    const ours = await refusals(quorate.members[0]!.address);
    deepEqual(ours, theirs);
  } finally {
    await etcd.close();
  }
});

async function isVoter(asked: TestMember, clientAddress: string): Promise<boolean> {
  const { out } = await etcdctl(asked.address, "member", "list");
  const line = out.split("\n").find((text) => text.includes(`http://${clientAddress},`));
  return line !== undefined && line.endsWith(", false");
}

test(
  "a member joins as etcd's way says, votes, and goes on when the leader is removed",
  { skip },
  async () => {
    const asked = quorate.members[0]!;
    for (let n = 0; n < 100; n += 1) {
      equal((await put(asked.client, `members/${n}`, `v${n}`)).code, GrpcCode.Ok);
    }
    const port = await freePorts(1);
    const peerUrl = `http://127.0.0.1:${port + 1}`;
    const added = await eventually("the member is added", async () => {
      const outcome = await etcdctl(asked.address, "member", "add", "m4", `--peer-urls=${peerUrl}`);
      return outcome.code === 0 ? outcome : null;
    });
    // What etcdctl prints is all that it needs beside its own places.
    const environment = Object.fromEntries(
      [...added.out.matchAll(/^(ETCD_\w+)="(.*)"$/gm)].map(([, name, value]) => [name!, value!]),
    );
    equal(environment["ETCD_INITIAL_CLUSTER_STATE"], "existing");
    const place = {
      name: "m4",
      clientPort: port,
      peerPort: port + 1,
      directory: join(quorate.folder, "m4"),
    };
    const fourth = new TestMember(place, [
      `--data-dir=${place.directory}`,
      `--listen-client-urls=http://127.0.0.1:${port}`,
      `--advertise-client-urls=http://127.0.0.1:${port}`,
      `--listen-peer-urls=${peerUrl}`,
      "--log-format=json",
    ]);
    try {
      fourth.start([], environment);
      await eventually("it votes", () => isVoter(asked, fourth.address));
      // A used directory says by itself who it is.
      await fourth.kill();
      fourth.start([], environment);
      await eventually("it serves", async () => (await fourth.status())?.leader !== "");

      const leader = await quorate.leader();
      const { out } = await etcdctl(asked.address, "member", "list");
      const id = out
        .split("\n")
        .find((line) => line.includes(`, ${leader.name}, `))!
        .split(",")[0]!;
      await eventually("the leader is removed", async () => {
        const { code, err } = await etcdctl(fourth.address, "member", "remove", id);
        return code === 0 || err.includes("member not found");
      });
      const end = await leader.ended();
      equal(end.code, 73, leader.log.at(-1));
      await eventually("the others write on", async () => {
        return (await put(fourth.client, "members/after", "v")).code === GrpcCode.Ok;
      });
      const found = await getAll(fourth.client, "members/");
      equal(typeof found === "string" ? found : found.size, 101);
    } finally {
      await fourth.kill();
      fourth.client.close();
    }
  },
);
