// --initial-cluster and URL lists: parsed as etcd parses them, with errors that name the part at fault.
import { UsageError } from "../exit.ts";

/** http URLs with host and port, no path; normalised without a trailing slash. */
export function parseUrls(text: string, flag: string): string[] {
  return parseUrlList(text, `--${flag}`);
}

/** `where`: what the user is told is wrong. */
export function parseUrlList(text: string, where: string): string[] {
  const urls = text.split(",").map((url) => parseUrl(url.trim(), where));
  if (new Set(urls).size !== urls.length) {
    throw new UsageError(`${where}: the same URL stands twice in "${text}"`);
  }
  return urls.sort();
}

function parseUrl(text: string, where: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`${where}: "${text}" is not a URL like http://host:port`);
  }
  if (url.protocol === "https:") {
    throw new UsageError(`${where}: "${text}": TLS is not supported by this version of quorate`);
  }
  if (url.protocol !== "http:") {
    throw new UsageError(`${where}: "${text}" must begin with http://`);
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new UsageError(`${where}: "${text}" must be http://host:port and nothing more`);
  }
  if (!/:[0-9]+\/?$/.test(text)) {
    throw new UsageError(`${where}: "${text}" has no port`);
  }
  return text.replace(/\/$/, "");
}

/** Name → sorted peer URLs, in order of first mention. */
export function parseInitialCluster(
  text: string,
  where: string = "--initial-cluster",
): Map<string, string[]> {
  const members = new Map<string, string[]>();
  const owners = new Map<string, string>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at).trim();
    if (at <= 0 || name === "") {
      throw new UsageError(`${where}: "${part}" is not name=peerURL`);
    }
    const url = parseUrl(part.slice(at + 1).trim(), where);
    const owner = owners.get(url);
    if (owner !== undefined) {
      throw new UsageError(`${where}: ${url} belongs to both ${owner} and ${name}`);
    }
    owners.set(url, name);
    const urls = members.get(name) ?? [];
    urls.push(url);
    members.set(name, urls.sort());
  }
  return members;
}

/** Host and port of an http URL; `localhost` is 127.0.0.1, as etcd listens. */
export function hostAndPort(url: string): { host: string; port: number } {
  const match = /^http:\/\/(\[[^\]]+\]|[^:/]+):([0-9]+)$/.exec(url);
  if (match === null) {
    throw new UsageError(`"${url}" is not http://host:port`);
  }
  const host = match[1]!.replace(/^\[|\]$/g, "");
  return { host: host === "localhost" ? "127.0.0.1" : host, port: Number(match[2]) };
}

/** "host:port" for dialling. */
export function addressOf(url: string): string {
  const { host, port } = hostAndPort(url);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
