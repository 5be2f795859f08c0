// Reads architecture.json: the levels, who may import whom, what pure code may not touch. Says what
// is wrong with the page itself; the sources are judged elsewhere.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface PackageRule {
  readonly name: string;
  readonly level: number;
  /** Has a place in the house, but no folder yet. */
  readonly planned: boolean;
  /** Folders without clock, randomness, I/O or async. */
  readonly pure: readonly string[];
  /** Folders that may import node:*. */
  readonly node: readonly string[];
  readonly imports: readonly string[];
  readonly dependencies: readonly string[];
}

export interface Rulebook {
  readonly packages: ReadonlyMap<string, PackageRule>;
  readonly forbiddenWords: ReadonlySet<string>;
  readonly forbiddenGlobals: ReadonlySet<string>;
  /** "name" for a member of anything, "Object.name" for one of a global. */
  readonly forbiddenMembers: ReadonlySet<string>;
}

interface Page {
  readonly packages: Record<string, Partial<PackageRule> & { readonly level: number }>;
  readonly pureForbids: Record<"words" | "globals" | "members", string[]>;
}

export function readRulebook(root: string): Rulebook {
  const page = JSON.parse(readFileSync(join(root, "architecture.json"), "utf8")) as Page;
  const packages = new Map<string, PackageRule>();
  for (const [name, given] of Object.entries(page.packages)) {
    const { level, planned = false, pure = [], node = [], imports = [], dependencies = [] } = given;
    packages.set(name, { name, level, planned, pure, node, imports, dependencies });
  }
  return {
    packages,
    forbiddenWords: new Set(page.pureForbids.words),
    forbiddenGlobals: new Set(page.pureForbids.globals),
    forbiddenMembers: new Set(page.pureForbids.members),
  };
}

/** What the page says against itself: imports that do not go down. */
export function contradictions(rulebook: Rulebook): string[] {
  const found: string[] = [];
  for (const rule of rulebook.packages.values()) {
    for (const name of rule.imports) {
      const target = rulebook.packages.get(name);
      if (target === undefined) {
        found.push(`${rule.name} may import ${name}, which has no place`);
      } else if (target.level >= rule.level) {
        const levels = `level ${rule.level} to level ${target.level}`;
        found.push(`${rule.name} may import ${name}, which does not go down (${levels})`);
      }
    }
  }
  return found;
}
