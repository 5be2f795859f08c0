// What a folder holds, file by file, to show that something left it as it was.
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Path → kind, size and hash of the content; empty for a folder that does not exist. */
export function fingerprint(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      return;
    }
    if (!stat.isDirectory()) {
      const hash = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
      found[name] = `file of ${stat.size} bytes, ${hash}`;
      return;
    }
    found[name] = "folder";
    for (const entry of readdirSync(path).sort()) {
      visit(join(path, entry), name === "" ? entry : `${name}/${entry}`);
    }
  };
  visit(folder, "");
  return found;
}
