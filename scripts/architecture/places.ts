// Compares architecture.json with what is there: every package has a place, declares only what it
// may import, and the type checker's list of pure folders is the same list.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { workspacePackage } from "./imports.ts";
import { contradictions, type Rulebook } from "./rulebook.ts";
import { type Violation, ViolationKind } from "./violation.ts";
import type { Workspace } from "./workspace.ts";

const PAGE = "architecture.json";

export function checkPlaces(root: string, workspace: Workspace, rulebook: Rulebook): Violation[] {
  const violations = contradictions(rulebook).map((text) => page(PAGE, text));
  for (const rule of rulebook.packages.values()) {
    if (!rule.planned && !workspace.packages.has(rule.name)) {
      violations.push(page(PAGE, `${rule.name} has a place but no folder, and is not planned`));
    }
  }
  for (const [name, manifest] of workspace.packages) {
    const rule = rulebook.packages.get(name);
    if (rule === undefined) {
      violations.push(page(`packages/${name}`, "has no place in architecture.json"));
      continue;
    }
    for (const dependency of manifest.dependencies) {
      const target = workspacePackage(dependency);
      const listed =
        target === null ? rule.dependencies.includes(dependency) : rule.imports.includes(target);
      if (!listed) {
        const text = `declares ${dependency}, which architecture.json does not list`;
        violations.push(page(`packages/${name}/package.json`, text));
      }
    }
  }
  return [...violations, ...checkPureList(root, workspace, rulebook)];
}

function checkPureList(root: string, workspace: Workspace, rulebook: Rulebook): Violation[] {
  const path = "tsconfig.pure.json";
  if (!existsSync(join(root, path))) return [page(path, "is missing: it checks the pure folders")];
  const { include } = JSON.parse(readFileSync(join(root, path), "utf8")) as { include: string[] };
  const expected = [...rulebook.packages.values()]
    .filter((rule) => workspace.packages.has(rule.name))
    .flatMap((rule) => rule.pure.map((folder) => `packages/${rule.name}/${folder}`));
  const difference = [
    ...expected.filter((folder) => !include.includes(folder)),
    ...include.filter((folder) => !expected.includes(folder)),
  ];
  if (difference.length === 0) return [];
  return [page(path, `differs from architecture.json in ${difference.join(", ")}`)];
}

function page(path: string, text: string): Violation {
  return { kind: ViolationKind.Page, path, line: 1, text };
}
