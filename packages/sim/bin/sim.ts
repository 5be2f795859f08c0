// npm run sim -- --seed N [--count N] [--members N] [--targeted] [--trace]
// Runs seeds of the simulator; prints a line for each and, for one that fails, how to see it again.
// Ends with 1 when one failed. The only part of the simulator that sees Node.
import { parseArgs } from "node:util";
import { Run } from "../src/run.ts";
import { targetedRun } from "../src/targeted.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "0" },
    count: { type: "string", default: "1" },
    members: { type: "string" },
    targeted: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} must be a whole number, not ${text}`);
  process.exit(64);
}

const first = numberOf("seed", values.seed);
const count = numberOf("count", values.count);
const members = values.members === undefined ? null : numberOf("members", values.members);
let failed = 0;

function makeRun(seed: number): Run {
  if (values.targeted) return targetedRun(seed);
  return new Run(seed, (options) => {
    if (members !== null) options.members = members;
  });
}

function again(seed: number): string {
  const parts = [`npm run sim -- --seed ${seed}`];
  if (members !== null) parts.push(`--members ${members}`);
  if (values.targeted) parts.push("--targeted");
  return parts.join(" ");
}

for (let seed = first; seed < first + count; seed++) {
  const run = makeRun(seed);
  if (values.trace) run.world.trace.sink = (line) => console.log(line);
  try {
    const { operations, options, ...result } = run.run();
    console.log(
      `seed ${seed} ok: ${options.members} members, ${options.workload}, ` +
        `${operations.ok} ok, ${operations.refused} refused, ${operations.unknown} unknown, ` +
        `${result.leaders} leaders, ${result.boots} boots, ${result.durabilityChecks} checks of ` +
        `disks, ${(result.virtualMs / 1000).toFixed(1)} s, unseed ${result.unseed}`,
    );
  } catch (error) {
    failed++;
    if (!values.trace) console.log(run.world.trace.tail(40).join("\n"));
    console.log(run.describe());
    console.log((error as Error).stack);
    console.log(`seed ${seed} FAILED; again: ${again(seed)}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
