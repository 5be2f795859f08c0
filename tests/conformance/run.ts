// `npm run conformance`: the contract of etcd-api.md, asked of Quorate and of a real etcd.
//
//   npm run conformance                            both, every group
//   npm run conformance -- --server etcd           only one: etcd, quorate or both
//   npm run conformance -- --only E-W,kv           rules that begin so, or groups
//   npm run conformance -- --quiet                 only what is not well, and the count
//
// One line for each case, then the count and the divergences that were met. Ends with 1 when a case
// failed or none ran.
import { parseArgs } from "node:util";
import { groups } from "./cases/groups.ts";
import type { Group } from "./suite/case.ts";
import { complete } from "./suite/completeness.ts";
import { readDivergences } from "./suite/divergences.ts";
import { Report } from "./suite/report.ts";
import { ServerPool } from "./suite/pool.ts";
import { runCase } from "./suite/runner.ts";
import { missingReason } from "./suite/servers.ts";
import type { ServerKind } from "./suite/servers.ts";

const kinds: Readonly<Record<string, readonly ServerKind[]>> = {
  etcd: ["etcd"],
  quorate: ["quorate"],
  both: ["etcd", "quorate"],
};

/** The groups with the cases that --only names; "kv" a group, "E-W" or "E-W1" rules. */
function narrowed(only: readonly string[]): Group[] {
  if (only.length === 0) return [...groups];
  return groups.flatMap((group) => {
    const cases = group.cases.filter(({ rule }) =>
      only.some(
        (word) =>
          word === group.name ||
          rule === word ||
          (/^E-[A-Z]+$/.test(word) && new RegExp(`^${word}\\d`).test(rule)),
      ),
    );
    return cases.length === 0 ? [] : [{ ...group, cases }];
  });
}

/** Group after group, so that the times of cases mean something. */
async function runAll(kind: ServerKind, chosen: readonly Group[], report: Report): Promise<void> {
  const divergences = readDivergences();
  const pool = new ServerPool(kind);
  for (const group of chosen) {
    report.group(kind, group);
    for (const each of group.cases) {
      const startedMs = performance.now();
      const verdict = await runCase(pool, group, each, divergences);
      report.verdict(kind, each, verdict, performance.now() - startedMs);
    }
  }
  await pool.close();
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      server: { type: "string", default: "both" },
      only: { type: "string", multiple: true, default: [] },
      quiet: { type: "boolean", default: false },
    },
  });
  const asked = kinds[values.server];
  if (asked === undefined) throw new Error("--server is etcd, quorate or both");
  const only = values.only.flatMap((words) => words.split(","));
  const chosen = narrowed(only);
  const report = new Report(process.stdout, values.quiet);
  for (const kind of asked) {
    const why = missingReason(kind);
    if (why === null) await runAll(kind, chosen, report);
    else report.missing(kind, why);
  }
  if (only.length === 0) report.problems(complete(asked));
  return report.close(readDivergences());
}

process.exitCode = await main();
