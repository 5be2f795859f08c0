// --auto-tls, --peer-auto-tls: a certificate that this member signs itself, kept in its data directory
// as etcd keeps it (DATA-DIR/fixtures/client|peer/cert.pem and key.pem), so that it stays the same over
// restarts. It encrypts; nobody can tell by it who is there. One that has ended is made anew.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";
import { readNamedPair, TlsFileError } from "./files.ts";
import type { KeyPair } from "./files.ts";
import type { SelfSigned } from "./options.ts";

const yearMs = 365 * 24 * 3_600_000;

export interface SelfSignedPair {
  readonly pair: KeyPair;
  /** It was made just now. */
  readonly isNew: boolean;
}

export function selfSignedFiles(directory: string): { certificate: string; key: string } {
  return { certificate: join(directory, "cert.pem"), key: join(directory, "key.pem") };
}

export function readOrMakeSelfSigned(options: SelfSigned, nowMs: number): SelfSignedPair {
  const { certificate, key } = selfSignedFiles(options.directory);
  if (existsSync(certificate) && existsSync(key)) {
    const pair = readKept(options.directory);
    if (pair.expiresMs > nowMs) return { pair, isNew: false };
  }
  try {
    make(options, nowMs);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const what = `a certificate cannot be written into ${options.directory}: ${code}`;
    throw new TlsFileError(what, { cause: error });
  }
  return { pair: readKept(options.directory), isNew: true };
}

export function readKept(directory: string): KeyPair {
  const { certificate, key } = selfSignedFiles(directory);
  return readNamedPair({ flag: "data-dir", path: certificate }, { flag: "data-dir", path: key });
}

/** The key first: where only one is there, both are made anew. */
function make({ directory, hosts, years }: SelfSigned, nowMs: number): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const made = makeCertificate({
    organization: "quorate",
    commonName: "",
    hosts,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + years * yearMs,
    usages: ["server"],
    issuer: null,
    authority: false,
  });
  const files = selfSignedFiles(directory);
  replace(files.key, made.key);
  replace(files.certificate, made.certificate);
}

function replace(path: string, text: string): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
