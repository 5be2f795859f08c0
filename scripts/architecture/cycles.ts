// Finds cycles of imports, between packages and between the files of a package. Types count: a
// cycle of types is two files that cannot be understood one after the other.
import { workspacePackage } from "./imports.ts";
import { type Violation, ViolationKind } from "./violation.ts";
import { resolveRelative, type Workspace } from "./workspace.ts";

type Graph = Map<string, Set<string>>;

export function checkCycles(workspace: Workspace): Violation[] {
  const packages: Graph = new Map();
  const files: Graph = new Map();
  for (const file of workspace.files.values()) {
    if (file.isTest) continue;
    for (const { specifier } of file.imports) {
      if (specifier === null) continue;
      if (specifier.startsWith(".")) {
        link(files, file.path, resolveRelative(file.path, specifier));
      } else if (file.owner !== null) {
        const target = workspacePackage(specifier);
        if (target !== null && target !== file.owner) link(packages, file.owner, target);
      }
    }
  }
  return [
    ...cyclesOf(packages).map((cycle) =>
      violation(ViolationKind.PackageCycle, `packages/${cycle[0]!}`, cycle),
    ),
    ...cyclesOf(files).map((cycle) => violation(ViolationKind.FileCycle, cycle[0]!, cycle)),
  ];
}

function link(graph: Graph, from: string, to: string): void {
  const targets = graph.get(from);
  if (targets === undefined) graph.set(from, new Set([to]));
  else targets.add(to);
}

function violation(kind: ViolationKind, path: string, cycle: readonly string[]): Violation {
  return { kind, path, line: 1, text: `cycle: ${[...cycle, cycle[0]].join(" → ")}` };
}

/** One cycle for each edge that leads back into the path of a depth-first walk. */
function cyclesOf(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    if (finished.has(node)) return;
    const start = path.indexOf(node);
    if (start >= 0) {
      cycles.push(path.slice(start));
      return;
    }
    path.push(node);
    for (const next of [...(graph.get(node) ?? [])].sort()) visit(next);
    path.pop();
    finished.add(node);
  };
  for (const node of [...graph.keys()].sort()) visit(node);
  return cycles;
}
