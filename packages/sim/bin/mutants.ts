// npm run sim:mutants: puts known bugs back, one at a time, into a copy of the tree, and demands that
// the simulator catches each. Prints by which checker and after how many runs; ends with 1 when one
// survived or does not fit the sources any more.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { Baseline } from "../mutants/baseline.ts";
import { ChildRuns } from "../mutants/child-runs.ts";
import { hunt, type Hunted } from "../mutants/hunt.ts";
import type { Mutant } from "../mutants/mutant.ts";
import { mutatedSources, readMutants, workspaceRoot } from "../mutants/mutant-files.ts";
import { detailLines, summaryLines, tableHead, tableLine } from "../mutants/table.ts";
import { TreeCopy } from "../mutants/tree-copy.ts";

const help = `Usage: npm run sim:mutants -- [options]

  --only TEXT,…   mutants whose names hold one of the texts
  --jobs N        so many at a time (default: the number of cores)
  --seeds N       runs for each at most (default: as its file says)
  --from N        number of the first run (default: 0)
  --show          print what each run that caught one said, and how to see it
  --list          print the mutants and their stories only
  -h, --help      print this help
`;

const { values } = readArguments({
  options: {
    only: { type: "string", default: "" },
    jobs: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string", default: "0" },
    show: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`sim:mutants: ${(error as Error).message} (see --help)`);
    return process.exit(64);
  }
}

function wholeOf(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text !== "" && Number.isSafeInteger(value) && value >= min) return value;
  console.error(`sim:mutants: --${name} must be a whole number of at least ${min}, not ${text}`);
  process.exit(64);
}

/** Those that are caught soon come first. */
function wanted(): Mutant[] {
  const texts = values.only.split(",");
  return readMutants()
    .filter(({ name }) => texts.some((text) => name.includes(text)))
    .sort((a, b) => a.seedsMax - b.seedsMax);
}

async function huntAll(mutants: readonly Mutant[], jobs: number): Promise<Hunted[]> {
  const seedsMax = values.seeds === undefined ? null : wholeOf("seeds", values.seeds, 1);
  const options = { seedsMax, from: wholeOf("from", values.from, 0) };
  const copies = Array.from({ length: jobs }, () => new TreeCopy(workspaceRoot));
  const known = join(workspaceRoot, "node_modules/.cache/sim-mutants.json");
  const baseline = new Baseline(known, copies[0]!.fingerprint());
  const grounds = copies.map((copy) => new ChildRuns(copy, baseline));
  const stopAll = (): void => grounds.forEach((ground) => ground.stop());
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stopAll();
      process.exit(1);
    });
  }
  const waiting = [...mutants];
  const all: Hunted[] = [];
  const work = async (ground: ChildRuns): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const startedMs = performance.now();
      const hunted = await hunt(ground, mutant, options);
      all.push(hunted);
      console.log(tableLine(hunted, (performance.now() - startedMs) / 1000));
      if (values.show) for (const line of detailLines(hunted)) console.log(line);
    }
  };
  try {
    await Promise.all(grounds.map(work));
  } finally {
    stopAll();
  }
  return all;
}

async function main(): Promise<number> {
  const startedMs = performance.now();
  const mutants = wanted();
  if (mutants.length === 0) {
    console.error(`sim:mutants: no mutant is called ${values.only}`);
    return 64;
  }
  if (values.list) {
    for (const { name, story } of mutants) console.log(`${name}: ${story}`);
    return 0;
  }
  // One that does not fit any more is an error before the first run.
  for (const mutant of mutants) mutatedSources(workspaceRoot, mutant);
  const jobs = values.jobs === undefined ? availableParallelism() : wholeOf("jobs", values.jobs, 1);
  console.log(tableHead);
  const all = await huntAll(mutants, Math.min(jobs, mutants.length));
  const seconds = (performance.now() - startedMs) / 1000;
  for (const line of summaryLines(all, seconds)) console.log(line);
  return all.some(({ failure, errors }) => failure === null || errors.length > 0) ? 1 : 0;
}

if (values.help) process.stdout.write(help);
else process.exitCode = await main();
