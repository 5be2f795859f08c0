// --endpoints: where a command may reach the cluster, as etcdctl takes them.
import { UsageError } from "../exit.ts";

export const defaultEndpoints = "127.0.0.1:2379";
const secureScheme = "https://";

/**
 * "host:port", "http://host:port" or "https://host:port", separated by commas; yields "host:port", or
 * "https://host:port" where TLS is spoken. `secure`: it is, where no scheme is written.
 */
export function parseEndpoints(text: string, secure: boolean = false): string[] {
  const endpoints = text.split(",").map((part) => endpoint(part.trim(), secure));
  return [...new Set(endpoints)];
}

function endpoint(text: string, secure: boolean): string {
  const bare = text.replace(/^https?:\/\//i, "").replace(/\/$/, "");
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]@]+):([0-9]{1,5})$/.exec(bare);
  if (match === null || Number(match[1]) < 1 || Number(match[1]) > 65_535) {
    throw new UsageError(`--endpoints: "${text}" is not host:port`);
  }
  const speaksTls = /^https?:/i.test(text) ? /^https:/i.test(text) : secure;
  return speaksTls ? `${secureScheme}${bare}` : bare;
}

export function isSecure(address: string): boolean {
  return address.startsWith(secureScheme);
}

/** For a socket: [::1]:2379 → ::1 and 2379. */
export function splitEndpoint(text: string): { readonly host: string; readonly port: number } {
  const address = isSecure(text) ? text.slice(secureScheme.length) : text;
  const at = address.lastIndexOf(":");
  return {
    host: address.slice(0, at).replace(/^\[|\]$/g, ""),
    port: Number(address.slice(at + 1)),
  };
}
