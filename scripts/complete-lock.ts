// Adds to package-lock.json the optional platform packages that npm left out: a registry that lacks
// some platforms makes `npm install` drop them without a word, and `npm ci` then refuses the lock.
// With --check it only says what is missing. It asks no registry: a platform package carries
// operating system, processor and C library in its name, and its version in its parent's entry.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SYSTEMS: ReadonlySet<string> = new Set(
  "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(" "),
);
const PROCESSORS: ReadonlySet<string> = new Set(
  "arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64".split(" "),
);
const LIBRARIES: Readonly<Record<string, string>> = {
  gnu: "glibc",
  gnueabihf: "glibc",
  musl: "musl",
  musleabihf: "musl",
};
/** Words that say nothing which npm's entries record. */
const SILENT: ReadonlySet<string> = new Set(["binding", "msvc", "eabi", "native"]);

export interface LockEntry {
  readonly version?: string;
  readonly cpu?: readonly string[];
  readonly dev?: boolean;
  readonly libc?: readonly string[];
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Record<string, LockEntry>;
}

export interface Missing {
  readonly name: string;
  readonly version: string;
  readonly parent: string;
  /** Null: the name or the version does not say enough. */
  readonly entry: LockEntry | null;
}

export function missingEntries(lock: Lock): Missing[] {
  const missing = new Map<string, Missing>();
  for (const [path, { optionalDependencies = {}, dev = false }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (findEntry(lock, path, name) || missing.has(name)) continue;
      missing.set(name, { name, version, parent: path, entry: platformEntry(name, version, dev) });
    }
  }
  return [...missing.values()];
}

// As Node looks for a package: in the parent's own node_modules, then in each one above.
function findEntry(lock: Lock, parent: string, name: string): boolean {
  for (let at = parent; ;) {
    if (lock.packages[at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`]) {
      return true;
    }
    if (at === "") return false;
    const up = at.lastIndexOf("/node_modules/");
    at = up < 0 ? "" : at.slice(0, up);
  }
}

/** What npm would have written, without the integrity that only the registry knows. */
export function platformEntry(name: string, version: string, dev: boolean): LockEntry | null {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) return null;
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const start = words.findIndex((word) => SYSTEMS.has(word));
  const processor = words[start + 1];
  if (start < 0 || processor === undefined || !PROCESSORS.has(processor)) return null;
  const rest = words.slice(start + 2).filter((word) => !SILENT.has(word));
  const library = rest.length === 0 ? null : LIBRARIES[rest.join("-")];
  if (library === undefined) return null;
  return {
    version,
    cpu: [processor],
    ...(dev ? { dev } : {}),
    ...(library === null ? {} : { libc: [library] }),
    optional: true,
    os: [words[start]!],
  };
}

/** The lock with the missing entries, in npm's order of paths. */
export function completeLock(lock: Lock, missing: readonly Missing[]): Lock {
  const packages = { ...lock.packages };
  for (const { name, entry } of missing) {
    if (entry !== null) packages[`node_modules/${name}`] = entry;
  }
  // npm itself sorts by this locale.
  const order = (a: [string, LockEntry], b: [string, LockEntry]): number =>
    a[0].localeCompare(b[0], "en");
  return { ...lock, packages: Object.fromEntries(Object.entries(packages).sort(order)) };
}

function main(args: readonly string[]): number {
  const check = args.includes("--check");
  const given = args.find((arg) => !arg.startsWith("--"));
  const path = given ?? join(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8")) as Lock;
  if (lock.lockfileVersion !== 3) {
    console.log(`lock: version ${lock.lockfileVersion}, only 3 is known`);
    return 1;
  }
  const missing = missingEntries(lock);
  const unknown = missing.filter(({ entry }) => entry === null);
  for (const { name, version, parent } of unknown) {
    console.log(`lock: ${name}@${version} of ${parent} is missing, and its platform is not known`);
  }
  if (check) {
    const names = missing.map(({ name }) => name).join(", ");
    if (missing.length > 0) console.log(`lock: missing ${names}; npm run fix adds them`);
    else console.log("lock: complete");
    return missing.length > 0 ? 1 : 0;
  }
  if (missing.length > unknown.length) {
    writeFileSync(path, `${JSON.stringify(completeLock(lock, missing), null, 2)}\n`);
  }
  console.log(`lock: added ${missing.length - unknown.length} entries`);
  return unknown.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
