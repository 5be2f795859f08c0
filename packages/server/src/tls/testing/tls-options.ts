// Options as the flags would give them, for tests that say only what they are about.
import { cipherList } from "../cipher-suites.ts";
import type { TlsOptions } from "../options.ts";

export function tlsOptions(
  asked: Pick<TlsOptions, "use" | "own"> & Partial<TlsOptions>,
): TlsOptions {
  return {
    dialling: null,
    authorities: null,
    names: false,
    revoked: null,
    allowedNames: [],
    allowedHosts: [],
    checkAddress: asked.use === "peer",
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ciphers: cipherList([]),
    ...asked,
  };
}
