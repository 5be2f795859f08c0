// The clusters that groups share: one for each setup, started when the first case asks for it and
// stopped after the last group. What a failed case leaves in any state is not used again.
import { etcd } from "@quorate/proto";
import { WireClient } from "../wire/wire-client.ts";
import { startServers } from "./servers.ts";
import type { ServerKind, Servers, ServerSetup } from "./servers.ts";

export interface Shared {
  readonly servers: Servers;
  /** As Status has it. */
  readonly version: string;
}

export class ServerPool {
  readonly kind: ServerKind;
  readonly #running: Map<ServerSetup, Promise<Shared>>;

  constructor(kind: ServerKind) {
    this.kind = kind;
    this.#running = new Map();
  }

  /** Of this very setup: groups with setups of their own have clusters of their own. */
  take(setup: ServerSetup): Promise<Shared> {
    const running = this.#running.get(setup) ?? startWithVersion(this.kind, setup);
    this.#running.set(setup, running);
    running.catch(() => this.#running.delete(setup));
    return running;
  }

  async drop(setup: ServerSetup): Promise<void> {
    const running = this.#running.get(setup);
    this.#running.delete(setup);
    await (await running)?.servers.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((setup) => this.drop(setup)));
  }
}

export async function startWithVersion(kind: ServerKind, setup: ServerSetup): Promise<Shared> {
  const servers = await startServers(kind, setup);
  const client = new WireClient(servers.addresses[0]!);
  const { message } = await client.unary(etcd.Maintenance.method.status, {});
  client.close();
  if (message === null) throw new Error("the server does not say its version");
  return { servers, version: message.version };
}
