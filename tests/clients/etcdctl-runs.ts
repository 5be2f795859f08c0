// etcdctl commands that go on until they are told to stop: what they have said so far, and how they end.
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { plainEnvironment } from "../processes/entry.ts";
import { eventually } from "../processes/eventually.ts";

export interface RunEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class EtcdctlRun {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #end: Promise<number | null>;
  readonly #argv: readonly string[];
  out: string;
  err: string;

  constructor(address: string, argv: readonly string[]) {
    this.out = "";
    this.err = "";
    this.#argv = argv;
    this.#child = spawn("etcdctl", [`--endpoints=${address}`, ...argv], {
      env: { ...plainEnvironment(), ETCDCTL_API: "3" },
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.err += text));
    this.#child.stdin.on("error", () => undefined);
    this.#end = new Promise((resolve) => this.#child.on("close", resolve));
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Until what it has printed matches. */
  async says(pattern: RegExp): Promise<void> {
    const what = `etcdctl ${this.#argv.join(" ")} says ${pattern.source}`;
    await eventually(what, () => pattern.test(this.out));
  }

  async end(): Promise<RunEnd> {
    const code = await this.#end;
    return { code, out: this.out, err: this.err };
  }

  interrupt(): Promise<RunEnd> {
    return this.stop("SIGINT");
  }

  stop(signal: NodeJS.Signals): Promise<RunEnd> {
    this.#child.kill(signal);
    return this.end();
  }
}
