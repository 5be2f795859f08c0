// Which files a check reads: everything in a folder that is neither installed, built nor hidden.
import { readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDERS_SKIPPED: ReadonlySet<string> = new Set(["node_modules", "dist", "testdata"]);

/** Paths relative to `root`, with slashes, sorted. A folder that is not there has no files. */
export function filesUnder(root: string, folder: string): string[] {
  const files: string[] = [];
  walk(root, folder, files);
  return files.sort();
}

function walk(root: string, folder: string, files: string[]): void {
  for (const entry of entriesOf(join(root, folder))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) files.push(path);
    const skipped = FOLDERS_SKIPPED.has(entry.name) || entry.name.startsWith(".");
    if (entry.isDirectory() && !skipped) walk(root, path, files);
  }
}

/** Sub-folders by name, sorted. */
export function foldersIn(root: string, folder: string): string[] {
  return entriesOf(join(root, folder))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
