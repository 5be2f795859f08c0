// --peer-trusted-ca-file, --peer-cert-file, --peer-key-file: with what a command dials peers that speak
// TLS, by the names that the members' own flags have.
import { cipherList } from "@quorate/server";
import type { TlsOptions } from "@quorate/server";
import { UsageError } from "../exit.ts";

export interface PeerTlsFlags {
  readonly peerTrustedCaFile: string;
  readonly peerCertFile: string;
  readonly peerKeyFile: string;
}

/** Null: none of them is given. */
export function peerTlsOf(flags: PeerTlsFlags): TlsOptions | null {
  const { peerTrustedCaFile, peerCertFile, peerKeyFile } = flags;
  if (peerTrustedCaFile + peerCertFile + peerKeyFile === "") return null;
  if (peerCertFile === "" || peerKeyFile === "") {
    const missing = peerCertFile === "" ? "cert" : "key";
    throw new UsageError(`--peer-${missing}-file is missing: peers want to be shown a certificate`);
  }
  return {
    use: "peer",
    own: { certificate: peerCertFile, key: peerKeyFile },
    dialling: null,
    authorities: peerTrustedCaFile === "" ? null : peerTrustedCaFile,
    names: false,
    revoked: null,
    allowedNames: [],
    allowedHosts: [],
    checkAddress: false,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ciphers: cipherList([]),
  };
}
