// Writes X.509 certificates (RFC 5280): the ones that --auto-tls and --peer-auto-tls promise, and those
// of tests. ECDSA on P-256; what signs and what draws keys is the platform's. Nothing here verifies:
// that is OpenSSL's (docs/adr/0015).
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { ipBytes } from "./ip-address.ts";
import { der, explicit, implicit, integer, oid, sequence, Tag, time } from "./der.ts";

export interface CertificateOptions {
  readonly organization: string;
  /** Empty: none. */
  readonly commonName: string;
  /** Names and addresses that it stands for. */
  readonly hosts: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly usages: readonly Usage[];
  /** Null: signed with its own key. */
  readonly issuer: Issuer | null;
  /** It may sign others. */
  readonly authority: boolean;
}

export type Usage = "server" | "client";

/** Who signs: name and key. */
export interface Issuer {
  /** The subject, as it stands in the certificate. */
  readonly name: Uint8Array;
  readonly key: KeyObject;
}

export interface MadeCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, of the private key. */
  readonly key: string;
  readonly issuer: Issuer;
  /** Unsigned, most significant byte first. */
  readonly serial: Uint8Array;
}

/** ecdsa-with-SHA256, as it stands inside and beside what is signed. */
export const signatureAlgorithm = sequence(oid("1.2.840.10045.4.3.2"));
const usageIds: Readonly<Record<Usage, string>> = {
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
};
/** Bits of keyUsage, and how many of the last byte say nothing. */
const keyUsage = { leaf: Buffer.from([7, 0x80]), authority: Buffer.from([1, 0x86]) };

export function makeCertificate(options: CertificateOptions): MadeCertificate {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = nameOf(options);
  const issuer = options.issuer ?? { name, key: pair.privateKey };
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const publicKey = pair.publicKey.export({ type: "spki", format: "der" });
  const body = sequence(
    der(explicit(0), integer(Buffer.from([2]))),
    integer(serial),
    signatureAlgorithm,
    issuer.name,
    sequence(time(options.notBeforeMs), time(options.notAfterMs)),
    name,
    publicKey,
    der(explicit(3), sequence(...extensionsOf(options, publicKey))),
  );
  return {
    certificate: pem("CERTIFICATE", signed(body, issuer.key)),
    key: pair.privateKey.export({ type: "sec1", format: "pem" }).toString(),
    issuer: { name, key: pair.privateKey },
    serial,
  };
}

/** What is signed, with how and the signature behind it: the frame of certificates and of lists. */
export function signed(body: Uint8Array, key: KeyObject): Buffer {
  const signature = sign("sha256", body, { key, dsaEncoding: "der" });
  return sequence(body, signatureAlgorithm, der(Tag.BitString, Buffer.alloc(1), signature));
}

export function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes)
    .toString("base64")
    .match(/.{1,64}/g);
  return [`-----BEGIN ${label}-----`, ...(lines ?? []), `-----END ${label}-----`, ""].join("\n");
}

function nameOf({ organization, commonName }: CertificateOptions): Buffer {
  const attribute = (id: string, value: string): Buffer =>
    der(Tag.Set, sequence(oid(id), der(Tag.Utf8String, Buffer.from(value, "utf8"))));
  const common = commonName === "" ? [] : [attribute("2.5.4.3", commonName)];
  return sequence(attribute("2.5.4.10", organization), ...common);
}

function extensionsOf(options: CertificateOptions, publicKey: Uint8Array): Buffer[] {
  const { authority, usages, hosts } = options;
  const isTrue = der(Tag.Boolean, Buffer.from([0xff]));
  const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
    sequence(oid(id), ...(critical ? [isTrue] : []), der(Tag.OctetString, value));
  const usage = der(Tag.BitString, authority ? keyUsage.authority : keyUsage.leaf);
  const all = [
    extension("2.5.29.15", true, usage),
    extension("2.5.29.19", true, sequence(...(authority ? [isTrue] : []))),
    extension("2.5.29.14", false, der(Tag.OctetString, keyIdOf(publicKey))),
  ];
  if (usages.length > 0) {
    const ids = usages.map((one) => oid(usageIds[one]));
    all.push(extension("2.5.29.37", false, sequence(...ids)));
  }
  if (hosts.length > 0) {
    all.push(extension("2.5.29.17", false, sequence(...hosts.map(generalName))));
  }
  return all;
}

/** Any name of the key will do (RFC 5280 §4.2.1.2). */
function keyIdOf(publicKey: Uint8Array): Buffer {
  return createHash("sha256").update(publicKey).digest().subarray(0, 20);
}

function generalName(host: string): Buffer {
  if (isIP(host) !== 0) return der(implicit(7), ipBytes(host));
  return der(implicit(2), Buffer.from(host, "latin1"));
}
