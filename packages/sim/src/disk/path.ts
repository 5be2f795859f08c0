// Paths of the simulated disk. Relative ones start at the root too: a process has no working
// directory there.
import { assert } from "@quorate/base";

/** "a//b/./c" → ["a", "b", "c"]; relative paths start at the root too. */
export function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from <= path.length;) {
    const slash = path.indexOf("/", from);
    const to = slash < 0 ? path.length : slash;
    const part = path.slice(from, to);
    assert(part !== "..", () => `SimDisk: ".." in the path ${path}`);
    if (part !== "" && part !== ".") parts.push(part);
    from = to + 1;
  }
  return parts;
}

export function parentOf(path: string): string {
  return partsOf(path).slice(0, -1).join("/");
}

/** In the directory itself, not below it. */
export function isIn(directory: string, path: string): boolean {
  return path === `${directory}/${nameOf(path)}`;
}

export function nameOf(path: string): string {
  const name = partsOf(path).at(-1);
  assert(name !== undefined, "SimDisk: the root has no name");
  return name;
}
