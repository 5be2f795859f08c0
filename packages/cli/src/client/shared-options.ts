// The options of every command that talks to a cluster.
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { addTls, saysTls, tlsOf } from "./client-tls.ts";
import type { TlsFlags } from "./client-tls.ts";
import { ClusterClient } from "./cluster-client.ts";
import { defaultEndpoints, parseEndpoints } from "./endpoints.ts";

export interface Shared extends TlsFlags {
  readonly endpoints: string;
  readonly timeout: number;
}

export function addShared(command: Command): Command {
  command
    .option(
      "--endpoints <list>",
      "host:port,… tried in this order (env: ETCDCTL_ENDPOINTS)",
      process.env["ETCDCTL_ENDPOINTS"] || defaultEndpoints,
    )
    .option("--timeout <seconds>", "how long to wait for an answer", seconds, 5);
  return addTls(command);
}

export function clientOf(shared: Shared): ClusterClient {
  return new ClusterClient(endpointsOf(shared), shared.timeout * 1000, tlsOf(shared));
}

export function endpointsOf(shared: Shared): string[] {
  return parseEndpoints(shared.endpoints, saysTls(shared));
}

export function seconds(text: string): number {
  const value = Number(text.replace(/s$/, ""));
  if (!/^[0-9.]+s?$/.test(text) || !(value > 0 && value <= 86_400)) {
    throw new InvalidArgumentError("It is not a number of seconds.");
  }
  return value;
}
