// The files that the flags name, read and looked through, so that what is wrong with one is said in a
// line that names the flag. Reading them again later tells the same way what cannot be used.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { CertificateFiles, TlsUse } from "./options.ts";
import { parseRevocationLists } from "./revocation-list.ts";
import type { RevocationList } from "./revocation-list.ts";

/** The user's files are at fault. */
export class TlsFileError extends Error {}

export interface KeyPair {
  /** PEM, its own certificate first, then those above it. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** When the first of them ends. */
  readonly expiresMs: number;
}

/** A file, and the flag that named it. */
interface Named {
  readonly flag: string;
  readonly path: string;
}

export type PairFlags = "own" | "dialling";

export function readPair(use: TlsUse, which: PairFlags, files: CertificateFiles): KeyPair {
  const certificateFlag = flagOf(use, which === "own" ? "cert-file" : "client-cert-file");
  const keyFlag = flagOf(use, which === "own" ? "key-file" : "client-key-file");
  return readNamedPair(
    { flag: certificateFlag, path: files.certificate },
    { flag: keyFlag, path: files.key },
  );
}

export function readNamedPair(certificateFile: Named, keyFile: Named): KeyPair {
  const certificate = read(certificateFile);
  const key = read(keyFile);
  const chain = certificatesOf(certificateFile, certificate);
  if (!chain[0]!.checkPrivateKey(privateKeyOf(keyFile, key))) {
    throw new TlsFileError(
      `${textOf(keyFile)} is not the key of the certificate ${textOf(certificateFile)}`,
    );
  }
  return { certificate, key, expiresMs: Math.min(...chain.map((one) => Date.parse(one.validTo))) };
}

/** The authorities' certificates, PEM. */
export function readAuthorities(use: TlsUse, path: string): Buffer {
  const file = { flag: flagOf(use, "trusted-ca-file"), path };
  const bytes = read(file);
  certificatesOf(file, bytes);
  return bytes;
}

export function readRevoked(use: TlsUse, path: string): RevocationList {
  const file = { flag: use === "client" ? "client-crl-file" : "peer-crl-file", path };
  const bytes = read(file);
  try {
    return parseRevocationLists(bytes);
  } catch (error) {
    throw new TlsFileError(`${textOf(file)}: ${(error as Error).message}`, { cause: error });
  }
}

function flagOf(use: TlsUse, name: string): string {
  return use === "peer" ? `peer-${name}` : name;
}

function textOf({ flag, path }: Named): string {
  return `--${flag} ${path}`;
}

function read(file: Named): Buffer {
  try {
    return readFileSync(file.path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new TlsFileError(`${textOf(file)} cannot be read: ${code}`, { cause: error });
  }
}

function certificatesOf(file: Named, bytes: Buffer): X509Certificate[] {
  const pattern = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
  const blocks = bytes.toString("latin1").match(pattern) ?? [];
  if (blocks.length === 0) {
    throw new TlsFileError(`${textOf(file)}: no certificate in it (PEM is expected)`);
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new TlsFileError(`${textOf(file)}: a certificate in it is damaged`, { cause: error });
  }
}

function privateKeyOf(file: Named, bytes: Buffer): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(bytes);
  } catch (error) {
    const isEncrypted = /ENCRYPTED/.test(bytes.toString("latin1"));
    const why = isEncrypted ? "the key in it is encrypted" : "no private key in it";
    throw new TlsFileError(`${textOf(file)}: ${why} (PEM is expected)`, { cause: error });
  }
}
