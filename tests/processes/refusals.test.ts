// Everything that `quorate serve` refuses: one clear line, its exit code, nothing changed on disk.
// Method: run the real command on a folder whose content is taken before and after.
import { deepEqual, equal, match } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32c, readU32, writeU32 } from "@quorate/base";
import { TestCluster } from "./cluster.ts";
import { runQuorate } from "./entry.ts";
import { fingerprint } from "./folder.ts";
import { put } from "./kv-calls.ts";
import { freePorts } from "./ports.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-refusals-"));
after(() => rmSync(folder, { recursive: true }));

/** Flags of a cluster of one on ports of its own. */
async function single(directory: string): Promise<string[]> {
  const port = await freePorts(1);
  return [
    "--name=m1",
    `--data-dir=${directory}`,
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=http://127.0.0.1:${port + 1}`,
    `--initial-cluster=m1=http://127.0.0.1:${port + 1}`,
  ];
}

/** Lines that tell an error: the command's own, or a member's log lines of error and fatal. */
function errorLines(stderr: string): string[] {
  return stderr
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      if (!line.startsWith("{")) return [line];
      const { level, msg } = JSON.parse(line) as { level: string; msg: string };
      return level === "error" || level === "fatal" ? [msg] : [];
    });
}

async function refused(flags: readonly string[], code: number, line: RegExp): Promise<void> {
  const before = fingerprint(folder);
  const ended = await runQuorate(["serve", ...flags]);
  const lines = errorLines(ended.stderr);
  equal(lines.length, 1, `one line, got: ${ended.stderr}`);
  match(lines[0]!, line);
  equal(ended.code, code, ended.stderr);
  equal(ended.stdout, "");
  deepEqual(fingerprint(folder), before, "nothing changed on disk");
}

test("usage errors: exit 64 before anything is touched", async () => {
  const flags = await single(join(folder, "usage"));
  const port = /:([0-9]+)$/.exec(flags[2]!)![1]!;
  const rows: [string[], RegExp][] = [
    [["--no-such-flag"], /^quorate: unknown flag --no-such-flag$/],
    [["--data-dri=x"], /^quorate: unknown flag --data-dri; did you mean --data-dir\?$/],
    [["--initial-cluster=m1"], /^quorate: --initial-cluster: "m1" is not name=peerURL$/],
    [
      ["--name=m9"],
      /^quorate: --initial-cluster does not list this member's name "m9" \(it lists m1\)$/,
    ],
    [
      ["--election-timeout=499"],
      /^quorate: --election-timeout\[499ms\] should be at least as 5 times as --heartbeat-interval\[100ms\]$/,
    ],
    [
      [`--initial-cluster=m1=http://127.0.0.1:${port}`],
      /^quorate: --initial-cluster says m1=.* but --initial-advertise-peer-urls says /,
    ],
  ];
  for (const [extra, line] of rows) {
    await refused([...flags, ...extra], 64, line);
  }
});

test("a data directory that cannot be made or written: exit 64", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "not a folder");
  await refused(await single(join(file, "m1")), 64, /a-file cannot be used as .*mkdir: \w+$/);
  await refused(await single(file), 64, /a-file cannot be used as .*mkdir: \w+$/);
});

test("a directory with somebody else's files: exit 75", async () => {
  const directory = join(folder, "foreign-files");
  mkdirSync(join(directory, "member/wal"), { recursive: true });
  await refused(await single(directory), 75, /foreign-files/);
});

test("a port in use, for clients and for peers: exit 64, and it names the port", async () => {
  const flags = await single(join(folder, "ports"));
  for (const [at, what] of [
    [2, "client"],
    [3, "peer"],
  ] as const) {
    const port = Number(/:([0-9]+)$/.exec(flags[at]!)![1]);
    const server = net.createServer().listen(port, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const line = new RegExp(
      `^cannot listen for ${what} traffic on 127.0.0.1:${port}: the port is in use$`,
    );
    await refused(flags, 64, line);
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a directory of another cluster, of a newer format, or in use: exit 75", async () => {
  const cluster = await TestCluster.make({ size: 1 });
  try {
    const member = cluster.members[0]!;
    cluster.start();
    await cluster.ready();
    equal((await put(member.client, "key", "value")).code, 0);

    const otherPorts = await single(member.directory);
    const busy = [...member.flags, ...otherPorts.slice(2, 4)];
    const started = await runQuorate(["serve", ...busy]);
    deepEqual(errorLines(started.stderr), [
      `directory ${member.directory} is in use by another process`,
    ]);
    equal(started.code, 75);
    equal((await put(member.client, "key", "still there")).code, 0);
    await member.stop();

    const before = fingerprint(cluster.folder);
    const foreign = await runQuorate(["serve", ...member.flags, "--initial-cluster-token=other"]);
    equal(foreign.code, 75, foreign.stderr);
    equal(errorLines(foreign.stderr).length, 1, foreign.stderr);
    match(errorLines(foreign.stderr)[0]!, /cluster/);
    deepEqual(fingerprint(cluster.folder), before);

    for (const copy of ["IDENTITY-1", "IDENTITY-2"]) {
      raiseFormat(join(member.directory, copy));
    }
    const raised = fingerprint(cluster.folder);
    const newer = await runQuorate(["serve", ...member.flags]);
    equal(newer.code, 75, newer.stderr);
    equal(errorLines(newer.stderr).length, 1, newer.stderr);
    match(errorLines(newer.stderr)[0]!, /is of format 99, this binary knows formats up to \d+/);
    deepEqual(fingerprint(cluster.folder), raised);
  } finally {
    await cluster.close();
  }
});

/** The envelope of small files: CRC at 4 over everything from 8, format at 8, length at 12. */
function raiseFormat(path: string): void {
  const bytes = readFileSync(path);
  writeU32(bytes, 8, 99);
  writeU32(bytes, 4, crc32c(bytes, 8, 24 + readU32(bytes, 12)));
  writeFileSync(path, bytes);
}
