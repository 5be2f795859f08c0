// Where a peer is dialled: "host:port", or "https://host:port" where TLS is spoken.

export interface PeerAddress {
  readonly secure: boolean;
  /** As the URL says it: what a certificate has to stand for. */
  readonly host: string;
  /** Where that is: `localhost` is 127.0.0.1, as members listen. */
  readonly address: string;
  readonly port: number;
}

const scheme = "https://";

export function splitPeerAddress(text: string): PeerAddress {
  const secure = text.startsWith(scheme);
  const bare = secure ? text.slice(scheme.length) : text;
  const at = bare.lastIndexOf(":");
  const host = bare.slice(0, at).replace(/^\[|\]$/g, "");
  const address = host === "localhost" ? "127.0.0.1" : host;
  return { secure, host, address, port: Number(bare.slice(at + 1)) };
}
