// Proves that the architecture check can fail: a small clean workspace, and for each kind of
// violation a change that must be found, alone and at its place.
import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { ViolationKind } from "./architecture/violation.ts";
import { checkArchitecture } from "./check-architecture.ts";

type Files = Readonly<Record<string, string>>;

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const page = {
  packages: {
    base: { level: 0, pure: ["src"], imports: [] },
    raft: { level: 1, pure: ["src"], imports: ["base"] },
    kv: { level: 1, pure: ["src"], imports: ["base"] },
    host: { level: 2, pure: ["src"], imports: ["base", "raft"] },
    sim: { level: 3, pure: ["src"], node: ["bin"], imports: ["base", "host", "later"] },
    server: { level: 3, node: ["src"], imports: ["base", "host"], dependencies: ["pino"] },
    later: { level: 2, planned: true, imports: [] },
  } as Record<string, object>,
  pureForbids: {
    words: ["async", "await"],
    globals: ["Promise", "Date", "setTimeout", "process"],
    members: ["Math.random", "localeCompare"],
  },
};
const pureFolders = ["base", "raft", "kv", "host", "sim"].map((name) => `packages/${name}/src`);

function manifest(name: string, dependencies: readonly string[] = []): string {
  const entries = dependencies.map((dependency) => [dependency, "1.0.0"]);
  return JSON.stringify({
    name: `@quorate/${name}`,
    dependencies: Object.fromEntries(entries) as Record<string, string>,
  });
}

const ours = (...names: string[]): string[] => names.map((name) => `@quorate/${name}`);

// Clean, and full of what must not be taken for a violation.
const clean: Files = {
  "package.json": JSON.stringify({ name: "root", devDependencies: { "fast-check": "1.0.0" } }),
  "architecture.json": JSON.stringify(page),
  "tsconfig.pure.json": JSON.stringify({ include: pureFolders }),
  "packages/base/package.json": manifest("base"),
  "packages/base/src/index.ts": 'export { a } from "./a.ts";',
  "packages/base/src/a.ts": "export const a = 1;",
  "packages/base/src/a.test.ts": 'import fc from "fast-check"; import { f } from "@quorate/host";',
  "packages/raft/package.json": manifest("raft", ours("base")),
  "packages/raft/src/index.ts": 'export { b } from "./b.ts";',
  "packages/raft/src/b.ts": [
    "// Date.now() and async and @quorate/host",
    'import { a } from "@quorate/base";',
    'export const b = `Promise ${a} "Date"`;',
    "export interface C { readonly Date: number; process?: string; setTimeout(ms: number): void }",
    "export class D { process(x: number): number { return x; } }",
    "export const e = (c: C) => c.Date + { process: 1 }.process; /* Math.random() */",
  ].join("\n"),
  "packages/raft/src/b.test.ts": 'import "node:test"; import "./b.ts"; await Promise.resolve();',
  "packages/kv/package.json": manifest("kv", ours("base")),
  "packages/kv/src/index.ts": "export const k = 1;",
  "packages/kv/dist/old.ts": 'import "@quorate/host";',
  "packages/kv/node_modules/x/index.js": 'import "@quorate/host";',
  "packages/host/package.json": manifest("host", ours("base", "raft")),
  "packages/host/src/index.ts": 'export { f } from "./f.ts";',
  "packages/host/src/f.ts": 'import type { b } from "@quorate/raft"; export const f = 1;',
  "packages/sim/package.json": manifest("sim", ours("base", "host")),
  "packages/sim/src/g.ts": 'import "@quorate/host/internal";',
  "packages/sim/bin/sim.ts": 'import "node:fs"; import "../src/g.ts"; await Promise.resolve();',
  "packages/server/package.json": manifest("server", [...ours("base", "host"), "pino"]),
  "packages/server/src/s.ts": 'import "node:fs"; import "pino"; import { f } from "@quorate/host";',
  "scripts/x.ts": 'import "node:fs"; import "@quorate/base"; import "fast-check";',
  "tests/processes/y.test.ts": 'import "@quorate/server"; import "./z.ts";',
  "tests/processes/z.ts": "export const z = 1;",
};

function violationsOf(change: Files): string[] {
  const root = mkdtempSync(join(tmpdir(), "quorate-architecture-"));
  folders.push(root);
  for (const [path, text] of Object.entries({ ...clean, ...change })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkArchitecture(root).violations.map(
    ({ kind, path, line }) => `${kind} ${path}:${line}`,
  );
}

test("a clean workspace has no violation", () => deepEqual(violationsOf({}), []));

interface Case {
  readonly name: string;
  readonly kind: ViolationKind;
  readonly at: string;
  readonly change: Files;
}

function withPage(change: Record<string, object>): string {
  return JSON.stringify({ ...page, packages: { ...page.packages, ...change } });
}

const at = (kind: ViolationKind, name: string, path: string, text: string): Case => ({
  name,
  kind,
  at: `${path}:2`,
  change: { [path]: `// header\n${text}` },
});

const raft = "packages/raft/src/new.ts";
// Nothing below imports kv: an upward import of it closes no cycle.
const kv = "packages/kv/src/new.ts";
const host = "packages/host/src/new.ts";

const cases: readonly Case[] = [
  at(ViolationKind.Upward, "an import of a higher level", kv, 'import "@quorate/host";'),
  at(ViolationKind.Upward, "a type from above", kv, 'import type { f } from "@quorate/host";'),
  at(ViolationKind.Upward, "a type expression", kv, 'let x: import("@quorate/host").F;'),
  at(ViolationKind.Upward, "a dynamic import", kv, 'void import("@quorate/host");'),
  at(ViolationKind.Upward, "a re-export", kv, 'export * from "@quorate/host";'),
  at(ViolationKind.Sideways, "an import of the same level", raft, 'import "@quorate/kv";'),
  at(ViolationKind.NotListed, "a lower level that is not listed", host, 'import "@quorate/kv";'),
  at(ViolationKind.LeavesPackage, "a path into a sibling", raft, 'import "../../base/src/a.ts";'),
  at(ViolationKind.LeavesPackage, "an absolute path", raft, 'import "/etc/x.ts";'),
  at(
    ViolationKind.LeavesPackage,
    "a script's",
    "scripts/n.ts",
    'import "../packages/base/src/a.ts";',
  ),
  at(ViolationKind.OwnIndex, "the own index", raft, 'import { b } from "./index.ts";'),
  at(ViolationKind.OwnIndex, "a test's", "packages/raft/src/n.test.ts", 'import "./index.ts";'),
  at(ViolationKind.OwnName, "the own package by name", raft, 'import "@quorate/raft";'),
  at(ViolationKind.Internal, "internals of another", host, 'import "@quorate/raft/internal";'),
  at(ViolationKind.Missing, "a file that is not there", raft, 'import "./c.ts";'),
  at(ViolationKind.Missing, "a package that is not there", raft, 'import "@quorate/nothing";'),
  at(ViolationKind.Unfollowable, "a computed import", "packages/server/src/n.ts", "import(name);"),
  at(ViolationKind.NodeImport, "node: in a pure package", raft, 'import "node:fs";'),
  at(ViolationKind.NodeImport, "without the prefix", raft, 'import "fs";'),
  at(ViolationKind.NodeImport, "in pure sim/src", "packages/sim/src/n.ts", 'import "node:fs";'),
  at(ViolationKind.NodeImport, "as a type", raft, 'import type { Stats } from "node:fs";'),
  at(ViolationKind.Undeclared, "a foreign package", raft, 'import "pino";'),
  at(ViolationKind.Undeclared, "one in a test", "packages/raft/src/n.test.ts", 'import "mocha";'),
  at(ViolationKind.Impure, "an async function", raft, "export async function f() {}"),
  at(ViolationKind.Impure, "an async arrow", raft, "export const f = async () => 1;"),
  at(ViolationKind.Impure, "an async method", raft, "class A { async f() {} }"),
  at(ViolationKind.Impure, "a Promise type", raft, "export type P = Promise<void>;"),
  at(ViolationKind.Impure, "the clock", raft, "export const now = Date.now();"),
  at(ViolationKind.Impure, "new Date", raft, "export const now = new Date();"),
  at(ViolationKind.Impure, "in a template's hole", raft, "export const now = `${Date.now()}`;"),
  at(ViolationKind.Impure, "Math.random", raft, "export const x = Math.random();"),
  at(ViolationKind.Impure, "a timer", raft, "setTimeout(() => {}, 1);"),
  at(ViolationKind.Impure, "a global as argument", raft, "f(process);"),
  at(ViolationKind.Impure, "a global as a choice", raft, "const x = y ? Date : z;"),
  at(ViolationKind.Impure, "a locale", raft, "a.localeCompare(b);"),
  at(ViolationKind.Impure, "a locale, perhaps", raft, "a?.localeCompare(b);"),
  {
    name: "an import that package.json does not declare",
    kind: ViolationKind.Undeclared,
    at: "packages/raft/src/b.ts:2",
    change: { "packages/raft/package.json": manifest("raft") },
  },
  {
    name: "a run-time dependency without a place",
    kind: ViolationKind.Page,
    at: "packages/raft/package.json:1",
    change: { "packages/raft/package.json": manifest("raft", [...ours("base"), "lodash"]) },
  },
  {
    name: "an upward dependency that nobody imports yet",
    kind: ViolationKind.Page,
    at: "packages/raft/package.json:1",
    change: { "packages/raft/package.json": manifest("raft", ours("base", "host")) },
  },
  {
    name: "a cycle of three files, types included",
    kind: ViolationKind.FileCycle,
    at: "packages/raft/src/x.ts:1",
    change: {
      "packages/raft/src/x.ts": 'import "./y.ts";',
      "packages/raft/src/y.ts": 'import type { Z } from "./z.ts";',
      "packages/raft/src/z.ts": 'export * from "./x.ts";',
    },
  },
  {
    name: "a package without a place",
    kind: ViolationKind.Page,
    at: "packages/extra:1",
    change: { "packages/extra/package.json": manifest("extra") },
  },
  {
    name: "a place without a package",
    kind: ViolationKind.Page,
    at: "architecture.json:1",
    change: { "architecture.json": withPage({ gone: { level: 1 } }) },
  },
  {
    name: "a page that allows an import to go up",
    kind: ViolationKind.Page,
    at: "architecture.json:1",
    change: {
      "architecture.json": withPage({ base: { level: 0, imports: ["kv"], pure: ["src"] } }),
    },
  },
  {
    name: "a page that allows an import sideways",
    kind: ViolationKind.Page,
    at: "architecture.json:1",
    change: {
      "architecture.json": withPage({ kv: { level: 1, imports: ["base", "raft"], pure: ["src"] } }),
    },
  },
  {
    name: "a pure folder that the type checker does not know",
    kind: ViolationKind.Page,
    at: "tsconfig.pure.json:1",
    change: { "tsconfig.pure.json": JSON.stringify({ include: pureFolders.slice(1) }) },
  },
];
for (const { name, kind, at: place, change } of cases) {
  test(`${kind}: ${name}`, () => deepEqual(violationsOf(change), [`${kind} ${place}`]));
}

test("package-cycle: two packages that import each other", () => {
  const found = violationsOf({
    "packages/raft/package.json": manifest("raft", ours("base", "kv")),
    "packages/raft/src/new.ts": 'import "@quorate/kv";',
    "packages/kv/package.json": manifest("kv", ours("base", "raft")),
    "packages/kv/src/new.ts": 'import "@quorate/raft";',
  });
  equal(found.filter((line) => line.startsWith(ViolationKind.PackageCycle)).length, 1);
});

test("every kind of violation has a case", () => {
  const proved = new Set<string>([...cases.map(({ kind }) => kind), ViolationKind.PackageCycle]);
  deepEqual([...proved].sort(), Object.values(ViolationKind).sort());
});
