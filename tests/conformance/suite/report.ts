// What a run prints: a line for each case, then the count and the divergences that were met.
import { badInputSent } from "./bad-input.ts";
import type { Case, Group } from "./case.ts";
import type { Divergence } from "./divergences.ts";
import type { Verdict } from "./runner.ts";
import type { ServerKind } from "./servers.ts";

export class Report {
  readonly #out: NodeJS.WritableStream;
  readonly #quiet: boolean;
  readonly #counts: { ok: number; failed: number; "left-out": number };
  readonly #met: Map<string, Set<string>>;

  constructor(out: NodeJS.WritableStream, quiet: boolean) {
    this.#out = out;
    this.#quiet = quiet;
    this.#counts = { ok: 0, failed: 0, "left-out": 0 };
    this.#met = new Map();
  }

  group(kind: ServerKind, { name, title, cases }: Group): void {
    if (!this.#quiet) this.#line(`\n${kind} / ${name}: ${title} (${cases.length} cases)`);
  }

  verdict(kind: ServerKind, each: Case, verdict: Verdict, elapsedMs: number): void {
    this.#counts[verdict.outcome] += 1;
    const label = `${kind.padEnd(7)} ${each.rule.padEnd(5)} ${each.name}`;
    switch (verdict.outcome) {
      case "ok": {
        for (const id of verdict.differs) this.#meets(id, `${each.rule} ${each.name}`);
        const differs = verdict.differs.length === 0 ? "" : ` [${verdict.differs.join(" ")}]`;
        if (!this.#quiet) this.#line(`ok      ${label}${differs} (${elapsedMs.toFixed(0)} ms)`);
        return;
      }
      case "left-out":
        if (!this.#quiet) this.#line(`-       ${label}: ${verdict.why}`);
        return;
      default:
        this.#line(`FAILED  ${label}\n${indented(verdict.error)}`);
    }
  }

  missing(kind: ServerKind, why: string): void {
    this.#line(`\nLEFT OUT everything against ${kind}: ${why}`);
  }

  problems(problems: readonly string[]): void {
    this.#counts.failed += problems.length;
    for (const problem of problems) this.#line(`FAILED  the suite itself: ${problem}`);
  }

  /** The exit code. */
  close(divergences: ReadonlyMap<string, Divergence>): number {
    if (this.#met.size > 0) this.#line("\ndivergences that were met (docs/DIVERGENCE.md):");
    for (const [id, cases] of this.#met) {
      const { what = "", etcd = "", quorate = "", why = "" } = divergences.get(id) ?? {};
      this.#line(`  ${id}: ${what}\n    etcd: ${etcd}\n    quorate: ${quorate}\n    why: ${why}`);
      for (const each of cases) this.#line(`    in: ${each}`);
    }
    for (const kind of ["etcd", "quorate"] as const) {
      for (const line of badInputSent(kind)) this.#line(line);
    }
    const { ok, failed } = this.#counts;
    const left = this.#counts["left-out"];
    this.#line(`\n${ok} ok, ${failed} failed, ${left} left out, ${this.#met.size} divergences`);
    return failed > 0 || ok === 0 ? 1 : 0;
  }

  #meets(id: string, each: string): void {
    const cases = this.#met.get(id) ?? new Set();
    this.#met.set(id, cases.add(each));
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }
}

function indented({ message, stack }: Error): string {
  const place = /\((?:file:\/\/)?[^()]*\/(cases\/[^()]*)\)|at .*\/(cases\/\S+)/.exec(stack ?? "");
  const lines = message.split("\n").slice(0, 30);
  return [...lines, place === null ? "" : `at ${place[1] ?? place[2]}`]
    .filter((line) => line !== "")
    .map((line) => `        ${line}`)
    .join("\n");
}
