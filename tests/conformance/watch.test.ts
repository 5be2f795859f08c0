// Watch as clients use it. Debian's etcdctl watches Quorate and a real etcd through the same changes, and
// prints the same. A stream of our own on real sockets: what half-closing ends (nothing), what a reader
// that stands still gets (everything, later), and going on at another member when one is killed.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { WatchAsk } from "@quorate/kv";
import type { WatchResponse } from "@quorate/kv";
import { TestCluster, withCluster } from "../processes/cluster.ts";
import { plainEnvironment } from "../processes/entry.ts";
import { EtcdCluster, etcdMissing } from "../processes/etcd-cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { compact, put } from "../processes/kv-calls.ts";
import { WatchStream } from "./watch-stream.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED watches by etcdctl: ${missing}\n\n`);

class Etcdctl {
  readonly #child: ReturnType<typeof spawn>;
  readonly ended: Promise<number | null>;
  out: string;
  err: string;

  constructor(addresses: readonly string[], line: string) {
    this.out = "";
    this.err = "";
    const argv = [`--endpoints=${addresses.join(",")}`, ...line.split(" ")];
    this.#child = spawn("etcdctl", argv, { env: { ...plainEnvironment(), ETCDCTL_API: "3" } });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.err += text));
    this.ended = new Promise((resolve) => this.#child.on("close", resolve));
  }

  async stop(): Promise<string> {
    this.#child.kill();
    await this.ended;
    return this.out;
  }
}

async function run(addresses: readonly string[], line: string): Promise<void> {
  const ctl = new Etcdctl(addresses, line);
  equal(await ctl.ended, 0, `etcdctl ${line}: ${ctl.err}`);
}

const changes = [
  "put a1 one",
  "put b1 other",
  "put a1 two",
  "put a2 three",
  "del --prefix a",
  "put a1 again",
];
/** Each ends when it has printed what stands at its end. */
const watches: readonly (readonly [string, string])[] = [
  ["watch a1", "again\n"],
  ["watch --prefix a", "again\n"],
  ["watch --prefix a --prev-kv", "again\n"],
  ["watch b c", "other\n"],
  ["watch a0 a2", "again\n"],
  ["watch --prefix a --rev=2", "again\n"],
];

async function watched(addresses: readonly string[], made: Etcdctl[]): Promise<string[]> {
  const watching = watches.map(([line]) => new Etcdctl(addresses, line));
  made.push(...watching);
  await eventually("all watch", async () => {
    await run(addresses, "put a1 begin");
    await run(addresses, "put b1 begin");
    return watching.every(({ out }) => out.includes("begin\n"));
  });
  for (const line of changes) await run(addresses, line);
  for (const [at, [line, end]] of watches.entries()) {
    const isDone = (): boolean => watching[at]!.out.endsWith(end);
    await eventually(`etcdctl ${line} hears the last change`, isDone);
  }
  const outputs = await Promise.all(watching.map((ctl) => ctl.stop()));
  return outputs.map((text) => text.slice(text.lastIndexOf("begin\n")));
}

test(
  "etcdctl watch prints the same for the same changes, on Quorate and on etcd",
  { skip: missing ?? false },
  async () => {
    const made: Etcdctl[] = [];
    const etcd = await EtcdCluster.start(1);
    const quorate = await TestCluster.make({ size: 1 });
    try {
      quorate.start();
      await quorate.ready();
      const up = async (): Promise<boolean> =>
        (await new Etcdctl(etcd.addresses, "get nothing").ended) === 0;
      await eventually("etcd serves", up);
      const theirs = await watched(etcd.addresses, made);
      const ours = await watched(
        quorate.members.map(({ address }) => address),
        made,
      );
      for (const [at, [line]] of watches.entries()) equal(ours[at], theirs[at], `etcdctl ${line}`);
      match(ours[2]!, /DELETE\na1\ntwo\na1\n\nDELETE\na2\nthree\na2\n/);
    } finally {
      await Promise.all(made.map((ctl) => ctl.stop()));
      await quorate.close();
      await etcd.close();
    }
  },
);

interface Heard {
  readonly stream: WatchStream;
  readonly responses: WatchResponse[];
  ended: string | null;
}

function open(address: string): Heard {
  const responses: WatchResponse[] = [];
  const heard: Heard = {
    responses,
    ended: null,
    stream: new WatchStream(address, {
      heard: (response) => responses.push(response),
      ended: (why) => {
        heard.ended = why;
      },
    }),
  };
  return heard;
}

function revisionsOf({ responses }: Heard): number[] {
  return responses.flatMap(({ events }) => events.map(({ kv }) => kv.modRevision));
}

test("a stream outlives its client's half-close; a reader that stood still gets everything", async () => {
  await withCluster({ size: 1 }, async (cluster) => {
    const member = cluster.members[0]!;
    const patient = open(member.address);
    const still = open(member.address);
    for (const { stream } of [patient, still]) stream.watch("k");
    patient.stream.halfClose();
    const created = (): boolean => [patient, still].every(({ responses }) => responses.length > 0);
    await eventually("both watch", created);
    still.stream.stopReading();
    const value = "x".repeat(50_000);
    const count = 200;
    for (let at = 0; at < count; at += 1) equal((await put(member.client, "k", value)).code, 0);
    await eventually("one hears all", () => revisionsOf(patient).length === count);
    equal(patient.ended, null);
    ok(revisionsOf(still).length < count, "the other has not read");
    still.stream.readOn();
    await eventually("the other one, too", () => revisionsOf(still).length === count);
    deepEqual(revisionsOf(still), revisionsOf(patient));
    still.stream.ask({ ask: WatchAsk.Progress });
    await eventually("progress", () => still.responses.at(-1)!.watchId === -1);
    for (const { stream } of [patient, still]) stream.close();
  });
});

test("a watcher goes on at another member when its own is killed: no gap, nothing twice", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const rest = cluster.members.filter((member) => member !== leader);
    const heard: number[] = [];
    let next = 0;
    const go = (address: string): Heard => {
      const one = open(address);
      one.stream.watch("k", next);
      return one;
    };
    const take = (one: Heard): void => {
      for (const revision of revisionsOf({ ...one, responses: one.responses.splice(0) })) {
        heard.push(revision);
        next = revision + 1;
      }
    };
    const first = go(leader.address);
    await eventually("it watches", () => first.responses.length > 0);
    for (let at = 0; at < 20; at += 1) equal((await put(rest[0]!.client, "k", "v")).code, 0);
    await eventually("it has heard something", () => {
      take(first);
      return heard.length >= 10;
    });
    await leader.kill();
    await eventually("its stream has ended", () => first.ended !== null);
    take(first);
    const second = go(rest[1]!.address);
    let acknowledged = 20;
    await eventually("writes go on", async () => {
      if ((await put(rest[0]!.client, "k", "v")).code === 0) acknowledged += 1;
      return acknowledged === 40;
    });
    await eventually("the second one has heard all", () => {
      take(second);
      return heard.length >= 40;
    });
    const start = heard[0]!;
    deepEqual(
      heard,
      heard.map((_, at) => start + at),
    );
    second.stream.close();
  });
});

test("a start in compacted history is told where history begins; hasleader ends without a quorum", async () => {
  await withCluster({ flags: ["--election-timeout=500", "--heartbeat-interval=50"] }, async (c) => {
    const leader = await c.leader();
    for (let at = 0; at < 5; at += 1) await put(leader.client, "k", "v");
    equal((await compact(leader.client, 5)).code, 0);
    const late = open(leader.address);
    late.stream.watch("k", 2);
    await eventually("it ends", () => late.responses.length === 2);
    const [created, canceled] = late.responses;
    ok(created!.created && canceled!.canceled);
    equal(canceled!.compactRevision, 5);
    equal(canceled!.header.revision, 0);
    late.stream.close();
    const strict: Heard = { responses: [], ended: null, stream: null as never };
    const stream = new WatchStream(
      leader.address,
      {
        heard: (response) => strict.responses.push(response),
        ended: (why) => {
          strict.ended = why;
        },
      },
      { hasleader: "true" },
    );
    stream.watch("k");
    await eventually("it watches", () => strict.responses.length > 0);
    for (const member of c.members) if (member !== leader) await member.kill();
    await eventually("the stream ends", () => strict.ended !== null);
    equal(strict.ended, "14 etcdserver: no leader");
  });
});
