// TLS to a peer that this member dials. It has to prove that it is the host that was dialled, and passes
// the same judgement as whoever comes in (verify.ts); with certificates that everybody signs for himself
// (--peer-auto-tls) there is nothing to judge by.
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import tls from "node:tls";
import type { TLSSocket } from "node:tls";
import { cipherList } from "./cipher-suites.ts";
import type { Credentials } from "./credentials.ts";
import { hostsOf, judge, standsFor } from "./verify.ts";

export interface Dialled {
  readonly socket: TLSSocket;
  /** Once the handshake is done: null, or why it must not be spoken to. */
  readonly refusal: () => string | null;
}

/** `host`: as the URL says it; `address`: where that is. `credentials` null: none of this member's own. */
export function dialTls(
  { host, address, port }: { host: string; address: string; port: number },
  credentials: Credentials | null,
): Dialled {
  const verifies = credentials?.verifiesDialled ?? true;
  const socket = tls.connect({
    host: address,
    port,
    secureContext: credentials?.dialling ?? machineContext(),
    servername: isIP(host) === 0 ? host : "",
    rejectUnauthorized: verifies,
    checkServerIdentity: (_, { raw }) => identityError(raw, host),
  });
  socket.setNoDelay(true);
  const refusal = (): string | null =>
    credentials === null || !verifies
      ? null
      : judge(socket, { ...credentials.demands, certificate: true }).refusal;
  return { socket, refusal };
}

/** Never throws, as what it is called by has nobody to catch it. */
function identityError(raw: Uint8Array, host: string): Error | undefined {
  try {
    const certificate = new X509Certificate(raw);
    if (standsFor(certificate, host)) return undefined;
    return new Error(`its certificate does not stand for ${host} (${hostsOf(certificate)})`);
  } catch (error) {
    return new Error(`its certificate cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function machineContext(): tls.SecureContext {
  return tls.createSecureContext({
    ca: tls.getCACertificates("system"),
    minVersion: "TLSv1.2",
    ciphers: cipherList([]),
  });
}
