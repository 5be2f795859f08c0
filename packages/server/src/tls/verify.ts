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

/** Null: it may; else why not, in words for the log. */
export function refusalOf(socket: TLSSocket, demands: Demands): string | null {
  if (!demands.certificate) return null;
  const chain = chainOf(socket);
  if (chain === null) return `a chain of more than ${chainMax} certificates`;
  if (chain[0] === undefined) return "no certificate was shown";
  const certificate = new X509Certificate(chain[0].raw);
  if (!socket.authorized) return chainRefusal(socket, certificate);
  const revoked = chain.find((one) => demands.revoked?.has(one.serialNumber) === true);
  return revoked === undefined
    ? nameRefusal(certificate, demands)
    : `the certificate with serial ${revoked.serialNumber} is revoked`;
}

/** What the other end has shown; null: nothing. It is worth something after the judgement only. */
export function shownCertificate(socket: TLSSocket): X509Certificate | null {
  const [own] = chainOf(socket) ?? [];
  return own === undefined ? null : new X509Certificate(own.raw);
}

/** The name of a user, by a certificate that was verified; "" where it has none. */
export function commonNameOf(certificate: X509Certificate): string {
  // Where a subject has several, Go, and so etcd, takes the last one.
  const name: unknown = certificate.toLegacyObject().subject?.CN;
  return Array.isArray(name) ? String(name.at(-1) ?? "") : typeof name === "string" ? name : "";
}

/** By its subjectAltName alone, as in Go: what a CN says is no host. */
export function standsFor(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never" }) !== undefined;
}

function nameRefusal(certificate: X509Certificate, demands: Demands): string | null {
  const { allowedNames, allowedHosts } = demands;
  const name = commonNameOf(certificate);
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
