// One member of a local cluster as a child process: in its own process group, so that Ctrl-C in the
// terminal reaches only the parent, and with a pipe as standard input whose end tells it that the
// parent is gone, even by kill -9.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { exitOnStdinEndVariable } from "../serve/settings.ts";
import { LineWeight, readLogLine } from "./log-line.ts";
import type { LogLine } from "./log-line.ts";

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last warning or error; "" when it left none. */
  readonly lastWords: string;
}

export interface MemberProcessEvents {
  onLine(line: LogLine): void;
  /** Once, after the last line. */
  onEnd(ending: Ending): void;
}

const entry = join(import.meta.dirname, "../main.ts");

export class MemberProcess {
  readonly #child: ChildProcess;
  readonly #events: MemberProcessEvents;
  #lastWords: string;

  constructor(argv: readonly string[], events: MemberProcessEvents) {
    this.#events = events;
    this.#lastWords = "";
    this.#child = spawn(process.execPath, [...process.execArgv, entry, "serve", ...argv], {
      detached: true,
      env: memberEnvironment(process.env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
    }
    this.#child.stdin!.on("error", () => undefined);
    this.#child.on("error", (error) => {
      this.#lastWords = `it could not be started: ${error.message}`;
      if (this.#child.pid === undefined) this.#onClose(null, null);
    });
    this.#child.on("close", (code, signal) => this.#onClose(code, signal));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
    }
  }

  #onLine(text: string): void {
    const line = readLogLine(text);
    if (line.weight >= LineWeight.Warning) {
      this.#lastWords = line.message;
    }
    this.#events.onLine(line);
  }

  #onClose(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child.stdin!.destroy();
    this.#events.onEnd({ code, signal, lastWords: this.#lastWords });
  }
}

/** Without settings meant for some other member. */
function memberEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !/^(?:ETCD|QUORATE)_/.test(name));
  return { ...Object.fromEntries(kept), [exitOnStdinEndVariable]: "1" };
}
