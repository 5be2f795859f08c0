// A copy of the workspace that may be spoilt: its own packages, everything else by links. Imports of
// one package by another must stay inside, so the links of @quorate lead into the copy.
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Mutant } from "./mutant.ts";
import { mutatedSources } from "./mutant-files.ts";

const scope = "@quorate";
const skipped: ReadonlySet<string> = new Set(["node_modules", "dist", "testdata"]);

export class TreeCopy {
  readonly root: string;
  readonly #origin: string;
  /** What stood in the files that are patched now. */
  readonly #kept: Map<string, string>;

  constructor(origin: string) {
    this.#origin = origin;
    this.#kept = new Map();
    this.root = mkdtempSync(join(tmpdir(), "quorate-mutants-"));
    cpSync(join(origin, "packages"), join(this.root, "packages"), {
      recursive: true,
      filter: (path) => !skipped.has(basename(path)),
    });
    cpSync(join(origin, "package.json"), join(this.root, "package.json"));
    this.#link();
  }

  #link(): void {
    const modules = join(this.#origin, "node_modules");
    const own = join(this.root, "node_modules");
    mkdirSync(join(own, scope), { recursive: true });
    for (const name of readdirSync(modules)) {
      if (name !== scope && !name.startsWith(".")) {
        symlinkSync(join(modules, name), join(own, name));
      }
    }
    for (const name of readdirSync(join(this.root, "packages"))) {
      symlinkSync(`../../packages/${name}`, join(own, scope, name));
    }
  }

  patch(mutant: Mutant): void {
    for (const [file, text] of mutatedSources(this.root, mutant)) {
      this.#kept.set(file, readFileSync(join(this.root, file), "utf8"));
      writeFileSync(join(this.root, file), text);
    }
  }

  /** Not from the origin: that one may have changed since. */
  restore(): void {
    for (const [file, text] of this.#kept) writeFileSync(join(this.root, file), text);
    this.#kept.clear();
  }

  /** Names what the simulator would run: equal sources, equal name. */
  fingerprint(): string {
    const hash = createHash("sha256");
    const packages = join(this.root, "packages");
    const files = readdirSync(packages, { recursive: true, encoding: "utf8" });
    for (const file of files.filter((name) => /(?<!\.test)\.ts$/.test(name)).sort()) {
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(packages, file)))
        .update("\0");
    }
    return hash.digest("hex");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
