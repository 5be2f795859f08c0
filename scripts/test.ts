// The one test command: runs the groups of tests one after the other, each in its own `node --test`,
// and ends with a line that counts all. Ends with 1 when a test failed or when none ran.
//
//   npm test                        every group but the long one
//   npm test -- unit processes      only these groups
//   npm test -- packages/raft       only the test files there; a file's path works too
//   npm test -- --long              the long group too
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { select, type TestGroup } from "./testing/groups.ts";
import type { TestReport } from "./testing/reporter.ts";

const REPORTER = join(import.meta.dirname, "testing/reporter.ts");
/** How long a group may take to end by itself once it was told to. */
const STOP_MS = 5000;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

function nodeArguments(group: TestGroup, files: readonly string[], reportPath: string): string[] {
  const isolation =
    "shares" in group.isolation
      ? ["--test-isolation=none"]
      : [`--test-concurrency=${group.isolation.processesMax}`];
  return [
    "--conditions=@quorate/source",
    "--test",
    ...isolation,
    `--test-timeout=${group.testSecondsMax * 1000}`,
    `--test-reporter=${group.reporter}`,
    "--test-reporter-destination=stdout",
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${reportPath}`,
    ...files,
  ];
}

/** Where members keep theirs: each test file and each command then compiles only what is new. */
function compileCache(root: string): string {
  return join(root, "packages/cli/node_modules/.cache/compiled");
}

interface NodeRun {
  readonly root: string;
  readonly args: readonly string[];
  readonly secondsMax: number;
  /** Not shown before its end: another one is being shown. */
  readonly later: boolean;
}

/** Runs tests in a process group of its own, so that nothing it started outlives it; says how it ended. */
async function runNode({ root, args, secondsMax, later }: NodeRun): Promise<string> {
  const environment: NodeJS.ProcessEnv = {
    NODE_COMPILE_CACHE: compileCache(root),
    ...process.env,
  };
  // Set when this command itself runs inside a test; the child must not answer to that one.
  delete environment["NODE_TEST_CONTEXT"];
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    env: environment,
    stdio: ["ignore", later ? "pipe" : "inherit", "inherit"],
  });
  const shown: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => shown.push(chunk));
  const forward = (signal: NodeJS.Signals): void => stop(child, signal);
  process.on("SIGINT", forward);
  process.on("SIGTERM", forward);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    stop(child, "SIGTERM");
  }, secondsMax * 1000);
  const ended = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`did not start: ${error.message}`));
    child.on("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
  clearTimeout(deadline);
  process.off("SIGINT", forward);
  process.off("SIGTERM", forward);
  signalGroup(child, "SIGKILL");
  if (child.stdout?.closed === false) await once(child.stdout, "close");
  process.stdout.write(Buffer.concat(shown));
  return late ? `stopped after ${secondsMax} s` : ended;
}

function stop(child: ChildProcess, signal: NodeJS.Signals): void {
  signalGroup(child, signal);
  setTimeout(() => signalGroup(child, "SIGKILL"), STOP_MS).unref();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone, which is what was wanted.
  }
}

async function runGroup(root: string, group: TestGroup, files: readonly string[]): Promise<Totals> {
  console.log(`\n=== ${group.name}: ${group.title} (${files.length} files)\n`);
  const folder = mkdtempSync(join(tmpdir(), "quorate-test-"));
  const started = performance.now();
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  const shares = await Promise.all(
    sharesOf(group, files).map(async (share, at) => {
      const reportPath = join(folder, `report-${at}.json`);
      const args = nodeArguments(group, share, reportPath);
      const ended = await runNode({ root, args, secondsMax: group.groupSecondsMax, later: at > 0 });
      return { ended, report: readReport(reportPath) };
    }),
  );
  rmSync(folder, { recursive: true });
  for (const { report } of shares) {
    for (const failure of report.failures) console.log(`FAILED ${failure}`);
    for (const skip of report.skips) console.log(`SKIPPED ${skip}`);
  }
  for (const { ended, report } of shares) {
    const endedBadly = ended !== "code 0" && report.failed === 0;
    if (endedBadly) console.log(`FAILED ${group.name} as a whole: ended with ${ended}`);
    totals.passed += report.passed;
    totals.failed += endedBadly ? 1 : report.failed;
    totals.skipped += report.skipped;
  }
  const { passed, failed, skipped } = totals;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`--- ${group.name}: ${passed} ok, ${failed} bad, ${skipped} left out, ${seconds} s`);
  return totals;
}

/** What each process gets: neighbours are alike, and go to different ones. */
function sharesOf({ isolation }: TestGroup, files: readonly string[]): readonly string[][] {
  const count = "shares" in isolation ? Math.min(isolation.shares, files.length) : 1;
  return Array.from({ length: count }, (_, at) => files.filter((__, n) => n % count === at));
}

/** A run that died before its end has written nothing: the way it ended then counts as a failure. */
function readReport(path: string): TestReport {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TestReport;
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const rootFlag = args.find((arg) => arg.startsWith("--root="));
  const root = rootFlag?.slice("--root=".length) ?? join(import.meta.dirname, "..");
  const unknown = args.filter((arg) => arg.startsWith("-") && arg !== "--long" && arg !== rootFlag);
  const wanted = args.filter((arg) => !arg.startsWith("-"));
  const { runs, errors } = select(root, wanted, args.includes("--long"));
  const problems = [...unknown.map((flag) => `unknown flag ${flag}`), ...errors];
  if (problems.length > 0) {
    for (const problem of problems) console.log(problem);
    return 1;
  }
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { group, files } of runs) {
    if (files.length === 0) {
      console.log(`\n=== ${group.name}: no test files`);
      continue;
    }
    const { passed, failed, skipped } = await runGroup(root, group, files);
    totals.passed += passed;
    totals.failed += failed;
    totals.skipped += skipped;
  }
  const { passed, failed, skipped } = totals;
  const noneRan = passed + failed === 0;
  if (noneRan) console.log("\nno test ran");
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || noneRan ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
