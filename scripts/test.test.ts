// The test command itself, on small workspaces: it counts right, says every failure and skip, and
// never turns green by running nothing.
import { equal, match, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const script = join(import.meta.dirname, "test.ts");
const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

interface Ended {
  readonly status: number | null;
  readonly lines: readonly string[];
}

function run(files: Readonly<Record<string, string>>, ...args: string[]): Ended {
  const root = mkdtempSync(join(tmpdir(), "quorate-runner-"));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `import { test } from "node:test";\n${text}`);
  }
  const environment = { ...process.env, NODE_OPTIONS: "" };
  const ended = spawnSync(process.execPath, [script, `--root=${root}`, ...args], {
    encoding: "utf8",
    env: environment,
  });
  return { status: ended.status, lines: ended.stdout.trimEnd().split("\n") };
}

const pass = 'test("good", () => {});';
const fail = 'test("bad", () => { throw new Error("because"); });';
const skip = 'test("absent", { skip: "no nftables" }, () => {});';

test("counts over groups, says failures and skips, leaves long runs out", () => {
  const { status, lines } = run({
    "packages/a/src/a.test.ts": `${pass} ${skip}`,
    "packages/a/src/b.test.ts": fail,
    "packages/sim/test/c.test.ts":
      'test("outer", async (t) => { await t.test("inner", () => {}); });',
    "tests/processes/d.test.ts": "throw new Error('on load');",
    "tests/long/e.test.ts": fail,
  });
  equal(status, 1);
  equal(lines.at(-1), "3 passed, 2 failed, 1 skipped");
  const text = lines.join("\n");
  match(text, /Error: because/);
  match(text, /^FAILED bad \(.*b\.test\.ts:2\)$/m);
  match(text, /^FAILED .*d\.test\.ts/m);
  match(text, /^SKIPPED absent: no nftables$/m);
  match(text, /^=== namespaces: no test files$/m);
  ok(!text.includes("=== long"));
});

test("runs only what was asked for, and the source condition reaches it", () => {
  const files = {
    "packages/a/src/a.test.ts": `${pass} if (!process.execArgv.join().includes("@quorate/source")) throw 1;`,
    "packages/b/src/b.test.ts": fail,
    "tests/long/e.test.ts": pass,
  };
  const chosen = run(files, "packages/a", "tests/long/e.test.ts");
  equal(chosen.lines.at(-1), "2 passed, 0 failed, 0 skipped");
  equal(chosen.status, 0);
});

const nothing: readonly [string, Record<string, string>, string[]][] = [
  ["no files at all", {}, []],
  ["only skipped tests", { "packages/a/src/a.test.ts": skip }, []],
  ["an empty group", { "packages/a/src/a.test.ts": pass }, ["processes"]],
  ["a path that matches nothing", { "packages/a/src/a.test.ts": pass }, ["packages/b"]],
  ["an unknown flag", { "packages/a/src/a.test.ts": pass }, ["--lnog"]],
  ["a test file without a group", { "tests/other/a.test.ts": pass }, ["unit"]],
];
for (const [name, files, args] of nothing) {
  test(`fails on ${name}`, () => equal(run(files, ...args).status, 1));
}

test("a run that dies without a report counts as a failure", () => {
  const { status, lines } = run({
    "packages/a/src/a.test.ts": `${pass} process.kill(process.pid, 9);`,
  });
  equal(status, 1);
  equal(lines.at(-1), "0 passed, 1 failed, 0 skipped");
});
