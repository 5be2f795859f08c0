// Runs cases against one kind of server: starts what a group asks for, gives every case its own keys and
// clients, and says how it went. Knows nothing of what the cases ask.
import { setTimeout as sleep } from "node:timers/promises";
import { etcd } from "@quorate/proto";
import { WireClient } from "../wire/wire-client.ts";
import type { Case, Group } from "./case.ts";
import type { Divergence } from "./divergences.ts";
import { startServers } from "./servers.ts";
import type { ServerKind, Servers } from "./servers.ts";
import { Trial } from "./trial.ts";
import { speaks } from "./version.ts";

/** A case that takes longer hangs. */
const caseTimeoutMs = 120_000;

export type Verdict =
  | { readonly outcome: "ok"; readonly differs: readonly string[] }
  | { readonly outcome: "failed"; readonly error: Error }
  | { readonly outcome: "left-out"; readonly why: string };

let prefixes = 0;

/** A group on its servers, from start to close. */
export class GroupRun {
  readonly kind: ServerKind;
  readonly #group: Group;
  readonly #divergences: ReadonlyMap<string, Divergence>;
  #servers: Servers | null;
  #version: string;

  constructor(kind: ServerKind, group: Group, divergences: ReadonlyMap<string, Divergence>) {
    this.kind = kind;
    this.#group = group;
    this.#divergences = divergences;
    this.#servers = null;
    this.#version = "";
  }

  async runCase(each: Case): Promise<Verdict> {
    if (each.only !== undefined && each.only !== this.kind) {
      return { outcome: "left-out", why: `only for ${each.only}` };
    }
    try {
      const shared = await this.#shared();
      if (each.since !== undefined && !speaks(this.#version, each.since)) {
        const why = `since ${each.since}, and the server is ${this.#version}`;
        return { outcome: "left-out", why };
      }
      if (each.own === undefined) return await this.#tell(each, shared);
      const own = await startServers(this.kind, each.own);
      try {
        return await this.#tell(each, own);
      } finally {
        await own.close();
      }
    } catch (error) {
      return { outcome: "failed", error: error as Error };
    }
  }

  /** Servers that a failed case may have left in any state are not used again. */
  async close(): Promise<void> {
    await this.#servers?.close();
    this.#servers = null;
  }

  async #tell(each: Case, servers: Servers): Promise<Verdict> {
    prefixes += 1;
    const trial = new Trial({
      servers,
      version: this.#version,
      prefix: `case-${prefixes}/`,
      divergences: this.#divergences,
    });
    const verdict = await within(each, trial);
    const crashed = servers.crashed();
    if (crashed === null && verdict.outcome === "ok") return verdict;
    if (crashed !== null) servers.show();
    if (servers === this.#servers) await this.close();
    return crashed === null ? verdict : { outcome: "failed", error: new Error(crashed) };
  }

  async #shared(): Promise<Servers> {
    if (this.#servers === null) {
      this.#servers = await startServers(this.kind, this.#group.setup);
      this.#version = await versionOf(this.#servers);
    }
    return this.#servers;
  }
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

async function versionOf(servers: Servers): Promise<string> {
  const client = new WireClient(servers.addresses[0]!);
  const { message } = await client.unary(etcd.Maintenance.method.status, {});
  client.close();
  if (message === null) throw new Error("the server does not say its version");
  return message.version;
}
