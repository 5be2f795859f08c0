// npm run sim:coverage -- [sim's options]: which lines of raft and storage a simulation alone runs
// through. Runs the simulator under V8's block coverage and prints a line per file, worst first.
// Types, comments and blank lines do not count; a line counts when its first character ran.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

interface CoverageRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly CoverageRange[] }[];
}

const root = join(import.meta.dirname, "../../..");
const measured = ["packages/raft/src", "packages/storage/src"];
/** Tests, faces, and what only works on the directories of stopped members. */
const notMeasured =
  /\.(test|bench|model)\.ts$|\/(test|testing|inspect|recover)\/|\/(index|internal|describe)\.ts$/;

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(root, folder, name))
    .filter((path) => path.endsWith(".ts") && !notMeasured.test(path));
}

/** Offsets of the first character of every line that holds code. */
function codeLines(path: string): { text: string; starts: number[] } {
  const text = readFileSync(path, "utf8");
  const plain = stripTypeScriptTypes(text).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, " "),
  );
  const starts: number[] = [];
  let at = 0;
  for (const line of plain.split("\n")) {
    const first = line.search(/\S/);
    if (first >= 0 && !/^[\s{}()[\];,]*$/.test(line)) starts.push(at + first);
    at += line.length + 1;
  }
  return { text, starts };
}

/** One process's view: whether the character at each offset ran. Inner ranges come after outer ones. */
function ranAt(script: ScriptCoverage, length: number): Uint8Array {
  const ran = new Uint8Array(length);
  const ranges = script.functions.flatMap((one) => one.ranges);
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return ran;
}

function collect(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const name of readdirSync(folder)) {
    const report = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      result: ScriptCoverage[];
    };
    for (const script of report.result) {
      const total = script.url.startsWith("file:")
        ? files.get(fileURLToPath(script.url))
        : undefined;
      if (total === undefined) continue;
      const ran = ranAt(script, total.length);
      for (let at = 0; at < total.length; at++) total[at]! |= ran[at]!;
    }
  }
}

function print(files: ReadonlyMap<string, Uint8Array>): void {
  for (const folder of measured) {
    let all = 0;
    let ranAll = 0;
    const rows: { path: string; share: number; missed: number[] }[] = [];
    for (const [path, ran] of files) {
      if (!path.startsWith(join(root, folder))) continue;
      const { text, starts } = codeLines(path);
      const missed = starts.filter((start) => ran[start] === 0);
      all += starts.length;
      ranAll += starts.length - missed.length;
      const lines = missed.map((start) => text.slice(0, start).split("\n").length);
      rows.push({
        path: relative(root, path),
        share: 1 - missed.length / starts.length,
        missed: lines,
      });
    }
    console.log(`${folder}: ${((100 * ranAll) / all).toFixed(1)} % of ${all} lines`);
    rows.sort((a, b) => a.share - b.share);
    for (const { path, share, missed } of rows.filter((row) => row.missed.length > 0)) {
      console.log(`  ${(100 * share).toFixed(0).padStart(3)} %  ${path}  ${missed.join(" ")}`);
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "quorate-coverage-"));
try {
  const simulator = fileURLToPath(new URL("sim.ts", pathToFileURL(join(import.meta.dirname, "/"))));
  const { status } = spawnSync(process.execPath, [simulator, ...process.argv.slice(2)], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, NODE_V8_COVERAGE: folder },
  });
  const files = new Map(
    measured
      .flatMap(sources)
      .map((path) => [path, new Uint8Array(readFileSync(path, "utf8").length)]),
  );
  collect(folder, files);
  print(files);
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
