// Finds what a pure file must not touch: async code, ambient time and randomness, the platform,
// locales. By names: a local variable called like a forbidden global is refused too.
import { isMark } from "../source/imports.ts";
import { type Token, TokenKind } from "../source/tokens.ts";
import type { Rulebook } from "./rulebook.ts";
import { type Violation, ViolationKind } from "./violation.ts";
import type { SourceFile, Workspace } from "./workspace.ts";

export function checkPurity(workspace: Workspace, rulebook: Rulebook): Violation[] {
  const violations: Violation[] = [];
  for (const file of workspace.files.values()) {
    if (file.isPure) judge(file, rulebook, violations);
  }
  return violations;
}

function judge(file: SourceFile, rulebook: Rulebook, violations: Violation[]): void {
  const tokens = file.tokens;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === TokenKind.Word && isForbidden(tokens, i, rulebook)) {
      const text = `uses ${describe(tokens, i)} in pure code`;
      violations.push({ kind: ViolationKind.Impure, path: file.path, line: token.line, text });
    }
  }
}

function isForbidden(tokens: readonly Token[], at: number, rulebook: Rulebook): boolean {
  const word = tokens[at]!.text;
  if (isMark(tokens[at - 1], ".") || isMark(tokens[at - 1], "?.")) {
    const members = rulebook.forbiddenMembers;
    return members.has(word) || members.has(`${tokens[at - 2]?.text}.${word}`);
  }
  if (!rulebook.forbiddenWords.has(word) && !rulebook.forbiddenGlobals.has(word)) return false;
  return !isDeclaredName(tokens, at);
}

// The name of a property, field or method, which is no use of the global of that name.
function isDeclaredName(tokens: readonly Token[], at: number): boolean {
  let next = at + 1;
  if (isMark(tokens[next], "?") || isMark(tokens[next], "!")) next++;
  const startsMember = mayStartMember(tokens[at - 1]);
  if (isMark(tokens[next], ":")) return startsMember;
  if (!isMark(tokens[next], "(") || !startsMember) return false;
  let depth = 0;
  for (let i = next; i < tokens.length; i++) {
    if (isMark(tokens[i], "(")) depth++;
    if (isMark(tokens[i], ")") && --depth === 0) {
      // A body or a return type follows the parameters of a method, never the arguments of a call.
      return isMark(tokens[i + 1], "{") || isMark(tokens[i + 1], ":");
    }
  }
  return false;
}

const MODIFIERS: ReadonlySet<string> = new Set(
  "readonly public private protected static override abstract declare get set".split(" "),
);

function mayStartMember(previous: Token | undefined): boolean {
  if (previous === undefined) return false;
  if (previous.kind === TokenKind.Word) return MODIFIERS.has(previous.text);
  return previous.kind === TokenKind.Mark && "{}(,;".includes(previous.text);
}

function describe(tokens: readonly Token[], at: number): string {
  const member = isMark(tokens[at - 1], ".") || isMark(tokens[at - 1], "?.");
  return member ? `${tokens[at - 2]?.text ?? ""}.${tokens[at]!.text}` : tokens[at]!.text;
}
