// Carries out runs in a copy of the tree by a child process, with a mutant in place or without. A
// child that dies or comes to no end has failed, too.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Baseline } from "./baseline.ts";
import { type ChildLine, cpuSecondsMax } from "./child-line.ts";
import type { Carried, HuntingGround } from "./hunt.ts";
import type { HuntRun, RunFailure } from "./hunt-run.ts";
import type { Mutant } from "./mutant.ts";
import type { TreeCopy } from "./tree-copy.ts";

const saidCharsMax = 4_000;

export class ChildRuns implements HuntingGround {
  readonly #copy: TreeCopy;
  readonly #baseline: Baseline;
  /** At work. */
  #child: ChildProcess | null;

  constructor(copy: TreeCopy, baseline: Baseline) {
    this.#copy = copy;
    this.#baseline = baseline;
    this.#child = null;
  }

  /** This process ends, too: nothing is left behind. */
  stop(): void {
    this.#child?.kill("SIGKILL");
    this.#copy.remove();
  }

  async mutated(mutant: Mutant, plans: readonly HuntRun[]): Promise<Carried> {
    this.#copy.patch(mutant);
    try {
      return await this.#carryOut(plans);
    } finally {
      this.#copy.restore();
    }
  }

  async ownFailure(plan: HuntRun): Promise<RunFailure | null> {
    return this.#baseline.failureOf(plan, async () => (await this.#carryOut([plan])).failure);
  }

  async #carryOut(plans: readonly HuntRun[]): Promise<Carried> {
    const script = join(this.#copy.root, "packages/sim/mutants/child.ts");
    const child = spawn(process.execPath, ["--conditions=@quorate/source", script], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const ended = new Promise<number | string>((resolve) => {
      child.once("close", (code, signal) => resolve(signal ?? code ?? 0));
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said = (said + chunk).slice(-saidCharsMax);
    });
    // A child that died before it has read all says so by its end.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(plans));
    let passed = 0;
    let failure: RunFailure | null = null;
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as ChildLine;
      if (line.ok) passed++;
      else failure = line;
    }
    const how = await ended;
    this.#child = null;
    const isDead = failure === null && passed < plans.length;
    return { passed, failure: isDead ? deathOf(how, said) : failure };
  }
}

function deathOf(how: number | string, said: string): RunFailure {
  if (how === "SIGALRM") {
    const message = `no end after ${cpuSecondsMax} s of the processor`;
    return { property: "time", message, stack: "" };
  }
  // From the line on that names the error.
  const stack = /^\w*Error\b[^]*/m.exec(said)?.[0] ?? said;
  return { property: "assertion", message: `the process ended with ${how}: ${stack}`, stack };
}
