// An authority of a test's own: it signs certificates for members and clients, takes some back, and
// writes all of it as the files that the flags name. No key outlives the test's folder.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate, pem, signatureAlgorithm, signed } from "../certificate.ts";
import type { CertificateOptions, MadeCertificate, Usage } from "../certificate.ts";
import { integer, sequence, time } from "../der.ts";
import type { CertificateFiles } from "../options.ts";

const dayMs = 86_400_000;

export interface Wanted {
  readonly commonName?: string;
  readonly hosts?: readonly string[];
  /** Both, unless said. */
  readonly usages?: readonly Usage[];
  /** From now; negative: it has expired. */
  readonly daysLeft?: number;
}

export class TestAuthority {
  readonly #folder: string;
  readonly #root: MadeCertificate;
  /** The authority's certificate: for --trusted-ca-file. */
  readonly file: string;

  /** Writes into the folder, under the name. */
  constructor(folder: string, name: string = "ca") {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.#root = makeCertificate({
      ...optionsOf({ commonName: name, usages: [] }),
      authority: true,
      issuer: null,
    });
    this.file = join(folder, `${name}.pem`);
    writeFileSync(this.file, this.#root.certificate);
  }

  make(wanted: Wanted): MadeCertificate {
    const options = optionsOf(wanted);
    return makeCertificate({ ...options, authority: false, issuer: this.#root.issuer });
  }

  /** A certificate as two files; written over those of the same name. */
  issue(name: string, wanted: Wanted): CertificateFiles & { readonly made: MadeCertificate } {
    const made = this.make(wanted);
    const certificate = join(this.#folder, `${name}.pem`);
    const key = join(this.#folder, `${name}-key.pem`);
    writeFileSync(key, made.key, { mode: 0o600 });
    writeFileSync(certificate, made.certificate);
    return { certificate, key, made };
  }

  /** A list of revoked certificates, DER; `nextUpdate` in a day. */
  list(revoked: readonly MadeCertificate[]): Buffer {
    const nowMs = Date.now();
    const entries = revoked.map(({ serial }) => sequence(integer(serial), time(nowMs)));
    const body = sequence(
      integer(Buffer.from([1])),
      signatureAlgorithm,
      this.#root.issuer.name,
      time(nowMs),
      time(nowMs + dayMs),
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
    );
    return signed(body, this.#root.issuer.key);
  }

  /** The same as a file, PEM. */
  revoke(name: string, revoked: readonly MadeCertificate[]): string {
    const path = join(this.#folder, `${name}.pem`);
    writeFileSync(path, pem("X509 CRL", this.list(revoked)));
    return path;
  }
}

function optionsOf({
  commonName = "",
  hosts = [],
  usages,
  daysLeft = 365,
}: Wanted): Omit<CertificateOptions, "issuer" | "authority"> {
  const nowMs = Date.now();
  const notAfterMs = nowMs + daysLeft * dayMs;
  return {
    organization: "test",
    commonName,
    hosts,
    usages: usages ?? ["server", "client"],
    notBeforeMs: Math.min(nowMs, notAfterMs) - dayMs,
    notAfterMs,
  };
}
