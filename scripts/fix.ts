// Writes what a tool can put right by itself: lint fixes, format, the lock file's missing entries.
// What is left for people is what `npm run verify` still reports.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");

// The linter before the formatter: its fixes leave lines that want formatting.
const STEPS: readonly (readonly [command: string, ...args: string[]])[] = [
  [join(BIN, "oxlint"), "--type-aware", "--fix"],
  [join(BIN, "oxfmt"), "."],
  [process.execPath, join(ROOT, "scripts/complete-lock.ts")],
];

let left = false;
for (const [command, ...args] of STEPS) {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit" });
  left ||= status !== 0;
}
process.exitCode = left ? 1 : 0;
