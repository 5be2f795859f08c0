// That nothing is forgotten: every rule of the contract has a case, every divergence with an id is met
// by one.
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync, globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { groups } from "./cases/groups.ts";
import { rulesWithoutCase } from "./suite/completeness.ts";
import { readDivergences } from "./suite/divergences.ts";

test("every rule of etcd-api.md §1.3 has a case", () => deepEqual(rulesWithoutCase(), []));

test("docs/DIVERGENCE.md and the cases name the same divergences", () => {
  const listed = [...readDivergences().keys()].sort();
  const used = new Set<string>();
  for (const file of globSync("cases/*.ts", { cwd: import.meta.dirname })) {
    const source = readFileSync(join(import.meta.dirname, file), "utf8");
    for (const [id] of source.matchAll(/X-[a-z0-9-]+/g)) used.add(id);
  }
  deepEqual([...used].sort(), listed);
});

test("groups have names of their own", () => {
  const names = groups.map(({ name }) => name);
  equal(new Set(names).size, names.length);
});
