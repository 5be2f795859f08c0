// A program of the machine (etcdctl, curl), run to its end with what it says; without settings that a
// developer's shell may hold.
import { spawn } from "node:child_process";
import { plainEnvironment } from "./entry.ts";

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function runTool(
  program: string,
  argv: readonly string[],
  input: string = "",
): Promise<Outcome> {
  const child = spawn(program, argv, { env: { ...plainEnvironment(), ETCDCTL_API: "3" } });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
}
