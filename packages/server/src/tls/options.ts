// What the flags say about TLS, for one kind of listeners: those of clients, or those of peers.

export type TlsUse = "client" | "peer";

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that this member makes for itself (--auto-tls, --peer-auto-tls). */
export interface SelfSigned {
  /** Where it is kept: cert.pem and key.pem. */
  readonly directory: string;
  readonly hosts: readonly string[];
  readonly years: number;
}

export interface TlsOptions {
  readonly use: TlsUse;
  /** What is shown to whoever connects. */
  readonly own: CertificateFiles | SelfSigned;
  /** What is shown to whom this member dials; null: the same. */
  readonly dialling: CertificateFiles | null;
  /** Who may sign the others' certificates; null: nobody who connects is asked for one. */
  readonly authorities: string | null;
  /** --client-cert-auth: the verified certificate's CN is the name of a user. */
  readonly names: boolean;
  readonly revoked: string | null;
  /** Of these one has to be the certificate's CN; empty: any. */
  readonly allowedNames: readonly string[];
  /** For one of these it has to stand; empty: any. */
  readonly allowedHosts: readonly string[];
  /** Who connects has to stand, by its certificate, for the address from which it does. */
  readonly checkAddress: boolean;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's list. */
  readonly ciphers: string;
}

export function isSelfSigned(own: CertificateFiles | SelfSigned): own is SelfSigned {
  return "directory" in own;
}
