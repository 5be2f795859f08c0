// The arguments of `npm run sim` and `quorate sim`, checked: what is wrong is said in one line.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type DamageMode, damageModes } from "../src/damage/disk-budget.ts";
import type { FamilyName } from "../src/nemesis/families.ts";
import { familyNames } from "../src/nemesis/families.ts";
import { scenarioNames } from "../src/scenario/registry.ts";
import { parseFamilies, parseNumbers, type RunPlan } from "../src/run-plan.ts";

export interface SimArguments {
  readonly help: boolean;
  /** The run of `seed`, and of those after it. */
  readonly plan: RunPlan;
  /** Null: until `minutes` are over. */
  readonly runs: number | null;
  readonly minutes: number | null;
  readonly jobs: number;
  readonly trace: boolean;
  readonly marks: boolean;
  readonly unseed: boolean;
  readonly shrink: boolean;
  /** Instead of seeds: this story, or all of them. */
  readonly scenario: string | null;
  readonly full: boolean;
}

export const allScenarios = "all";
export const listScenarios = "list";

export const simHelp = `Usage: quorate sim [options]        in a checkout: npm run sim -- [options]

Runs clusters of real members in a simulated world: crashes, power losses, cut
networks, failing disks, wrong clocks. One seed decides everything; the same
seed is the same run. Checks safety after every event and liveness after the
faults end.

  --seed N          first seed (default: 0)
  --runs N          so many seeds, one after the other (default: 1)
  --minutes M       new seeds for so long
  --members N       1, 3, 5, 7 or 9 members (default: drawn)
  --auth            users and rights in every run (without it: in one of three)
  --search          search all histories for an order, without trust in the log
                    (without it: those of every tenth seed)
  --jobs J          processes (default: the number of cores)
  --trace           print what happens, line by line (one process)
  --marks           print which places in the code were passed, how often
  --unseed          print only seed and unseed: equal for equal runs
  --shrink          make a failing run smaller before it is shown
  -h, --help        print this help

  --scenario NAME   a story instead of what a seed draws; "all": each of them;
                    "list": their names
  --full            the story's long form, with its tables

To take something away from what a seed draws (--shrink prints these):
  --targeted        a short run that crashes a process at the seed's mark
  --seconds S       virtual seconds with load and faults (default: 60)
  --clients N       so many clients
  --without A,B     families of faults that stay off:
${indented(familyNames)}
  --calm-network    no loss, no duplicates, no unusual delays
  --damage MODE     damage to what is durable: none, atlas (of at most f members
                    at a time), beyond (of any number)
  --refuse LIST     acts and operations that do not happen: 3,7-12

Ends with 0 when every run passed, 1 when one failed, 64 on wrong usage. After
1,000 runs or more, a fault that was never injected or a mark that was never
passed is a failure, too. Ctrl-C ends with the figures so far, and 130.
`;

/** Comma-separated, in lines that fit a terminal. */
function indented(names: readonly string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    const fits = last !== undefined && last.length + name.length < 56;
    if (fits) lines[lines.length - 1] = `${last}, ${name}`;
    else lines.push(name);
  }
  return lines.map((line) => `${" ".repeat(20)}${line}`).join(",\n");
}

const options = {
  seed: { type: "string" },
  runs: { type: "string" },
  minutes: { type: "string" },
  members: { type: "string" },
  auth: { type: "boolean", default: false },
  search: { type: "boolean", default: false },
  jobs: { type: "string" },
  trace: { type: "boolean", default: false },
  marks: { type: "boolean", default: false },
  unseed: { type: "boolean", default: false },
  shrink: { type: "boolean", default: false },
  scenario: { type: "string" },
  full: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  targeted: { type: "boolean", default: false },
  seconds: { type: "string" },
  clients: { type: "string" },
  without: { type: "string" },
  "calm-network": { type: "boolean", default: false },
  damage: { type: "string" },
  refuse: { type: "string" },
} as const;

const membersAllowed = [1, 3, 5, 7, 9];

/** Or what is wrong with them. */
export function parseArguments(argv: readonly string[]): SimArguments | string {
  try {
    return check(parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }));
  } catch (error) {
    return (error as Error).message.replace(/\.?(\n| To specify).*$/s, "");
  }
}

function check({ values }: ReturnType<typeof parse>): SimArguments {
  const minutes = values.minutes === undefined ? null : numberOf("minutes", values.minutes, 0);
  const wanted = values.runs === undefined ? null : wholeOf("runs", values.runs, 1);
  if (minutes !== null && wanted !== null) throw new Error("give --runs or --minutes, not both");
  const members = values.members === undefined ? null : wholeOf("members", values.members, 1);
  if (members !== null && !membersAllowed.includes(members)) {
    throw new Error(`--members must be one of ${membersAllowed.join(", ")}, not ${members}`);
  }
  const single = values.trace;
  return {
    help: values.help,
    plan: {
      seed: values.seed === undefined ? 0 : wholeOf("seed", values.seed, 0),
      targeted: values.targeted,
      members,
      clients: values.clients === undefined ? null : wholeOf("clients", values.clients, 1),
      seconds: values.seconds === undefined ? null : numberOf("seconds", values.seconds, 0),
      without: values.without === undefined ? [] : familiesOf(values.without),
      calmNetwork: values["calm-network"],
      damage: values.damage === undefined ? null : damageOf(values.damage),
      auth: values.auth,
      search: values.search,
      refuse: values.refuse === undefined ? [] : numbersOf(values.refuse),
    },
    runs: minutes === null ? (wanted ?? 1) : null,
    minutes,
    jobs: single ? 1 : jobsOf(values.jobs),
    trace: values.trace,
    marks: values.marks,
    unseed: values.unseed,
    shrink: values.shrink,
    scenario: values.scenario === undefined ? null : scenarioOf(values.scenario),
    full: values.full,
  };
}

// Only for its type.
function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
}

function jobsOf(text: string | undefined): number {
  return text === undefined ? availableParallelism() : wholeOf("jobs", text, 1);
}

function wholeOf(name: string, text: string, min: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new Error(`--${name} must be a whole number of at least ${min}, not ${text}`);
}

function numberOf(name: string, text: string, above: number): number {
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value > above) return value;
  throw new Error(`--${name} must be a number above ${above}, not ${text}`);
}

function familiesOf(text: string): FamilyName[] {
  const families = parseFamilies(text);
  if (typeof families !== "string") return families;
  throw new Error(`--without: no family ${families}; there are ${familyNames.join(", ")}`);
}

function scenarioOf(name: string): string {
  if (name === allScenarios || name === listScenarios || scenarioNames.includes(name)) return name;
  throw new Error(`--scenario: no story ${name}; --scenario list names them`);
}

function damageOf(text: string): DamageMode {
  const mode = damageModes.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new Error(`--damage must be one of ${damageModes.join(", ")}, not ${text}`);
}

function numbersOf(text: string): number[] {
  const numbers = parseNumbers(text);
  if (numbers !== null) return numbers;
  throw new Error(`--refuse must be a list like 3,7-12, not ${text}`);
}
