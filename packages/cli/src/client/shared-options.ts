// The options of every command that talks to a cluster.
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { ClusterClient } from "./cluster-client.ts";
import { defaultEndpoints, parseEndpoints } from "./endpoints.ts";

export interface Shared {
  readonly endpoints: string;
  readonly timeout: number;
}

export function addShared(command: Command): Command {
  return command
    .option(
      "--endpoints <list>",
      "host:port,… tried in this order (env: ETCDCTL_ENDPOINTS)",
      process.env["ETCDCTL_ENDPOINTS"] || defaultEndpoints,
    )
    .option("--timeout <seconds>", "how long to wait for an answer", seconds, 5);
}

export function clientOf(shared: Shared): ClusterClient {
  return new ClusterClient(parseEndpoints(shared.endpoints), shared.timeout * 1000);
}

export function seconds(text: string): number {
  const value = Number(text.replace(/s$/, ""));
  if (!/^[0-9.]+s?$/.test(text) || !(value > 0 && value <= 86_400)) {
    throw new InvalidArgumentError("It is not a number of seconds.");
  }
  return value;
}
