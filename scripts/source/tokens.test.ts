// The lexer: code is told from everything that only looks like code.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { findImports } from "./imports.ts";
import { tokenize, TokenKind } from "./tokens.ts";

const words = (source: string): string[] =>
  tokenize(source)
    .filter((token) => token.kind === TokenKind.Word)
    .map((token) => token.text);

const cases: readonly [string, string, string[]][] = [
  ["line comments", "a // Date\nb", ["a", "b"]],
  ["block comments", "a /* Date\n * Date */ b", ["a", "b"]],
  ["strings", `a "Date" 'Da"te' b`, ["a", "b"]],
  ["escaped quotes", String.raw`a "x\" Date" b '\\' c`, ["a", "b", "c"]],
  ["template text", "a `Date` b", ["a", "b"]],
  ["template holes are code", "a `x ${Date} ${b + `y ${c} z`} Date` d", [..."a", "Date", ..."bcd"]],
  ["braces inside template holes", "a `${{ b: { c } }} Date` d", [..."abcd"]],
  ["escapes in templates", "a `\\` \\${Date}` b", ["a", "b"]],
  ["regular expressions", "a = /Date[/]'\\/\"/g; b", ["a", "b"]],
  ["division", "a / Date / b", ["a", "Date", "b"]],
  ["division after brackets", "(a) / Date / c[0] / b", ["a", "Date", "c", "b"]],
  ["a regular expression after return", "return /Date/ + a", ["return", "a"]],
  ["private and generic names", "this.#a<B>(c!)", ["this", "#a", "B", "c"]],
  ["a first line for the shell", "#!/usr/bin/env node Date\na", ["a"]],
  ["unterminated things end with the file", 'a "Date', ["a"]],
];
for (const [name, source, expected] of cases) {
  test(`tokens: ${name}`, () => deepEqual(words(source), expected));
}

test("lines are counted through comments, templates and strings", () => {
  const source = "/* 1\n2 */ a\n`3\n${b}\n5` c\n// 6\nd";
  const lines = tokenize(source)
    .filter((token) => token.kind === TokenKind.Word)
    .map((token) => [token.text, token.line]);
  deepEqual(lines, [
    ["a", 2],
    ["b", 4],
    ["c", 5],
    ["d", 7],
  ]);
});

const imports: readonly [string, string | null, boolean][] = [
  ['import a from "x";', "x", false],
  ['import * as a from "x";', "x", false],
  ['import a, { b as c } from "x";', "x", false],
  ['import "x";', "x", false],
  ['import { a, type B } from "x";', "x", false],
  ['import { type A, type B } from "x";', "x", true],
  ['import type { A } from "x";', "x", true],
  ['import type * as A from "x";', "x", true],
  ['import type A from "x";', "x", true],
  ['import type from "x";', "x", false],
  ['import { type } from "x";', "x", false],
  ['import a from "x" with { type: "json" };', "x", false],
  ['export { a } from "x";', "x", false],
  ['export * from "x";', "x", false],
  ['export * as a from "x";', "x", false],
  ['export type { A } from "x";', "x", true],
  ['await import("x");', "x", false],
  ['let a: import("x").A;', "x", true],
  ['let a: typeof import("x");', "x", true],
  ["await import(`x`);", "x", false],
  ["await import(x);", null, false],
  ["await import(`x${y}`);", null, false],
  ['await import("x" + y);', null, false],
  ['require("x");', "x", false],
];
for (const [source, specifier, typeOnly] of imports) {
  test(`imports: ${source}`, () => {
    deepEqual(findImports(tokenize(`\n${source}\n`)), [{ specifier, typeOnly, line: 2 }]);
  });
}

test("what only looks like an import is none", () => {
  const sources = [
    '// import a from "x"',
    `const text = 'import a from "x"';`,
    "import.meta.url",
    'a.import("x")',
    'a.require("x")',
    'export const from = "x";',
    "export { a };",
    'export function f(): string { return "x"; }',
  ];
  for (const source of sources) equal(findImports(tokenize(source)).length, 0, source);
});
