// With what our own clients speak TLS, and what that means for a socket.
import tls from "node:tls";

/** PEM. */
export interface GrpcTls {
  /** Who may sign the server's certificate; null: the authorities that the machine trusts. */
  readonly authorities: Uint8Array | null;
  /** What the client shows when it is asked; null: nothing. */
  readonly certificate: Uint8Array | null;
  readonly key: Uint8Array | null;
  /** False: whoever answers is taken for the server. */
  readonly verify: boolean;
}

/** Nothing of its own. */
export const machineTls: GrpcTls = {
  authorities: null,
  certificate: null,
  key: null,
  verify: true,
};

export function secureOptions(
  options: GrpcTls,
): tls.SecureContextOptions & tls.CommonConnectionOptions {
  const { authorities, certificate, key, verify } = options;
  return {
    ca: authorities === null ? tls.getCACertificates("system") : Buffer.from(authorities),
    ...(certificate === null ? {} : { cert: Buffer.from(certificate) }),
    ...(key === null ? {} : { key: Buffer.from(key) }),
    minVersion: "TLSv1.2",
    rejectUnauthorized: verify,
  };
}
