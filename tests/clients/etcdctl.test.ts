// The commands of Debian's etcdctl that wait, hold or go on: lock, elect, watch with commands or by
// hand, make-mirror. The same story is told on Quorate and on a real etcd, and what is printed, and how
// each command ends, must be equal but for ids.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { GatewayPair } from "../conformance/gateway/gateway-pair.ts";
import { etcdctl } from "../processes/both-clusters.ts";
import { etcdMissing } from "../processes/etcd-cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { EtcdctlRun } from "./etcdctl-runs.ts";
import type { RunEnd } from "./etcdctl-runs.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED etcdctl beside etcd: ${missing}\n\n`);
const skip = missing ?? false;

let pair: GatewayPair;

before(async () => {
  if (skip === false) pair = await GatewayPair.start();
});

after(async () => {
  if (skip === false) await pair.close();
});

type Story = (side: Side) => Promise<readonly RunEnd[]>;

class Side {
  readonly address: string;
  readonly runs: EtcdctlRun[];

  constructor(address: string) {
    this.address = address;
    this.runs = [];
  }

  start(...argv: readonly string[]): EtcdctlRun {
    const run = new EtcdctlRun(this.address, argv);
    this.runs.push(run);
    return run;
  }

  async run(line: string): Promise<string> {
    const { code, out, err } = await etcdctl(this.address, line.split(" "));
    equal(code, 0, `etcdctl ${line}: ${err}`);
    return out;
  }
}

/** What Quorate's side of the story came to, when it is what etcd's did. */
async function told(story: Story): Promise<readonly RunEnd[]> {
  const sides = [new Side(pair.quorateAddress), new Side(pair.etcdAddress)];
  try {
    const [ours, theirs] = await Promise.all(sides.map(async (side) => plain(await story(side))));
    deepEqual(ours, theirs);
    return ours!;
  } finally {
    for (const { runs } of sides) await Promise.all(runs.map((run) => run.stop("SIGKILL")));
  }
}

function plain(ends: readonly RunEnd[]): RunEnd[] {
  const withoutIds = (text: string): string =>
    text
      .replace(/^\{"level":"(?:warn|info)".*\n/gm, "")
      .replace(/\b[0-9a-f]{14,16}\b/g, "ID")
      .replace(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":N');
  return ends.map(({ code, out, err }) => ({
    code,
    out: withoutIds(out),
    err: withoutIds(err),
  }));
}

test(
  "lock: one holds, one waits, a command runs under it and its code is told",
  { skip },
  async () => {
    const ends = await told(async (side) => {
      const holder = side.start("lock", "l");
      await holder.says(/^l\/[0-9a-f]+\n/);
      const waiter = side.start("lock", "l", "--ttl=20");
      await eventually("it waits", async () => {
        return (await side.run("get l/ --prefix --keys-only")).trim().split(/\s+/).length === 2;
      });
      equal(waiter.out, "");
      const first = await holder.interrupt();
      await waiter.says(/^l\/[0-9a-f]+\n/);
      const second = await waiter.interrupt();
      const shell = 'echo "$ETCD_LOCK_KEY" | cut -c1-2; test -n "$ETCD_LOCK_REV"; exit 3';
      const command = await side.start("lock", "l", "--", "sh", "-c", shell).end();
      const good = await side.start("lock", "l", "true").end();
      equal(await side.run("get l --prefix --keys-only"), "");
      return [first, second, command, good];
    });
    equal(ends[2]!.out, "l/\n");
  },
);

test("elect: one leads, an observer hears of it, the next one follows", { skip }, async () => {
  const ends = await told(async (side) => {
    const observer = side.start("elect", "-l", "e");
    const first = side.start("elect", "e", "one");
    await first.says(/^e\/[0-9a-f]+\none\n/);
    await observer.says(/one\n/);
    const second = side.start("elect", "e", "two");
    await eventually("it waits", async () => {
      // In the order of their leases' ids, which say nothing.
      const values = await side.run("get e/ --prefix --print-value-only");
      return values.split("\n").sort().join() === ",one,two";
    });
    const resigned = await first.interrupt();
    await second.says(/two\n/);
    await observer.says(/two\n/);
    const last = await second.interrupt();
    const both = await side.start("elect", "-l", "e", "value").end();
    return [resigned, last, await observer.interrupt(), both];
  });
  match(ends[2]!.out, /^e\/ID\none\ne\/ID\ntwo\n/);
});

test("watch: by hand, with a command for each event, as JSON", { skip }, async () => {
  const ends = await told(async (side) => {
    await side.run("put w/0 past");
    const hand = side.start("watch", "-i");
    const shell = 'echo "$ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE"';
    const command = side.start("watch", "w/1", "--", "sh", "-c", shell);
    const json = side.start("watch", "--prefix", "w/", "-w", "json");
    hand.type("watch w/1");
    hand.type("watch --prefix w/2 --prev-kv");
    hand.type("nonsense");
    await eventually("all watch", async () => {
      await side.run("put w/1 begin");
      await side.run("put w/2 begin");
      const all = [hand, command, json].every(({ out }) => out.includes(beginOf(out)));
      return all && /w\/1\nbegin/.test(hand.out) && /w\/2\nbegin/.test(hand.out);
    });
    await side.run("put w/1 a");
    await side.run("put w/2 b");
    await side.run("del w/1");
    await side.run("put w/2 last");
    await hand.says(/last\n/);
    await command.says(/"DELETE" "w\/1"/);
    await json.says(/bGFzdA==/);
    const all = [await hand.interrupt(), await command.interrupt(), await json.interrupt()];
    // How often the beginning was tried differs.
    return all.map((end) => ({ ...end, out: afterBegin(end.out) }));
  });
  match(ends[1]!.out, /"PUT" "w\/1" "a"\n/);
});

/** How the value "begin" looks in what is printed. */
function beginOf(out: string): string {
  return out.startsWith("{") ? "YmVnaW4=" : "begin";
}

function afterBegin(out: string): string {
  const mark = beginOf(out);
  return out
    .slice(out.lastIndexOf(mark) + mark.length)
    .replace(/"(revision|mod_revision|create_revision|version)":\d+/g, '"$1":N');
}

test("make-mirror: from Quorate to etcd, and from etcd to Quorate", { skip }, async () => {
  const ways = [
    [new Side(pair.quorateAddress), new Side(pair.etcdAddress)],
    [new Side(pair.etcdAddress), new Side(pair.quorateAddress)],
  ] as const;
  for (const [at, [from, to]] of ways.entries()) {
    const source = `from${at}/`;
    const copy = `copy${at}/`;
    await from.run(`put ${source}old 1`);
    const mirror = from.start(
      "make-mirror",
      `--prefix=${source}`,
      `--dest-prefix=${copy}`,
      to.address,
    );
    const copied = async (expected: string): Promise<void> => {
      await eventually(`the copy is ${expected}`, async () => {
        const out = await to.run(`get --prefix ${copy}`);
        return out.replaceAll(copy, "").replaceAll("\n", " ") === expected;
      });
    };
    try {
      await copied("old 1 ");
      await from.run(`put ${source}new 2`);
      await from.run(`del ${source}old`);
      await from.run(`put ${source}new 3`);
      await copied("new 3 ");
      equal(mirror.err, "");
    } finally {
      await mirror.stop("SIGKILL");
    }
  }
});
