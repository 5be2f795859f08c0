// The suite as tests of node:test, one for each case: what `npm test` runs. A group that Quorate does
// not serve yet is skipped there by name and reason (not-served.ts), a missing etcd as loudly.
import { test } from "node:test";
import { groups } from "../cases/groups.ts";
import { notServed } from "../not-served.ts";
import { badInputSent } from "./bad-input.ts";
import { readDivergences } from "./divergences.ts";
import { GroupRun } from "./runner.ts";
import { missingReason } from "./servers.ts";
import type { ServerKind } from "./servers.ts";

export function testAgainst(kind: ServerKind, names: (name: string) => boolean): void {
  const missing = missingReason(kind);
  if (missing !== null) process.stderr.write(`\nSKIPPED conformance of ${kind}: ${missing}\n\n`);
  const divergences = readDivergences();
  for (const group of groups.filter(({ name }) => names(name))) {
    const unserved = kind === "quorate" ? notServed[group.name] : undefined;
    const skip = missing ?? unserved ?? false;
    test(`${kind} / ${group.name}: ${group.title}`, { skip }, async (t) => {
      const run = new GroupRun(kind, group, divergences);
      try {
        for (const each of group.cases) {
          await t.test(`${each.rule} ${each.name}`, async (inner) => {
            const verdict = await run.runCase(each);
            if (verdict.outcome === "failed") throw verdict.error;
            // What a version lacks is not news for every run: the suite's own command says it.
            if (verdict.outcome === "left-out") inner.diagnostic(verdict.why);
          });
        }
        if (group.name === "bad-input") badInputSent(kind).forEach((line) => t.diagnostic(line));
      } finally {
        await run.close();
      }
    });
  }
}
