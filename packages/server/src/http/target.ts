// The target of a request as Go's net/http sees it: a decoded path, the query, and the host.
import type { IncomingMessage } from "node:http";

export interface Target {
  /** Decoded, and not yet cleaned. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** The host, with its port as it was sent; empty when the request names none. */
  readonly authority: string;
}

/** Null: not to be understood. */
export function targetOf(request: IncomingMessage): Target | null {
  const target = request.url ?? "";
  // The absolute form, for proxies: its host counts, not the header's.
  const [, authority, rest = target] = /^https?:\/\/([^/?]*)(.*)$/i.exec(target) ?? [];
  const queryAt = rest.indexOf("?");
  const path = decoded(queryAt < 0 ? rest : rest.slice(0, queryAt));
  if (path === null) return null;
  return {
    path: path === "" ? "/" : path,
    query: queryAt < 0 ? "" : rest.slice(queryAt),
    authority: authority ?? request.headers.host ?? "",
  };
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** "[::1]:2379" → "::1"; without a port it stays as it is. */
export function hostOf(authority: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):[^:]*$/.exec(authority);
  return match === null ? authority : (match[1] ?? match[2] ?? "");
}

/** Without empty, "." and ".." parts, as Go's ServeMux wants it; a slash at the end stays. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const clean = `/${parts.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}
