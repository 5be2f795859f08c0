// The way in from etcd: `quorate import` makes a cluster of a snapshot of a real etcd, with every key,
// revision and hash; and of Quorate's own. Method: both sides are asked the same questions after it. What
// is damaged, or cannot be kept, is refused with a line that says what, and nothing is written.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GrpcClient } from "@quorate/grpc";
import { TestCluster, withCluster } from "../../processes/cluster.ts";
import { runQuorate } from "../../processes/entry.ts";
import type { Ended } from "../../processes/entry.ts";
import { EtcdCluster, etcdMissing } from "../../processes/etcd-cluster.ts";
import { checkEqual, everyKind } from "./every-kind.ts";
import { eventually } from "../../processes/eventually.ts";
import { put } from "../../processes/kv-calls.ts";
import { etcdctl, etcdHash, mustEtcdctl } from "./restored-etcd.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED tests of quorate import: ${missing}\n\n`);
const skip = missing ?? false;

let folder: string;
let etcd: EtcdCluster;
let snapshot: string;
let compacted: number;

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "quorate-import-"));
  etcd = await EtcdCluster.start(1);
  const [address] = etcd.addresses;
  await eventually("etcd serves", async () => (await etcdctl(address!, ["get", "k"])).code === 0);
  const client = new GrpcClient(address!);
  compacted = await everyKind(client, client);
  client.close();
  snapshot = join(folder, "snapshot.db");
  await mustEtcdctl(address!, ["snapshot", "save", snapshot]);
});

after(async () => {
  if (skip !== false) return;
  await etcd.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What `--initial-cluster` of the members says. */
function listOf(cluster: TestCluster): string {
  const flag = cluster.members[0]!.flags.find((one) => one.startsWith("--initial-cluster="))!;
  return flag.slice("--initial-cluster=".length);
}

function runImport(file: string, ...argv: readonly string[]): Promise<Ended> {
  return runQuorate(["import", file, ...argv]);
}

/** Imports into the members' directories, starts them, and hands them over. */
async function imported(
  file: string,
  size: number,
  use: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const cluster = await TestCluster.make({ size });
  try {
    const directory = size === 1 ? cluster.members[0]!.directory : cluster.folder;
    const { code, stderr, stdout } = await runImport(
      file,
      `--data-dir=${directory}`,
      `--initial-cluster=${listOf(cluster)}`,
    );
    equal(code, 0, stderr);
    match(stdout, /: revision \d+, compacted at \d+, \d+ rows, \d+ leases, \d+ users, \d+ roles\n/);
    cluster.start();
    await cluster.ready();
    await use(cluster);
    cluster.checkLogs();
  } catch (error) {
    cluster.showLogs();
    throw error;
  } finally {
    await cluster.close();
  }
}

test(
  "three members of a snapshot of etcd, with all its rows; and they go on",
  { skip },
  async () => {
    await imported(snapshot, 3, async (cluster) => {
      await cluster.equalDigests();
      const [theirs] = etcd.addresses;
      for (const { address } of cluster.members) await checkEqual(theirs!, address, compacted);
      const [first, second] = cluster.members;
      const { revision } = await etcdHash(theirs!);
      equal((await put(first!.client, "k/1", "in Quorate")).code, 0);
      equal((await etcdHash(second!.address)).revision, revision + 1);
      const found = await mustEtcdctl(second!.address, ["get", "k/1", "--write-out=json"]);
      match(found, new RegExp(`"mod_revision":${revision + 1},"version":4,`));
      // From its own log and checkpoints, too.
      await first!.kill();
      first!.start();
      await cluster.ready();
      await cluster.equalDigests();
    });
  },
);

test("a copy of etcd's own file has no SHA-256, and is taken", { skip }, async () => {
  const raw = join(folder, "raw.db");
  copyFileSync(snapshot, raw);
  const bytes = readFileSync(raw);
  writeFileSync(raw, bytes.subarray(0, bytes.length - 32));
  await imported(raw, 1, async (cluster) => {
    await checkEqual(etcd.addresses[0]!, cluster.members[0]!.address, compacted);
  });
});

test(
  "a snapshot of Quorate comes back into Quorate, its log in a place of its own",
  { skip },
  async () => {
    await withCluster({ size: 1 }, async ({ members }) => {
      const [member] = members;
      const own = mkdtempSync(join(tmpdir(), "quorate-import-own-"));
      try {
        for (let n = 0; n < 50; n++) await put(member!.client, `k/${n}`, `v/${n}`);
        const file = join(own, "own.db");
        await mustEtcdctl(member!.address, ["snapshot", "save", file]);
        const wal = join(own, "log/wal");
        const places = [`--data-dir=${join(own, "data")}`, `--wal-dir=${wal}`];
        const { code, stderr } = await runImport(file, ...places);
        equal(code, 0, stderr);
        ok(readdirSync(wal).some((name) => name.startsWith("wal-")));
        const names = readdirSync(join(own, "data"));
        ok(names.includes("IDENTITY-1") && !names.some((name) => name.startsWith("wal-")));
        const inspected = await runQuorate([
          "inspect",
          "checkpoint",
          join(own, "data"),
          `--wal-dir=${wal}`,
        ]);
        equal(inspected.code, 0, inspected.stdout);
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    });
  },
);

test("what is damaged is refused with 72, and nothing is written", { skip }, async () => {
  const bytes = readFileSync(snapshot);
  const body = bytes.subarray(0, bytes.length - 32);
  const rows: [string, Buffer, RegExp][] = [
    [
      "flipped.db",
      Buffer.from(bytes.with(9000, bytes[9000]! ^ 1)),
      /: its content is not what its SHA-256 says\n$/,
    ],
    [
      "cut.db",
      bytes.subarray(0, bytes.length - 700),
      /: \d+ bytes are neither a snapshot nor a file of etcd's\n$/,
    ],
    [
      "short.db",
      body.subarray(0, 8192),
      /: meta page 0: .*: it is cut; nor is meta page 1 whole\n$/,
    ],
    ["empty.db", Buffer.alloc(0), /: 0 bytes are neither/],
    ["text.db", Buffer.from("#".repeat(4096)), /: meta page 0: not the magic number of bbolt/],
  ];
  const target = join(folder, "never");
  for (const [name, content, what] of rows) {
    const file = join(folder, name);
    writeFileSync(file, content);
    const { code, stdout, stderr } = await runImport(file, `--data-dir=${target}`);
    equal(code, 72, `${name}: ${stdout}${stderr}`);
    match(stderr, what);
    equal(existsSync(target) || existsSync(`${target}.importing`), false);
  }
});

test(
  "rows that no writes can have made are refused, whatever the hash says",
  { skip },
  async () => {
    const body = Buffer.from(readFileSync(snapshot).subarray(0, -32));
    // The last put of "k/99" says that it is its second version; it is the third. Pages that bbolt has
    // given up hold copies of it.
    let forged = 0;
    for (let at = body.indexOf("after 99"); at >= 0; at = body.indexOf("after 99", at + 1)) {
      deepEqual([...body.subarray(at - 4, at - 2)], [0x20, 3]);
      body[at - 3] = 2;
      forged += 1;
    }
    ok(forged > 0);
    const file = join(folder, "forged.db");
    writeFileSync(file, Buffer.concat([body, createHash("sha256").update(body).digest()]));
    const target = join(folder, "forged");
    const { code, stderr } = await runImport(file, `--data-dir=${target}`);
    equal(code, 72, stderr);
    match(stderr, /forged.db: revision \d+.0: no write can have made this row/);
    equal(existsSync(target) || existsSync(`${target}.importing`), false);
  },
);

test("directories that are not free, and options that do not fit", { skip }, async () => {
  const used = join(folder, "used");
  mkdirSync(used);
  writeFileSync(join(used, "file"), "");
  const two = "--initial-cluster=..=http://127.0.0.1:1,b=http://127.0.0.1:2";
  const rows: [string[], RegExp][] = [
    [[snapshot, `--data-dir=${used}`], /used is not empty: an import needs a new directory\n$/],
    [[snapshot, `--data-dir=${join(used, "file")}`], /cannot be used: ENOTDIR\n$/],
    [[snapshot, `--data-dir=${join(folder, "n")}`, `--wal-dir=${used}`], /used is not empty/],
    [[join(folder, "none"), `--data-dir=${join(folder, "n")}`], /none: cannot be read: ENOENT\n$/],
    [[snapshot, `--data-dir=${join(folder, "n")}`, two], /a member called "\.\." cannot have/],
    [[snapshot, `--data-dir=${join(folder, "n")}`, "--initial-cluster=m1"], /is not name=peerURL/],
    [[snapshot], /required option '--data-dir <directory>' not specified/],
  ];
  for (const [argv, what] of rows) {
    const { code, stderr } = await runQuorate(["import", ...argv]);
    equal(code, 64, stderr);
    match(stderr, what);
  }
  mkdirSync(`${join(folder, "n")}.importing`);
  const { code, stderr } = await runImport(snapshot, `--data-dir=${join(folder, "n")}`);
  equal(code, 64);
  match(stderr, /an import did not come to its end; remove it first\n$/);
});

/** A real etcd with what it takes to see that leases, users and rights have come along. */
async function withUsers(address: string): Promise<{ lease: string; file: string }> {
  await eventually("etcd serves", async () => (await etcdctl(address, ["get", "k"])).code === 0);
  const granted = await mustEtcdctl(address, ["lease", "grant", "1000"]);
  const lease = /lease ([0-9a-f]+) granted/.exec(granted)![1]!;
  for (const line of [
    `put leased value --lease=${lease}`,
    "put open value",
    "role add r",
    "role grant-permission r read a m",
    "user add u:password-of-u",
    "user grant-role u r",
    "user add nobody --no-password",
    "user add root:password-of-root",
    "user grant-role root root",
    "auth enable",
  ]) {
    await mustEtcdctl(address, line.split(" "));
  }
  const file = join(folder, "users.db");
  await mustEtcdctl(address, [root, "snapshot", "save", file]);
  return { lease, file };
}

const root = "--user=root:password-of-root";
const reader = "--user=u:password-of-u";

/** As a user sees it: what comes out, or the error. */
async function told(address: string, ...argv: readonly string[]): Promise<string> {
  const { out, err } = await etcdctl(address, argv);
  return out === "" ? (/Error: (.*)/.exec(err)?.[1] ?? err) : out;
}

test("leases, users, passwords and rights come along", { skip }, async () => {
  const other = await EtcdCluster.start(1);
  try {
    const { lease, file } = await withUsers(other.addresses[0]!);
    const [theirs] = other.addresses;
    const cluster = await TestCluster.make({ size: 1 });
    try {
      const [member] = cluster.members;
      const place = [`--data-dir=${member!.directory}`, `--initial-cluster=${listOf(cluster)}`];
      const done = await runImport(file, ...place);
      equal(done.code, 0, done.stderr);
      match(done.stdout, /, 1 lease, 3 users, 1 role\nAuthentication is on\.\n/);
      cluster.start();
      const { address } = member!;
      await eventually("it serves", async () =>
        (await told(address, "get", "k")).includes("user name is empty"),
      );
      for (const question of [
        [reader, "get", "leased"],
        [reader, "get", "open"],
        [reader, "put", "leased", "x"],
        ["--user=u:another", "get", "leased"],
        ["--user=nobody:", "get", "leased"],
        [root, "user", "list"],
        [root, "user", "get", "u", "--detail"],
        [root, "role", "get", "r"],
        [root, "get", "", "--from-key", "--keys-only"],
      ]) {
        equal(
          await told(address, ...question),
          await told(theirs!, ...question),
          question.join(" "),
        );
      }
      const keys = await told(address, root, "lease", "timetolive", lease, "--keys");
      match(keys, /granted with TTL\(1000s\), remaining\(\d+s\), attached keys\(\[leased\]\)/);
      await mustEtcdctl(address, [root, "lease", "revoke", lease]);
      equal(await mustEtcdctl(address, [root, "get", "leased"]), "");
    } finally {
      await cluster.close();
    }
    await withoutUsers(file, theirs!);
  } finally {
    await other.close();
  }
});

async function withoutUsers(file: string, theirs: string): Promise<void> {
  const cluster = await TestCluster.make({ size: 1 });
  try {
    const [member] = cluster.members;
    const place = [`--data-dir=${member!.directory}`, `--initial-cluster=${listOf(cluster)}`];
    const done = await runImport(file, ...place, "--skip-auth");
    equal(done.code, 0, done.stderr);
    cluster.start();
    await cluster.ready();
    const { hash } = await etcdHash(member!.address);
    const asked = await told(theirs, root, "endpoint", "hashkv", "--write-out=json");
    equal((JSON.parse(asked) as [{ HashKV: { hash: number } }])[0].HashKV.hash, hash);
  } finally {
    await cluster.close();
  }
}
