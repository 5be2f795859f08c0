// May the other end of a TLS connection be spoken to? The one answer, for every listener and every
// dial (GHSA-3wh4: a listener with a check of its own forgot the list of revoked ones). OpenSSL has
// judged the chain, the time and the use; what it found, revocation and names are judged here.
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { RevocationList } from "./revocation-list.ts";

export interface Demands {
  /** False: it need not show a certificate, and none is looked at. */
  readonly certificate: boolean;
  readonly allowedNames: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly revoked: RevocationList | null;
}

/** Longer chains are not looked through. */
const chainMax = 16;

export interface Judgement {
  /** Null: it may be spoken to; else why not, in words for the log. */
  readonly refusal: string | null;
  /** What it has shown, where that was asked for and found good. */
  readonly certificate: X509Certificate | null;
  /** The name of a user, by that certificate; empty: none. */
  readonly commonName: string;
}

/** Never throws: a stranger's certificate must not end a process, and what cannot be read is refused. */
export function judge(socket: TLSSocket, demands: Demands): Judgement {
  if (!demands.certificate) return { refusal: null, certificate: null, commonName: "" };
  try {
    return judgeChain(socket, demands);
  } catch (error) {
    return refused(`its certificate cannot be read: ${(error as Error).message}`);
  }
}

function judgeChain(socket: TLSSocket, demands: Demands): Judgement {
  const chain = chainOf(socket);
  if (chain === null) return refused(`a chain of more than ${chainMax} certificates`);
  if (chain[0] === undefined) return refused("no certificate was shown");
  const certificate = new X509Certificate(chain[0].raw);
  if (!socket.authorized) return refused(chainRefusal(socket, certificate));
  const revoked = chain.find((one) => demands.revoked?.has(one.serialNumber) === true);
  if (revoked !== undefined) {
    return refused(`the certificate with serial ${revoked.serialNumber} is revoked`);
  }
  const commonName = commonNameOf(certificate);
  const refusal = nameRefusal(certificate, commonName, demands);
  return refusal === null ? { refusal, certificate, commonName } : refused(refusal);
}

function refused(refusal: string): Judgement {
  return { refusal, certificate: null, commonName: "" };
}

function commonNameOf(certificate: X509Certificate): string {
  // Where a subject has several, Go, and so etcd, takes the last one.
  const name: unknown = certificate.toLegacyObject().subject?.CN;
  return Array.isArray(name) ? String(name.at(-1) ?? "") : typeof name === "string" ? name : "";
}

/** By its subjectAltName alone, as in Go: what a CN says is no host. */
export function standsFor(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never" }) !== undefined;
}

function nameRefusal(
  certificate: X509Certificate,
  name: string,
  { allowedNames, allowedHosts }: Demands,
): string | null {
  if (allowedNames.length > 0 && !allowedNames.includes(name)) {
    return `the name "${name}" is not an allowed one`;
  }
  if (allowedHosts.length > 0 && !allowedHosts.some((host) => standsFor(certificate, host))) {
    return `the certificate stands for no allowed host (${hostsOf(certificate)})`;
  }
  return null;
}

function chainRefusal(socket: TLSSocket, { validFrom, validTo, subject }: X509Certificate): string {
  const code = String(socket.authorizationError);
  const who = subject === undefined || subject === "" ? "" : ` (${subject.replaceAll("\n", ", ")})`;
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return `the certificate${who}, or one above it, has expired: it ends ${validTo}`;
    case "CERT_NOT_YET_VALID":
      return `the certificate${who}, or one above it, is not valid yet: it begins ${validFrom}`;
    case "INVALID_PURPOSE":
      return `the certificate${who} is not made for this use (extendedKeyUsage)`;
    default:
      return `the certificate${who} is not signed by a trusted authority: ${code}`;
  }
}

/**
 * Its own certificate first; empty: it has shown none; null: too long. Never by getPeerX509Certificate:
 * after that, Node 24 has no chain of a dialled side any more.
 */
function chainOf(socket: TLSSocket): DetailedPeerCertificate[] | null {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !chain.includes(next)) {
    if (chain.length === chainMax) return null;
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

export function hostsOf(certificate: X509Certificate): string {
  return certificate.subjectAltName ?? "no subjectAltName";
}
