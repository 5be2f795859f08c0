// --initial-cluster and URL lists: parsed as etcd parses them, with errors that name the part at fault.
import type { Listen } from "@quorate/server";
import { UsageError } from "../exit.ts";

/** http and https URLs with host and port, no path; normalised without a trailing slash. */
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
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UsageError(`${where}: "${text}" must begin with http:// or https://`);
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new UsageError(`${where}: "${text}" must be ${url.protocol}//host:port and nothing more`);
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

/** Where to listen; `localhost` is 127.0.0.1, as etcd listens. */
export function hostAndPort(url: string): Listen {
  const { scheme, host, port } = partsOf(url);
  return {
    host: host === "localhost" ? "127.0.0.1" : host,
    port,
    secure: scheme === "https",
  };
}

/** What the transport dials: "host:port", for https with the scheme and the name that it must prove. */
export function addressOf(url: string): string {
  const { scheme, host, port } = partsOf(url);
  const written = host.includes(":") ? `[${host}]` : host;
  if (scheme === "https") return `https://${written}:${port}`;
  return `${host === "localhost" ? "127.0.0.1" : written}:${port}`;
}

/** The host as the URL says it, without brackets. */
export function hostOfUrl(url: string): string {
  return partsOf(url).host;
}

interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

function partsOf(url: string): UrlParts {
  const match = /^(https?):\/\/(\[[^\]]+\]|[^:/]+):([0-9]+)$/i.exec(url);
  if (match === null) {
    throw new UsageError(`"${url}" is not http://host:port`);
  }
  const [, scheme = "", host = "", port] = match;
  return { scheme: scheme.toLowerCase(), host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
