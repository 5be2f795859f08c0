// Finds what a source file imports: static, type, re-exporting and dynamic imports, import types and
// require calls, from tokens alone.
import { type Token, TokenKind } from "./tokens.ts";

export interface Import {
  /** Null: an expression, which no check can follow. */
  readonly specifier: string | null;
  readonly line: number;
  /** Erased before the program runs: `import type`, `export type`, `import("…").T` as a type. */
  readonly typeOnly: boolean;
}

export function findImports(tokens: readonly Token[]): Import[] {
  const imports: Import[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== TokenKind.Word || isMember(tokens, i)) continue;
    const found =
      token.text === "import"
        ? importAt(tokens, i)
        : token.text === "export"
          ? exportAt(tokens, i)
          : token.text === "require" && isMark(tokens[i + 1], "(")
            ? callAt(tokens, i, false)
            : null;
    if (found !== null) imports.push(found);
  }
  return imports;
}

function importAt(tokens: readonly Token[], at: number): Import | null {
  const next = tokens[at + 1];
  if (next === undefined || isMark(next, ".")) return null;
  if (isMark(next, "(")) return callAt(tokens, at, isTypePosition(tokens, at));
  if (next.kind === TokenKind.String) {
    return { specifier: next.text, line: next.line, typeOnly: false };
  }
  return fromAt(tokens, at);
}

// Only `export *` and `export {…}`, each perhaps behind `type`, can name a module.
function exportAt(tokens: readonly Token[], at: number): Import | null {
  const start = isWord(tokens[at + 1], "type") ? at + 2 : at + 1;
  if (!isMark(tokens[start], "*") && !isMark(tokens[start], "{")) return null;
  return fromAt(tokens, at);
}

// The clause of an import or export holds words, commas, stars and one pair of braces only.
function fromAt(tokens: readonly Token[], at: number): Import | null {
  let names = 0;
  let typeNames = 0;
  for (let i = at + 1; i + 1 < tokens.length; i++) {
    const token = tokens[i]!;
    const next = tokens[i + 1]!;
    if (isWord(token, "from") && next.kind === TokenKind.String) {
      const typeOnly = isTypeClause(tokens, at) || (names > 0 && names === typeNames);
      return { specifier: next.text, line: next.line, typeOnly };
    }
    if (token.kind === TokenKind.Mark && !["{", "}", ",", "*"].includes(token.text)) return null;
    const startsName = isMark(tokens[i - 1], "{") || isMark(tokens[i - 1], ",");
    if (startsName && token.kind === TokenKind.Word) {
      names++;
      if (token.text === "type" && next.kind === TokenKind.Word) typeNames++;
    } else if (i === at + 1 && token.kind === TokenKind.Word && token.text !== "type") {
      names++;
    }
  }
  return null;
}

// `import type X from`, `import type {…}`, `import type * as`; but not `import type from "x"`.
function isTypeClause(tokens: readonly Token[], at: number): boolean {
  if (!isWord(tokens[at + 1], "type")) return false;
  return !(isWord(tokens[at + 2], "from") && tokens[at + 3]?.kind === TokenKind.String);
}

function callAt(tokens: readonly Token[], at: number, typeOnly: boolean): Import {
  const argument = tokens[at + 2];
  const after = tokens[at + 3];
  const literal = argument?.kind === TokenKind.String && (isMark(after, ")") || isMark(after, ","));
  return { specifier: literal ? argument.text : null, line: tokens[at]!.line, typeOnly };
}

// `x: import("y").T`, `typeof import("y")`, `<import("y").T>`. A value position taken for a type
// (`{ a: import("y") }`) is still found, only not as a value.
function isTypePosition(tokens: readonly Token[], at: number): boolean {
  const previous = tokens[at - 1];
  if (isWord(previous, "typeof")) return true;
  return [":", "<", "|", "&"].some((mark) => isMark(previous, mark));
}

function isMember(tokens: readonly Token[], at: number): boolean {
  return isMark(tokens[at - 1], ".") || isMark(tokens[at - 1], "?.");
}

export function isWord(token: Token | undefined, text: string): boolean {
  return token?.kind === TokenKind.Word && token.text === text;
}

export function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === TokenKind.Mark && token.text === text;
}
