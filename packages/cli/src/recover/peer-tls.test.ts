// The peers' flags of `quorate recover verify` come together, or not at all.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { peerTlsOf } from "./peer-tls.ts";

test("none of them is none; an authority alone, or half a pair, is refused with what is missing", () => {
  const flags = (ca: string, cert: string, key: string): ReturnType<typeof peerTlsOf> =>
    peerTlsOf({ peerTrustedCaFile: ca, peerCertFile: cert, peerKeyFile: key });
  equal(flags("", "", ""), null);
  throws(() => flags("ca", "", ""), /--peer-cert-file is missing/);
  throws(() => flags("ca", "cert", ""), /--peer-key-file is missing/);
  throws(() => flags("", "", "key"), /--peer-cert-file is missing/);
  for (const ca of ["", "ca"]) {
    const { own, authorities } = flags(ca, "cert", "key")!;
    deepEqual(own, { certificate: "cert", key: "key" });
    equal(authorities, ca === "" ? null : ca);
  }
});
