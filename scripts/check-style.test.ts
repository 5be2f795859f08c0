// Proves that the style check can fail: one file for each rule, and near misses that must pass.
import { deepEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { checkStyle, keptFiles, StyleRule } from "./check-style.ts";

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folderWith(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "quorate-style-"));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function violationsOf(path: string, text: string): string[] {
  return checkStyle(folderWith({ [path]: text }), [path]).map(
    ({ rule, line }) => `${rule}:${line}`,
  );
}

const slash = "/";
const code = "packages/base/src/a.ts";
const cases: readonly [StyleRule, number, string, string][] = [
  [StyleRule.TooLong, 601, code, `// header\n${"x;\n".repeat(600)}`],
  [StyleRule.NoHeader, 1, code, 'import { a } from "./b.ts";\n// too late\n'],
  [StyleRule.NoHeader, 1, code, ""],
  [StyleRule.NoHeader, 2, "scripts/a.ts", "#!/usr/bin/env node\nx;"],
  [StyleRule.Enum, 2, code, "// header\nexport enum Role { A }"],
  [StyleRule.Enum, 2, code, "// header\nconst enum Role { A }"],
  [StyleRule.Namespace, 2, code, "// header\nnamespace A { x; }"],
  [StyleRule.Namespace, 2, code, "// header\ndeclare module 'a' { }"],
  [StyleRule.Namespace, 2, code, "// header\nnamespace A.B { }"],
  [StyleRule.DefaultExport, 2, code, "// header\nexport default 1;"],
  [StyleRule.DefaultExport, 2, code, "// header\nexport { a as default };"],
  [StyleRule.Name, 1, "packages/base/src/utils/a.ts", "// header"],
  [StyleRule.Name, 1, "packages/base/src/lease-manager.ts", "// header"],
  [StyleRule.Name, 1, "tests/processes/helpers.ts", "// header"],
  [StyleRule.MachinePath, 2, "docs/a.md", `text\nsee ${slash}root/x`],
  [StyleRule.MachinePath, 1, "a.json", `{"a": "${slash}work/main"}`],
  [StyleRule.RegistryHost, 1, ".npmrc", `registry=https:${slash}/registry${"."}example.org/`],
  [StyleRule.LooseVersion, 1, "package.json", '{"devDependencies": {"a": "^1.2.3"}}'],
  [StyleRule.LooseVersion, 1, "packages/a/package.json", '{"dependencies": {"a": "latest"}}'],
  [StyleRule.RegistryHost, 1, "package-lock.json", `"resolved": "https:${slash}/a.b/c.tgz"`],
];
for (const [rule, line, path, text] of cases) {
  test(`${rule}: ${path}: ${JSON.stringify(text.slice(0, 40))}`, () => {
    deepEqual(violationsOf(path, text), [`${rule}:${line}`]);
  });
}

test("every rule has a case", () => {
  deepEqual([...new Set(cases.map(([rule]) => rule))].sort(), Object.values(StyleRule).sort());
});

const fine: readonly [string, string][] = [
  [code, `// header\n${"x;\n".repeat(599)}`],
  [code, "/** header */\nx;"],
  ["scripts/a.ts", "#!/usr/bin/env node\n// header\nx;"],
  [code, '// header: enum A {} export default\nconst a = "namespace B {}";'],
  [code, "// header\nconst a = { enum: 1, namespace: 2, default: 3 }; a.default;"],
  [code, "// header\nimport { default as a } from 'b'; switch (a) { default: break; }"],
  [code, "// header\nconst module = a; namespace;"],
  ["packages/proto/src/gen/rpc_pb.ts", "enum A { B }"],
  [
    "package.json",
    '{"dependencies": {"a": "1.2.3", "b": "1.0.0-rc.1"}, "engines": {"node": ">=20"}}',
  ],
  ["packages/base/src/commonality.ts", "// header"],
  [
    "docs/a.md",
    `src${slash}work/a, ~${slash}work/ and ..${slash}root/b; registry, registries, registry.entries.map(x).`,
  ],
];
for (const [path, text] of fine) {
  test(`passes: ${path}: ${JSON.stringify(text.slice(0, 40))}`, () => {
    deepEqual(violationsOf(path, text), []);
  });
}

test("tracked and new files are read, ignored, deleted and binary ones are not", () => {
  const root = folderWith({
    ".gitignore": "dist/\n",
    "dist/a.ts": `${slash}root/`,
    "tracked.txt": `${slash}root/`,
    "gone.txt": `${slash}root/`,
    "binary.bin": `\0${slash}root/`,
    "new.txt": `${slash}work/`,
  });
  const git = (...args: string[]): unknown => execFileSync("git", args, { cwd: root });
  git("init", "-q");
  git("add", "tracked.txt", "gone.txt", "binary.bin");
  rmSync(join(root, "gone.txt"));
  const found = checkStyle(root, keptFiles(root)).map(({ path, rule }) => `${path} ${rule}`);
  deepEqual(found, ["new.txt machine-path", "tracked.txt machine-path"]);
});
