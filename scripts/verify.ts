// Everything that can be checked without starting a cluster: format, lint, types, architecture,
// style, lock, unit tests. Reads only; runs all checks, says which failed, ends with 1 if any did.
//
//   npm run verify                    all of them
//   npm run verify -- --no-tests      without the unit tests, where `npm test` follows
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

interface Check {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** A tool that the workspace installed. */
function tool(title: string, name: string, ...args: string[]): Check {
  return { title, command: join(ROOT, "node_modules/.bin", name), args };
}

function script(title: string, name: string, ...args: string[]): Check {
  return { title, command: process.execPath, args: [join(ROOT, "scripts", name), ...args] };
}

const CHECKS: readonly Check[] = [
  tool("format", "oxfmt", "--check", "."),
  tool("lint", "oxlint", "--type-aware", "--deny-warnings", "--report-unused-disable-directives"),
  tool("types of pure packages", "tsc", "-p", "tsconfig.pure.json"),
  tool("types of everything", "tsc", "-p", "tsconfig.json"),
  script("architecture", "check-architecture.ts"),
  script("style", "check-style.ts"),
  script("lock file", "complete-lock.ts", "--check"),
];
const TESTS = script("unit tests", "test.ts", "unit");

/** True when the check passed; what it printed is shown only when it did not. */
function run({ title, command, args }: Check): boolean {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const passed = status === 0;
  console.log(`${passed ? "ok    " : "FAILED"}  ${title} (${seconds} s)`);
  if (!passed) console.log(`${stdout}${stderr}${error === undefined ? "" : error.message}`);
  return passed;
}

function verify(checks: readonly Check[]): number {
  const failed = checks.filter((check) => !run(check)).map(({ title }) => title);
  console.log(failed.length === 0 ? "verified" : `not verified: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

const words = process.argv.slice(2);
const unknown = words.find((word) => word !== "--no-tests");
if (unknown === undefined) {
  process.exitCode = verify(words.length === 0 ? [...CHECKS, TESTS] : CHECKS);
} else {
  console.log(`unknown argument ${unknown}; there is --no-tests`);
  process.exitCode = 1;
}
