// Whether an HTTP request may come in at all, by its Host and Origin headers, and what a browser is told
// about it. Programs send no Origin: by default nothing of this touches them.
//
// etcd lets any web page in unless --cors and --host-whitelist are set (CVE-2018-1098, CVE-2018-1099:
// a page that its user opens writes into a store that only this machine can reach). Here a page may
// come from elsewhere only where --cors says so; and of pages that come from here only those are
// believed whose host is an address or a configured name, because another name may have been rebound.
import { isIP } from "node:net";
import { goQuoted } from "./gateway/json/go-quote.ts";
import { hostOf } from "./target.ts";

export interface AccessOptions {
  /** --cors; null: not set. */
  readonly cors: readonly string[] | null;
  /** --host-whitelist; null: not set. */
  readonly hostWhitelist: readonly string[] | null;
  /** The names in this member's own client URLs. */
  readonly ownHosts: readonly string[];
}

export interface Asked {
  /** The Host header. */
  readonly authority: string;
  /** The Origin header: a web page asks. */
  readonly origin: string | undefined;
  /** Over TLS: a name that was rebound has no certificate. */
  readonly secure: boolean;
}

export interface Access {
  /** Null: it may come in. */
  readonly refusal: { readonly status: number; readonly text: string } | null;
  /** For Access-Control-Allow-Origin; null: nothing is said. */
  readonly allowOrigin: string | null;
}

const anyone = "*";

export function accessOf(asked: Asked, options: AccessOptions): Access {
  const { cors, hostWhitelist } = options;
  const { authority, origin, secure } = asked;
  const host = hostOf(authority);
  if (!secure && hostWhitelist !== null && !listed(hostWhitelist, host)) {
    return { refusal: { status: 421, text: unknownHostText(host) }, allowOrigin: null };
  }
  if (cors !== null && listed(cors, anyone)) return { refusal: null, allowOrigin: anyone };
  if (cors !== null && listed(cors, origin ?? "")) {
    return { refusal: null, allowOrigin: origin ?? "" };
  }
  if (origin === undefined) return { refusal: null, allowOrigin: cors === null ? anyone : null };
  if (isOwnOrigin(origin, authority) && (secure || isTrusted(host, options))) {
    return { refusal: null, allowOrigin: cors === null ? origin : null };
  }
  return { refusal: { status: 403, text: foreignOriginText(origin) }, allowOrigin: null };
}

/** An empty list of etcd's lets everybody in. */
function listed(list: readonly string[], value: string): boolean {
  return list.length === 0 || list.includes(anyone) || list.includes(value);
}

/** The page came from the very host and port that it asks. */
function isOwnOrigin(origin: string, authority: string): boolean {
  const match = /^http(s?):\/\/([^/]+)$/i.exec(origin);
  const port = match?.[1] === "" ? ":80" : ":443";
  return match !== null && (match[2] === authority || match[2] + port === authority);
}

function isTrusted(host: string, { hostWhitelist, ownHosts }: AccessOptions): boolean {
  return (
    hostWhitelist !== null || isIP(host) !== 0 || host === "localhost" || ownHosts.includes(host)
  );
}

function foreignOriginText(origin: string): string {
  return (
    `quorate received your request, but web pages of ${JSON.stringify(origin)} may not send any.\n` +
    "To let them, name this origin in --cors, or all with --cors='*'."
  );
}

/** etcd's words, with its line ends. */
function unknownHostText(host: string): string {
  return [
    "",
    "etcd received your request, but the Host header was unrecognized.",
    "",
    "To fix this, choose one of the following options:",
    "- Enable TLS, then any HTTPS request will be allowed.",
    "- Add the hostname you want to use to the whitelist in settings.",
    `  - e.g. etcd --host-whitelist ${goQuoted(host)}`,
    "",
    'This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).',
    "",
  ].join("\n");
}
