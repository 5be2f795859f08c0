// The lock's completion: what is missing is found, derived as npm writes it, and put in its place.
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { completeLock, type Lock, missingEntries, platformEntry } from "./complete-lock.ts";

const script = join(import.meta.dirname, "complete-lock.ts");

const platforms: readonly [string, object | null][] = [
  ["@oxlint/binding-darwin-arm64", { cpu: ["arm64"], os: ["darwin"] }],
  ["@oxlint/binding-linux-x64-gnu", { cpu: ["x64"], libc: ["glibc"], os: ["linux"] }],
  ["@oxlint/binding-linux-x64-musl", { cpu: ["x64"], libc: ["musl"], os: ["linux"] }],
  ["@oxlint/binding-linux-arm-gnueabihf", { cpu: ["arm"], libc: ["glibc"], os: ["linux"] }],
  ["@oxlint/binding-linux-arm-musleabihf", { cpu: ["arm"], libc: ["musl"], os: ["linux"] }],
  ["@oxlint/binding-win32-ia32-msvc", { cpu: ["ia32"], os: ["win32"] }],
  ["@oxlint/binding-android-arm-eabi", { cpu: ["arm"], os: ["android"] }],
  ["@oxlint-tsgolint/win32-arm64", { cpu: ["arm64"], os: ["win32"] }],
  ["@typescript/typescript-linux-x64", { cpu: ["x64"], os: ["linux"] }],
  ["fsevents", null],
  ["some-linux-tool", null],
  ["binding-linux-x64-unheard", null],
];
for (const [name, expected] of platforms) {
  test(`platform of ${name}`, () => {
    const entry = platformEntry(name, "1.2.3", false);
    deepEqual(entry, expected && { version: "1.2.3", optional: true, ...expected });
  });
}

test("a version range names no version", () =>
  equal(platformEntry("a-linux-x64", "^1.2.3", true), null));

function lock(): Lock {
  return {
    lockfileVersion: 3,
    packages: {
      "": {},
      "node_modules/@t/linux-x64": { version: "1.0.0", optional: true },
      "node_modules/tool": {
        version: "1.0.0",
        dev: true,
        optionalDependencies: { "@t/linux-x64": "1.0.0", "@t/darwin-arm64": "1.0.0" },
      },
      "node_modules/user": { version: "2.0.0", optionalDependencies: { "z-win32-x64": "2.0.0" } },
      "node_modules/user/node_modules/z-win32-x64": { version: "2.0.0" },
      "packages/a": { optionalDependencies: { "@t/linux-x64": "1.0.0" } },
    },
  };
}

test("only what no folder above the parent holds is missing, and it inherits dev", () => {
  const expected = { version: "1.0.0", cpu: ["arm64"], dev: true, optional: true, os: ["darwin"] };
  deepEqual(missingEntries(lock()), [
    { name: "@t/darwin-arm64", version: "1.0.0", parent: "node_modules/tool", entry: expected },
  ]);
});

test("the completed lock misses nothing, keeps the rest and stands in npm's order", () => {
  const before = lock();
  const after = completeLock(before, missingEntries(before));
  deepEqual(missingEntries(after), []);
  deepEqual(Object.keys(after.packages).slice(0, 3), [
    "",
    "node_modules/@t/darwin-arm64",
    "node_modules/@t/linux-x64",
  ]);
  const { "node_modules/@t/darwin-arm64": added, ...rest } = after.packages;
  notEqual(added, undefined);
  deepEqual(rest, before.packages);
});

test("the command checks without writing, completes, and then checks green", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-lock-"));
  const path = join(folder, "package-lock.json");
  const text = JSON.stringify(lock());
  writeFileSync(path, text);
  const run = (...args: string[]): number | null =>
    spawnSync(process.execPath, [script, ...args, path]).status;
  equal(run("--check"), 1);
  equal(readFileSync(path, "utf8"), text);
  equal(run(), 0);
  equal(run("--check"), 0);
  rmSync(folder, { recursive: true });
});

test("what it cannot complete it says, and fails", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-lock-"));
  const path = join(folder, "package-lock.json");
  const packages = { "node_modules/a": { optionalDependencies: { fsevents: "2.0.0" } } };
  writeFileSync(path, JSON.stringify({ lockfileVersion: 3, packages }));
  const ended = spawnSync(process.execPath, [script, path], { encoding: "utf8" });
  equal(ended.status, 1);
  equal(ended.stdout.includes("fsevents@2.0.0"), true);
  rmSync(folder, { recursive: true });
});
