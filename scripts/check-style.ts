// Checks the rules of the house style that a line or a name shows: size, headers, banned syntax,
// banned names, and traces of a machine in any file that git would keep. The linter has the rest.
// Reads only; says every violation and ends with 1 when there is one.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMark, isWord } from "./source/imports.ts";
import { type Token, tokenize, TokenKind } from "./source/tokens.ts";

export const StyleRule = {
  TooLong: "too-long",
  NoHeader: "no-header",
  Enum: "enum",
  Namespace: "namespace",
  DefaultExport: "default-export",
  Name: "name",
  MachinePath: "machine-path",
  RegistryHost: "registry-host",
  LooseVersion: "loose-version",
} as const;
export type StyleRule = (typeof StyleRule)[keyof typeof StyleRule];

export interface StyleViolation {
  readonly rule: StyleRule;
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

const LINES_MAX = 600;
const CODE = /^(?:packages|scripts|tests)\/.*\.(?:ts|mts|cts|tsx|js|mjs|cjs)$/;
const GENERATED = /^packages\/proto\/src\/gen\//;
/** node:test takes a reporter from a module's default export and no other way. */
const NEEDS_DEFAULT_EXPORT: ReadonlySet<string> = new Set(["scripts/testing/reporter.ts"]);
/** Names that say nothing: what is in such a file has a name of its own. */
const NAMES_BANNED: ReadonlySet<string> = new Set(
  "util utils helper helpers common commons manager managers misc stuff".split(" "),
);
// Put together here, so that this file does not find itself.
const MACHINE_PATH = new RegExp(`(?<![\\w.~/-])/${"(?:root|work)"}/`);
const REGISTRY_HOST = new RegExp(
  `\\bregistry${"\\."}[\\w-]+\\.[a-z]{2,}[:/"\\s]|"resolved": "${"https?:"}//|https?://[\\w.:-]+/npm\\b`,
);

/** What git keeps or would keep: tracked files, and new ones that it does not ignore. */
export function keptFiles(root: string): string[] {
  const flags = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", flags, { cwd: root, encoding: "utf8" });
  return [...new Set(listed.split("\0"))].filter((path) => path !== "").sort();
}

export function checkStyle(root: string, paths: readonly string[]): StyleViolation[] {
  const violations: StyleViolation[] = [];
  for (const path of paths) {
    const text = readText(join(root, path));
    if (text === null) continue;
    const report = (rule: StyleRule, line: number, what: string): void => {
      violations.push({ rule, path, line, text: what });
    };
    checkTraces(text, report);
    if (/(?:^|\/)package\.json$/.test(path)) checkVersions(text, report);
    if (!CODE.test(path) || GENERATED.test(path)) continue;
    checkName(path, report);
    checkShape(text, report);
    checkSyntax(tokenize(text), NEEDS_DEFAULT_EXPORT.has(path), report);
  }
  return violations;
}

type Report = (rule: StyleRule, line: number, what: string) => void;

/** Null: deleted in the work tree, or not text. */
function readText(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    return bytes.includes(0) ? null : bytes.toString("utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

function checkTraces(text: string, report: Report): void {
  text.split("\n").forEach((line, i) => {
    if (MACHINE_PATH.test(line)) {
      report(StyleRule.MachinePath, i + 1, "names a path of one machine");
    }
    if (REGISTRY_HOST.test(line)) {
      report(StyleRule.RegistryHost, i + 1, "names a package registry's host");
    }
  });
}

const EXACT_VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

function checkVersions(text: string, report: Report): void {
  const page = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  for (const key of ["dependencies", "devDependencies", "optionalDependencies"]) {
    for (const [name, version] of Object.entries(page[key] ?? {})) {
      if (EXACT_VERSION.test(version)) continue;
      report(StyleRule.LooseVersion, 1, `${name} is ${version}: a version is exact`);
    }
  }
}

function checkName(path: string, report: Report): void {
  const banned = path.split(/[/.-]/).find((part) => NAMES_BANNED.has(part.toLowerCase()));
  if (banned !== undefined) report(StyleRule.Name, 1, `"${banned}" says nothing about the content`);
}

function checkShape(text: string, report: Report): void {
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length > LINES_MAX) {
    report(StyleRule.TooLong, LINES_MAX + 1, `${lines.length} lines, at most ${LINES_MAX}`);
  }
  const first = lines[0]!.startsWith("#!") ? 1 : 0;
  if (!/^\/[/*]/.test(lines[first] ?? "")) {
    report(StyleRule.NoHeader, first + 1, "no header comment that says what the file is for");
  }
}

function checkSyntax(tokens: readonly Token[], mayExportDefault: boolean, report: Report): void {
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const next = tokens[i + 1];
    const named = next?.kind === TokenKind.Word || next?.kind === TokenKind.String;
    const opens = named && (isMark(tokens[i + 2], "{") || isMark(tokens[i + 2], "."));
    if (token.kind !== TokenKind.Word || isMark(tokens[i - 1], ".")) continue;
    if (token.text === "enum" && opens) {
      report(StyleRule.Enum, token.line, "an enum: use a const object and a type of its values");
    }
    if ((token.text === "namespace" || token.text === "module") && opens) {
      report(StyleRule.Namespace, token.line, "a namespace: a file is the unit");
    }
    const exported = isWord(tokens[i - 1], "export") || isWord(tokens[i - 1], "as");
    if (token.text === "default" && exported && !mayExportDefault) {
      report(StyleRule.DefaultExport, token.line, "a default export: export by name");
    }
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const paths = keptFiles(root);
  const violations = checkStyle(root, paths);
  for (const { path, line, rule, text } of violations) {
    console.log(`${path}:${line}  ${rule}  ${text}`);
  }
  console.log(`style: ${paths.length} files, ${violations.length} violations`);
  process.exitCode = violations.length > 0 || paths.length === 0 ? 1 : 0;
}
