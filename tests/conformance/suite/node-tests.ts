// The suite as tests of node:test, one for each case: what `npm test` runs. A missing etcd is skipped
// loudly.
import { test } from "node:test";
import type { TestContext } from "node:test";
import { groups } from "../cases/groups.ts";
import { badInputSent } from "./bad-input.ts";
import { readDivergences } from "./divergences.ts";
import { linesOf } from "./order.ts";
import type { Turn } from "./order.ts";
import { ServerPool } from "./pool.ts";
import { runCase } from "./runner.ts";
import { missingReason } from "./servers.ts";
import type { ServerKind } from "./servers.ts";

export function testAgainst(kind: ServerKind, names: (name: string) => boolean): void {
  const missing = missingReason(kind);
  if (missing !== null) process.stderr.write(`\nSKIPPED conformance of ${kind}: ${missing}\n\n`);
  const lines = linesOf(groups.filter(({ name }) => names(name)));
  const options = { skip: missing ?? false, concurrency: lines.length };
  test(`the contract suite against ${kind}`, options, async (t) => {
    const pool = new ServerPool(kind);
    try {
      await Promise.all(
        lines.map(async (line) => {
          for (const turn of line) await take(t, pool, turn);
        }),
      );
      for (const sent of badInputSent(kind)) t.diagnostic(sent);
    } finally {
      await pool.close();
    }
  });
}

async function take(t: TestContext, pool: ServerPool, { group, cases }: Turn): Promise<void> {
  const divergences = readDivergences();
  await t.test(`${pool.kind} / ${group.name}: ${group.title}`, async (inner) => {
    for (const each of cases) {
      await inner.test(`${each.rule} ${each.name}`, async (innermost) => {
        const verdict = await runCase(pool, group, each, divergences);
        if (verdict.outcome === "failed") throw verdict.error;
        // What a version lacks is not news for every run: the suite's own command says it.
        if (verdict.outcome === "left-out") innermost.diagnostic(verdict.why);
      });
    }
  });
}
