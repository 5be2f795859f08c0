// Checks the sources against architecture.json: levels, declared imports, purity, cycles.
// Reads only; says every violation and ends with 1 when there is one.
import { join } from "node:path";
import { checkCycles } from "./architecture/cycles.ts";
import { checkImports } from "./architecture/imports.ts";
import { checkPlaces } from "./architecture/places.ts";
import { checkPurity } from "./architecture/purity.ts";
import { readRulebook } from "./architecture/rulebook.ts";
import type { Violation } from "./architecture/violation.ts";
import { loadWorkspace } from "./architecture/workspace.ts";

export interface ArchitectureReport {
  readonly files: number;
  readonly violations: readonly Violation[];
}

export function checkArchitecture(root: string): ArchitectureReport {
  const rulebook = readRulebook(root);
  const workspace = loadWorkspace(root, rulebook);
  const violations = [
    ...checkPlaces(root, workspace, rulebook),
    ...checkImports(workspace, rulebook),
    ...checkPurity(workspace, rulebook),
    ...checkCycles(workspace),
  ];
  return { files: workspace.files.size, violations };
}

if (import.meta.main) {
  const { files, violations } = checkArchitecture(join(import.meta.dirname, ".."));
  for (const { path, line, kind, text } of violations) {
    console.log(`${path}:${line}  ${kind}  ${text}`);
  }
  console.log(`architecture: ${files} files, ${violations.length} violations`);
  // A checker that silently sees nothing is worse than none.
  process.exitCode = violations.length > 0 || files === 0 ? 1 : 0;
}
