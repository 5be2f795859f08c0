// Does who connects as a peer stand, by its certificate, for the address from which it does? etcd's
// rule: a certificate without any host is taken as it is; an address of it has to be the one seen, or a
// name of it has to lead there, or back from there. --peer-skip-client-san-verification leaves it out.
import type { X509Certificate } from "node:crypto";
import dns from "node:dns/promises";
import { hostsOf, standsFor } from "./verify.ts";

/** Names of a certificate that are looked up, at most. */
const namesMax = 16;

/** Null: it does; else why not. */
export async function addressRefusal(
  certificate: X509Certificate,
  address: string,
): Promise<string | null> {
  const { names, hasAddress } = hostsIn(certificate.subjectAltName ?? "");
  if (names.length === 0 && !hasAddress) return null;
  if (hasAddress && standsFor(certificate, address)) return null;
  if (await leadsThere(names.slice(0, namesMax), address)) return null;
  return `the certificate does not stand for ${address}, from where it came (${hostsOf(certificate)})`;
}

/**
 * The names and addresses of Node's text of a subjectAltName: "DNS:a, IP Address:10.0.0.1, URI:…". A comma
 * inside of a value is written \u002c; what merely looks like a name inside of another value is none.
 */
export function hostsIn(text: string): {
  readonly names: readonly string[];
  readonly hasAddress: boolean;
} {
  const parts = text.split(", ");
  const names = parts.flatMap((part) => /^DNS:([^\s"]+)$/.exec(part)?.[1]?.toLowerCase() ?? []);
  return { names, hasAddress: parts.some((part) => part.startsWith("IP Address:")) };
}

async function leadsThere(names: readonly string[], address: string): Promise<boolean> {
  if (names.length === 0) return false;
  const plain = names.filter((name) => !name.startsWith("*."));
  const found = await Promise.all(plain.map(addressesOf));
  if (found.some((addresses) => addresses.includes(address))) return true;
  const back = await namesOf(address);
  return back.some((name) => names.some((pattern) => isNamed(name, pattern)));
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern;
}

async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await dns.lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

async function namesOf(address: string): Promise<string[]> {
  try {
    return (await dns.reverse(address)).map((name) => name.replace(/\.$/, "").toLowerCase());
  } catch {
    return [];
  }
}
