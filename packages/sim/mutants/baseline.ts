// Which runs are known to pass, or fail, without any mutant, for the sources as they are. Kept in a
// file between two calls of the command; other sources, and it starts anew.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type HuntRun, runArguments, type RunFailure } from "./hunt-run.ts";

interface Page {
  readonly fingerprint: string;
  readonly runs: Record<string, RunFailure | null>;
}

export class Baseline {
  readonly #path: string;
  readonly #fingerprint: string;
  readonly #runs: Map<string, RunFailure | null>;

  constructor(path: string, fingerprint: string) {
    this.#path = path;
    this.#fingerprint = fingerprint;
    const page = read(path);
    this.#runs = new Map(page?.fingerprint === fingerprint ? Object.entries(page.runs) : []);
  }

  /** Null: the run passes. `carryOut` is asked when that is not known yet. */
  async failureOf(
    plan: HuntRun,
    carryOut: () => Promise<RunFailure | null>,
  ): Promise<RunFailure | null> {
    const key = runArguments(plan);
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    const failure = await carryOut();
    this.#runs.set(key, failure);
    this.#write();
    return failure;
  }

  #write(): void {
    const page: Page = { fingerprint: this.#fingerprint, runs: Object.fromEntries(this.#runs) };
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify(page));
  }
}

function read(path: string): Page | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Page;
  } catch {
    // Not there, or cut short by the end of a process: nothing is known then.
    return null;
  }
}
