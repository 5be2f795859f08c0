// Runs cases against one kind of server: gives every case its own keys and clients on the servers that
// its group asks for, and says how it went. Knows nothing of what the cases ask.
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Group } from "./case.ts";
import type { Divergence } from "./divergences.ts";
import { startWithVersion } from "./pool.ts";
import type { ServerPool } from "./pool.ts";
import type { ServerKind, ServerSetup } from "./servers.ts";
import { Trial } from "./trial.ts";
import type { TrialOptions } from "./trial.ts";
import { speaks } from "./version.ts";

/** A case that takes longer hangs. */
const caseTimeoutMs = 120_000;

export type Verdict =
  | { readonly outcome: "ok"; readonly differs: readonly string[] }
  | { readonly outcome: "failed"; readonly error: Error }
  | { readonly outcome: "left-out"; readonly why: string };

let prefixes = 0;

/** A case on the servers of its group, or on its own. */
export async function runCase(
  pool: ServerPool,
  { setup }: Group,
  each: Case,
  divergences: ReadonlyMap<string, Divergence>,
): Promise<Verdict> {
  if (each.only !== undefined && each.only !== pool.kind) {
    return { outcome: "left-out", why: `only for ${each.only}` };
  }
  try {
    if (each.own !== undefined) return await onItsOwn(pool.kind, each.own, each, divergences);
    const { servers, version } = await pool.take(setup);
    if (each.since !== undefined && !speaks(version, each.since)) {
      return { outcome: "left-out", why: `since ${each.since}, and the server is ${version}` };
    }
    const verdict = await tell(each, { servers, version, divergences });
    if (verdict.outcome === "failed") await pool.drop(setup);
    return verdict;
  } catch (error) {
    return { outcome: "failed", error: error as Error };
  }
}

async function onItsOwn(
  kind: ServerKind,
  setup: ServerSetup,
  each: Case,
  divergences: ReadonlyMap<string, Divergence>,
): Promise<Verdict> {
  const { servers, version } = await startWithVersion(kind, setup);
  try {
    return await tell(each, { servers, version, divergences });
  } finally {
    await servers.close();
  }
}

async function tell(each: Case, on: Omit<TrialOptions, "prefix">): Promise<Verdict> {
  prefixes += 1;
  const verdict = await within(each, new Trial({ ...on, prefix: `case-${prefixes}/` }));
  const crashed = on.servers.crashed();
  if (crashed === null) return verdict;
  on.servers.show();
  return { outcome: "failed", error: new Error(crashed) };
}

async function within(each: Case, trial: Trial): Promise<Verdict> {
  const ended = new AbortController();
  const late = sleep(caseTimeoutMs, null, { signal: ended.signal }).then(
    () => Promise.reject(new Error(`the case did not end within ${caseTimeoutMs} ms`)),
    () => undefined,
  );
  try {
    await Promise.race([each.run(trial), late]);
    return { outcome: "ok", differs: [...trial.met] };
  } catch (error) {
    return { outcome: "failed", error: error as Error };
  } finally {
    ended.abort();
    await trial.close();
  }
}
