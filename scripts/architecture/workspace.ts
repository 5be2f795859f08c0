// Loads every source file of the workspace with its imports, and says whose it is and what kind:
// pure, Node, or test. Judges nothing.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { findImports, type Import } from "../source/imports.ts";
import { type Token, tokenize } from "../source/tokens.ts";
import { filesUnder, foldersIn } from "../source/tree.ts";
import type { Rulebook } from "./rulebook.ts";

/** Folders of the root that hold code but are no package. */
const ROOT_FOLDERS: readonly string[] = ["scripts", "tests"];
const SOURCE = /\.(?:ts|mts|cts|tsx|js|mjs|cjs)$/;
const TEST_FILE = /\.(?:test|bench)\.\w+$/;
const TEST_FOLDER = /^(?:.*\/)?(?:test|testing|bench)\//;

export interface SourceFile {
  /** Relative to the workspace's root, with slashes. */
  readonly path: string;
  /** Package name without the scope; null: in a folder of the root. */
  readonly owner: string | null;
  /** Folder that its relative imports must not leave. */
  readonly home: string;
  readonly isTest: boolean;
  readonly isPure: boolean;
  readonly mayUseNode: boolean;
  readonly tokens: readonly Token[];
  readonly imports: readonly Import[];
}

export interface Manifest {
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

export interface Workspace {
  readonly root: Manifest;
  /** By folder name. */
  readonly packages: ReadonlyMap<string, Manifest>;
  /** By path. */
  readonly files: ReadonlyMap<string, SourceFile>;
}

export function loadWorkspace(root: string, rulebook: Rulebook): Workspace {
  const packages = new Map<string, Manifest>();
  const files = new Map<string, SourceFile>();
  for (const name of foldersIn(root, "packages")) {
    packages.set(name, readManifest(root, `packages/${name}/package.json`));
    load(root, `packages/${name}`, name, rulebook, files);
  }
  for (const folder of ROOT_FOLDERS) load(root, folder, null, rulebook, files);
  return { root: readManifest(root, "package.json"), packages, files };
}

function load(
  root: string,
  home: string,
  owner: string | null,
  rulebook: Rulebook,
  files: Map<string, SourceFile>,
): void {
  const rule = owner === null ? undefined : rulebook.packages.get(owner);
  for (const path of filesUnder(root, home)) {
    if (!SOURCE.test(path)) continue;
    const inside = path.slice(home.length + 1);
    const isTest = TEST_FILE.test(inside) || TEST_FOLDER.test(inside);
    const under = (folders: readonly string[] = []): boolean =>
      folders.some((folder) => inside.startsWith(`${folder}/`));
    const tokens = tokenize(readFileSync(join(root, path), "utf8"));
    files.set(path, {
      path,
      owner,
      home,
      isTest,
      isPure: !isTest && under(rule?.pure),
      mayUseNode: isTest || owner === null || under(rule?.node),
      tokens,
      imports: findImports(tokens),
    });
  }
}

function readManifest(root: string, path: string): Manifest {
  const page = JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, unknown>;
  const names = (key: string): ReadonlySet<string> => new Set(Object.keys(page[key] ?? {}));
  return {
    name: String(page["name"]),
    dependencies: new Set([...names("dependencies"), ...names("peerDependencies")]),
    devDependencies: names("devDependencies"),
  };
}

/** The path that a relative specifier means; it may name no file. */
export function resolveRelative(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}
