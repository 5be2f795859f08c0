// Judges each import of each file: does it go down, is it declared, does it stay at home.
import { isBuiltin } from "node:module";
import type { Import } from "../source/imports.ts";
import type { Rulebook } from "./rulebook.ts";
import { type Violation, ViolationKind } from "./violation.ts";
import { resolveRelative, type SourceFile, type Workspace } from "./workspace.ts";

const SCOPE = "@quorate/";

/** The package, without the scope, that a specifier names; null: none of ours. */
export function workspacePackage(specifier: string): string | null {
  return specifier.startsWith(SCOPE) ? specifier.slice(SCOPE.length).split("/")[0]! : null;
}

export function checkImports(workspace: Workspace, rulebook: Rulebook): Violation[] {
  const violations: Violation[] = [];
  for (const file of workspace.files.values()) {
    for (const found of file.imports) {
      const verdict = judge(workspace, rulebook, file, found);
      if (verdict !== null) {
        violations.push({ kind: verdict[0], path: file.path, line: found.line, text: verdict[1] });
      }
    }
  }
  return violations;
}

type Verdict = readonly [ViolationKind, string] | null;

function judge(workspace: Workspace, rulebook: Rulebook, file: SourceFile, found: Import): Verdict {
  const specifier = found.specifier;
  if (specifier === null) {
    // Tests load fixtures by computed paths; shipped code has no reason to.
    if (file.isTest || file.owner === null) return null;
    return [ViolationKind.Unfollowable, "imports a computed module"];
  }
  if (specifier.startsWith(".")) return judgeRelative(workspace, file, specifier);
  if (specifier.startsWith("/") || specifier.startsWith("file:")) {
    return [ViolationKind.LeavesPackage, `imports ${specifier} by an absolute path`];
  }
  const target = workspacePackage(specifier);
  if (target !== null) return judgeWorkspace(workspace, rulebook, file, specifier, target);
  if (isBuiltin(specifier)) {
    if (file.mayUseNode) return null;
    return [ViolationKind.NodeImport, `imports ${specifier} outside the folders that may`];
  }
  return judgeExternal(workspace, rulebook, file, specifier);
}

function judgeRelative(workspace: Workspace, file: SourceFile, specifier: string): Verdict {
  const target = resolveRelative(file.path, specifier);
  if (!target.startsWith(`${file.home}/`)) {
    return [ViolationKind.LeavesPackage, `imports ${specifier}, outside ${file.home}`];
  }
  if (file.owner !== null && target === `${file.home}/src/index.ts`) {
    return [ViolationKind.OwnIndex, `imports its own package's index by ${specifier}`];
  }
  if (!workspace.files.has(target) && !/\.(?:json|txt|html|css)$/.test(target)) {
    return [ViolationKind.Missing, `imports ${specifier}, which is no source file`];
  }
  return null;
}

function judgeWorkspace(
  workspace: Workspace,
  rulebook: Rulebook,
  file: SourceFile,
  specifier: string,
  target: string,
): Verdict {
  if (!workspace.packages.has(target)) {
    return [ViolationKind.Missing, `imports ${specifier}, which is no package here`];
  }
  // Tests, and what is no package, may look at everything.
  if (file.owner === null || file.isTest) return null;
  if (target === file.owner) {
    return [ViolationKind.OwnName, `imports its own package by name (${specifier})`];
  }
  const rule = rulebook.packages.get(file.owner);
  const targetRule = rulebook.packages.get(target);
  // A package without a place is reported once, for itself.
  if (rule === undefined || targetRule === undefined) return null;
  const levels = `${file.owner} (level ${rule.level}) imports ${target} (level ${targetRule.level})`;
  if (targetRule.level > rule.level) return [ViolationKind.Upward, levels];
  if (targetRule.level === rule.level) return [ViolationKind.Sideways, levels];
  if (!rule.imports.includes(target)) {
    return [ViolationKind.NotListed, `${levels}, which architecture.json does not list`];
  }
  if (specifier.endsWith("/internal") && file.owner !== "sim") {
    return [ViolationKind.Internal, `imports ${specifier}, which is for tests and sim`];
  }
  if (!workspace.packages.get(file.owner)!.dependencies.has(SCOPE + target)) {
    return [ViolationKind.Undeclared, `imports ${specifier}, missing in its package.json`];
  }
  return null;
}

function judgeExternal(
  workspace: Workspace,
  rulebook: Rulebook,
  file: SourceFile,
  specifier: string,
): Verdict {
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0]!;
  const declaredBy = file.owner === null ? null : workspace.packages.get(file.owner)!;
  if (file.owner === null || file.isTest) {
    const declared = workspace.root.devDependencies.has(name);
    if (declared || declaredBy?.dependencies.has(name)) return null;
    return [ViolationKind.Undeclared, `imports ${name}, missing in the root's devDependencies`];
  }
  if (!declaredBy!.dependencies.has(name)) {
    return [ViolationKind.Undeclared, `imports ${name}, missing in its package.json`];
  }
  if (rulebook.packages.get(file.owner)?.dependencies.includes(name)) return null;
  return [ViolationKind.NotListed, `imports ${name}, which architecture.json does not list`];
}
