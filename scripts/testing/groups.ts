// The groups of tests: which files belong to each, how Node runs them, how long they may take.
// A test file that belongs to no group would never run: it is an error.
import { filesUnder } from "../source/tree.ts";

export interface TestGroup {
  readonly name: string;
  readonly title: string;
  /** Runs only with --long, or when asked for. */
  readonly long: boolean;
  readonly owns: (path: string) => boolean;
  /** So many processes that share the files, or one for each file and so many at a time. */
  readonly isolation: { readonly shares: number } | { readonly processesMax: number };
  readonly reporter: "dot" | "spec";
  readonly testSecondsMax: number;
  readonly groupSecondsMax: number;
}

const TEST_FILE = /\.test\.(?:ts|js|mjs)$/;
const isLong = (path: string): boolean =>
  path.startsWith("tests/long/") || path.includes(".slow.test.");

function under(folder: string): (path: string) => boolean {
  return (path) => path.startsWith(`${folder}/`) && !isLong(path);
}

const inSimulation = under("packages/sim/test");
const inPackages = under("packages");
const inScripts = under("scripts");
const inConformance = under("tests/conformance");
const inClients = under("tests/clients");

export const GROUPS: readonly TestGroup[] = [
  {
    name: "unit",
    title: "unit tests of all packages and scripts",
    long: false,
    owns: (path) => (inPackages(path) && !inSimulation(path)) || inScripts(path),
    isolation: { shares: 2 },
    reporter: "dot",
    testSecondsMax: 120,
    groupSecondsMax: 600,
  },
  {
    name: "simulation",
    title: "clusters in the simulated world",
    long: false,
    owns: inSimulation,
    isolation: { processesMax: 2 },
    reporter: "spec",
    testSecondsMax: 600,
    groupSecondsMax: 900,
  },
  {
    name: "processes",
    title: "real processes on loopback",
    long: false,
    owns: under("tests/processes"),
    // They wait for each other's processes more than they compute.
    isolation: { processesMax: 2 },
    reporter: "spec",
    testSecondsMax: 300,
    groupSecondsMax: 900,
  },
  {
    name: "namespaces",
    title: "real processes in network namespaces, cut from each other",
    long: false,
    owns: under("tests/namespaces"),
    isolation: { processesMax: 1 },
    reporter: "spec",
    testSecondsMax: 300,
    groupSecondsMax: 900,
  },
  {
    name: "conformance",
    title: "clients of etcd against Quorate",
    long: false,
    owns: (path) => inConformance(path) || inClients(path),
    // Elections, leases and the age of connections are waited for: more at a time than there are cores.
    isolation: { processesMax: 3 },
    reporter: "spec",
    testSecondsMax: 300,
    groupSecondsMax: 900,
  },
  {
    name: "long",
    title: "long runs",
    long: true,
    owns: isLong,
    isolation: { processesMax: 1 },
    reporter: "spec",
    testSecondsMax: 3600,
    groupSecondsMax: 14400,
  },
];

export interface Selection {
  readonly runs: readonly { readonly group: TestGroup; readonly files: readonly string[] }[];
  /** Why the selection is no good. */
  readonly errors: readonly string[];
}

/** `wanted`: names of groups, files or folders; none means every group that is not long. */
export function select(root: string, wanted: readonly string[], long: boolean): Selection {
  const all = ["packages", "scripts", "tests"]
    .flatMap((folder) => filesUnder(root, folder))
    .filter((path) => TEST_FILE.test(path));
  const errors: string[] = [];
  const homes = new Map<string, TestGroup>();
  for (const path of all) {
    const group = GROUPS.find(({ owns }) => owns(path));
    if (group === undefined) errors.push(`${path} belongs to no group of tests`);
    else homes.set(path, group);
  }
  const chosen = new Set<string>();
  for (const name of wanted) {
    const clean = name.replace(/^\.\//, "").replace(/\/$/, "");
    const isGroup = GROUPS.some((group) => group.name === clean);
    const matches = all.filter((path) =>
      isGroup ? homes.get(path)?.name === clean : path === clean || path.startsWith(`${clean}/`),
    );
    if (matches.length === 0 && !isGroup) errors.push(`no group, test file or folder ${name}`);
    for (const path of matches) chosen.add(path);
  }
  const named = (group: TestGroup): boolean =>
    wanted.length === 0 ? long || !group.long : wanted.includes(group.name);
  const runs = GROUPS.map((group) => {
    const own = all.filter((path) => homes.get(path) === group);
    return { group, files: wanted.length === 0 ? own : own.filter((path) => chosen.has(path)) };
  });
  return {
    runs: runs.filter(({ group, files }) => named(group) || wantedFiles(wanted, files)),
    errors,
  };
}

function wantedFiles(wanted: readonly string[], files: readonly string[]): boolean {
  return wanted.length > 0 && files.length > 0;
}
