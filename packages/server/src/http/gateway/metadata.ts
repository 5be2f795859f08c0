// What a call through the gateway tells the services about its caller: the token, and what the client
// marks as gRPC metadata. Nothing else of HTTP passes.
//
// Rule (CVE-2018-16886): a call through the gateway has no identity but its token. A TLS certificate on
// this connection belongs to whoever holds it, often a proxy in front of many users, so its common name
// is never taken for the user's; and no header (X-Forwarded-Client-Cert and the like) stands for one.
// Whoever brings TLS to the client port: here is nothing to be added.
import type { IncomingHttpHeaders } from "node:http2";

const metadataPrefix = "grpc-metadata-";

/** Names that mean something to gRPC itself: not for a client of the gateway to set. */
const reserved: ReadonlySet<string> = new Set(["", "content-type", "te", "grpc-timeout"]);

export function metadataOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const metadata: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(metadataPrefix) || typeof value !== "string") continue;
    const name = header.slice(metadataPrefix.length);
    if (!reserved.has(name)) metadata[name] = value;
  }
  const { authorization } = headers;
  if (authorization !== undefined) metadata["authorization"] = bareToken(authorization);
  return metadata;
}

/** etcd's own form has no scheme before the token; both are taken. */
function bareToken(authorization: string): string {
  return authorization.replace(/^Bearer +/i, "");
}
