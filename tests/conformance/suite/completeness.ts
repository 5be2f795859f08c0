// That the suite asks everything: every rule of etcd-api.md §1.3, every RPC of §1.2, every error of
// §1.4 that a client can provoke, and every divergence that docs/DIVERGENCE.md gives an id.
import { etcdServices } from "@quorate/proto";
import { groups } from "../cases/groups.ts";
import { pathOf, WireClient } from "../wire/wire-client.ts";
import { errors } from "./errors.ts";
import type { ErrorName } from "./errors.ts";
import type { ServerKind } from "./servers.ts";
import { Trial } from "./trial.ts";

const counts = { H: 2, R: 5, P: 2, T: 5, C: 1, W: 8, L: 4, A: 4, M: 3, S: 2 };

export const rules: readonly string[] = Object.entries(counts).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, at) => `E-${letter}${at + 1}`),
);

/** Rules that no case names. */
export function rulesWithoutCase(): string[] {
  const named = new Set(groups.flatMap(({ cases }) => cases.map(({ rule }) => rule)));
  return rules.filter((rule) => !named.has(rule));
}

/** After a whole run: what was never asked. */
export function complete(asked: readonly ServerKind[]): string[] {
  const problems = rulesWithoutCase().map((rule) => `no case for ${rule}`);
  if (!asked.includes("quorate")) return problems;
  for (const service of etcdServices) {
    for (const method of Object.values(service.method)) {
      const path = pathOf(method);
      if (!WireClient.asked.has(path)) problems.push(`no case asks ${path}`);
    }
  }
  for (const name of Object.keys(errors) as ErrorName[]) {
    if (!Trial.provoked.has(name)) problems.push(`no case provokes "${errors[name].text}"`);
  }
  return problems;
}
