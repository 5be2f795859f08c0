// `quorate dev` as its user has it: it prints `ready`, serves through every endpoint, stops on Ctrl-C,
// starts again with its data, takes its members with it when it is killed, brings a killed member
// back, and refuses what cannot work in one line with nothing left running or written.
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runQuorate, startQuorate } from "./entry.ts";
import type { QuorateProcess } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { fingerprint } from "./folder.ts";
import { freePorts } from "./ports.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-dev-"));
const started: Dev[] = [];
after(() => {
  for (const dev of started) dev.child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
});

class Dev {
  readonly child: QuorateProcess;
  readonly basePort: number;
  readonly ended: Promise<number | null>;
  out: string;
  err: string;

  constructor(basePort: number, dataDir: string, ...more: string[]) {
    this.basePort = basePort;
    this.out = "";
    this.err = "";
    this.child = startQuorate(["dev", `--base-port=${basePort}`, `--data-dir=${dataDir}`, ...more]);
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => (this.err += text));
    this.ended = new Promise((resolve) => this.child.on("close", resolve));
    started.push(this);
  }

  said(text: string | RegExp): Promise<boolean> {
    return eventually(`dev says ${text}; it said ${this.out}${this.err}`, () =>
      typeof text === "string"
        ? this.out.split("\n").includes(text) || this.child.exitCode !== null
        : text.test(this.out) || this.child.exitCode !== null,
    );
  }

  endpoint(number: number): string {
    return `127.0.0.1:${this.basePort + 10 * number}`;
  }

  /** Process ids of the members as it printed them. */
  get pids(): number[] {
    return [...this.out.matchAll(/^ {2}m\d .* pid (\d+)$/gm)].map((found) => Number(found[1]));
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended and was not waited for yet is no live one.
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

test("it says ready, serves at every endpoint, stops on Ctrl-C and starts again with its data", async (t) => {
  const basePort = await freePorts(3, 10);
  const dataDir = join(folder, "twice");
  const startedMs = performance.now();
  const first = new Dev(basePort, dataDir);
  await first.said("ready");
  t.diagnostic(`ready after ${(performance.now() - startedMs).toFixed(0)} ms`);
  match(first.out, new RegExp(`data in ${dataDir}\n`));
  equal(first.pids.length, 3);
  for (const line of first.out.split("\n")) {
    equal(line.length <= 80 || line.includes(folder), true, `within 80 columns: ${line}`);
  }

  for (let number = 0; number < 3; number += 1) {
    const at = ["--endpoints", first.endpoint(number)];
    const put = await runQuorate(["put", `key${number}`, `value ${number}`, ...at]);
    deepEqual([put.code, put.stdout, put.stderr], [0, "OK\n", ""]);
    const other = ["--endpoints", first.endpoint((number + 1) % 3)];
    const get = await runQuorate(["get", `key${number}`, ...other]);
    deepEqual([get.code, get.stdout, get.stderr], [0, `key${number}\nvalue ${number}\n`, ""]);
  }
  const pids = first.pids;
  first.child.kill("SIGINT");
  equal(await first.ended, 0);
  match(first.out, /^stopping \(SIGINT\)/m);
  match(first.out, /^stopped; the data stays in /m);
  deepEqual(pids.filter(alive), []);

  const second = new Dev(basePort, dataDir);
  await second.said("ready");
  const get = await runQuorate(["get", "--prefix", "key", "--endpoints", second.endpoint(2)]);
  equal(get.stdout, "key0\nvalue 0\nkey1\nvalue 1\nkey2\nvalue 2\n");

  const again = await runQuorate(["dev", `--base-port=${basePort}`, `--data-dir=${dataDir}`]);
  equal(again.code, 64);
  equal(again.stderr, `quorate: port ${basePort} (m1, for clients) is in use; try --base-port\n`);
  const moved = await runQuorate(["dev", `--base-port=${basePort + 1}`, `--data-dir=${dataDir}`]);
  equal(moved.code, 64);
  match(moved.stderr, /^quorate: .* was made with --members 3 and --base-port \d+ .*\n$/);
  second.child.kill("SIGTERM");
  equal(await second.ended, 0);
});

test("a killed member is told of and started again; a killed parent leaves no children", async () => {
  const basePort = await freePorts(3, 10);
  const dev = new Dev(basePort, join(folder, "killed"));
  await dev.said("ready");
  process.kill(dev.pids[1]!, "SIGKILL");
  await dev.said(/^m2 was killed by SIGKILL.*; starting it again in 1 s$/m);
  await dev.said(/^m2 serves again \(pid \d+\)$/m);
  const serving = /^m2 serves again \(pid (\d+)\)$/m.exec(dev.out);
  const members = [dev.pids[0]!, Number(serving![1]), dev.pids[2]!];
  deepEqual(members.map(alive), [true, true, true]);
  dev.child.kill("SIGKILL");
  await dev.ended;
  await eventually("no children are left", () => !members.some(alive));
});

test("a port in use: one line that names it, exit 64, nothing written, nothing left running", async () => {
  const basePort = await freePorts(3, 10);
  const dataDir = join(folder, "busy");
  const server = net.createServer().listen(basePort + 11, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const ended = await runQuorate(["dev", `--base-port=${basePort}`, `--data-dir=${dataDir}`]);
  await new Promise((resolve) => server.close(resolve));
  equal(ended.code, 64);
  equal(ended.stdout, "");
  equal(
    ended.stderr,
    `quorate: port ${basePort + 11} (m2, for peers) is in use; try --base-port\n`,
  );
  equal(existsSync(dataDir), false);
});

test("what dev refuses before it starts: one line each, exit 64, nothing written", async () => {
  const before = fingerprint(folder);
  const file = join(folder, "twice/cluster.json");
  const rows: [string[], RegExp][] = [
    [["--members", "2"], /^quorate: .*none of 1, 3, 5.*\n$/],
    [["--base-port", "65530", "--data-dir", join(folder, "x")], /^quorate: --base-port 65530.*\n$/],
    [["--bas-port", "1"], /^quorate: unknown option '--bas-port'; did you mean --base-port\?\n$/],
    [["--base-port", "20000", "--data-dir", join(file, "x")], /^quorate: cannot use .*ENOTDIR\n$/],
  ];
  for (const [argv, line] of rows) {
    const ended = await runQuorate(["dev", ...argv]);
    deepEqual([ended.code, ended.stdout], [64, ""]);
    match(ended.stderr, line);
  }
  deepEqual(fingerprint(folder), before);
});

test("a member that cannot start for good ends the start of a cluster of one, with its code", async () => {
  const basePort = await freePorts(1, 10);
  const dataDir = join(folder, "one");
  const dev = new Dev(basePort, dataDir, "--members=1");
  await dev.said("ready");
  dev.child.kill("SIGINT");
  equal(await dev.ended, 0);
  rmSync(join(dataDir, "m1/MANIFEST-1"));
  rmSync(join(dataDir, "m1/MANIFEST-2"));
  const broken = new Dev(basePort, dataDir, "--members=1");
  equal(await broken.ended, 72);
  match(broken.out, /^m1 ended with exit code 72 \(.*\); it is not started again$/m);
});

test("a second Ctrl-C kills at once", async () => {
  const basePort = await freePorts(3, 10);
  const dev = new Dev(basePort, join(folder, "twice-signalled"));
  await dev.said("ready");
  const pids = dev.pids;
  // Stopped members cannot stop cleanly.
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  // npm passes on what the terminal has sent to this process as well: one press, two signals.
  dev.child.kill("SIGINT");
  dev.child.kill("SIGTERM");
  await dev.said(/^stopping /m);
  await new Promise((resolve) => setTimeout(resolve, 700));
  deepEqual(pids.map(alive), [true, true, true], "they are given their time");
  dev.child.kill("SIGINT");
  await dev.ended;
  match(dev.out, /^killing the members$/m);
  deepEqual(pids.filter(alive), []);
});
