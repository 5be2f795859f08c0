// --endpoints: where a command may reach the cluster, as etcdctl takes them.
import { UsageError } from "../exit.ts";

export const defaultEndpoints = "127.0.0.1:2379";

/** "host:port" or "http://host:port", separated by commas; yields "host:port". */
export function parseEndpoints(text: string): string[] {
  const endpoints = text.split(",").map((part) => endpoint(part.trim()));
  return [...new Set(endpoints)];
}

function endpoint(text: string): string {
  if (/^https:/i.test(text)) {
    throw new UsageError(`--endpoints: "${text}": TLS is not supported by this version of quorate`);
  }
  const bare = text.replace(/^http:\/\//i, "").replace(/\/$/, "");
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]@]+):([0-9]{1,5})$/.exec(bare);
  if (match === null || Number(match[1]) < 1 || Number(match[1]) > 65_535) {
    throw new UsageError(`--endpoints: "${text}" is not host:port`);
  }
  return bare;
}

/** For a socket: [::1]:2379 → ::1 and 2379. */
export function splitEndpoint(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return {
    host: address.slice(0, at).replace(/^\[|\]$/g, ""),
    port: Number(address.slice(at + 1)),
  };
}
