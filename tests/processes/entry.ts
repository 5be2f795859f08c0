// How tests run the `quorate` command: the very Node and conditions of this process, no shell.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const main = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const nodeArguments = ["--conditions=@quorate/source", main];

export type Environment = Readonly<Record<string, string>>;
export type QuorateProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Runs until it is told to stop; ends with this process, even when that is killed. */
export function startQuorate(
  argv: readonly string[],
  environment: Environment = {},
): QuorateProcess {
  return spawn(process.execPath, [...nodeArguments, ...argv], {
    env: { ...plainEnvironment(), ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function runQuorate(
  argv: readonly string[],
  environment: Environment = {},
  input: string = "",
): Promise<Ended> {
  const child = startQuorate(argv, environment);
  return endOf(child, input);
}

/** Collects what a process says until it ends. */
export function endOf(child: QuorateProcess, input: string = ""): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Without settings that a developer's shell may hold. */
export function plainEnvironment(): Environment {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:ETCD|ETCDCTL|QUORATE)_/.test(name) && name !== "NODE_TEST_CONTEXT",
  );
  return Object.fromEntries(kept) as Environment;
}

/** A tool of the machine, or null where it is not installed. */
export function toolVersion(name: string, ...argv: readonly string[]): string | null {
  const { status, stdout } = spawnSync(name, argv, {
    encoding: "utf8",
    env: { ...plainEnvironment(), ETCDCTL_API: "3" },
  });
  return status === 0 ? stdout : null;
}
