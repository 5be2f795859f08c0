// From the TLS flags and the URLs to what a member's listeners and dials are told, and the line for each
// combination that would not do what it says.
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import type { MemberOptions, TlsOptions } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { resolveTls } from "./resolve-tls.ts";
import { gatherSettings } from "./settings.ts";

const plain = { listen: ["http://localhost:2379"], advertised: ["http://localhost:2379"] };
const secure = { listen: ["https://10.0.0.1:2379"], advertised: ["https://m1.example:2379"] };

interface Resolved extends Readonly<MemberOptions["tls"]> {
  readonly warnings: readonly string[];
}

function resolve(client: typeof plain, peer: typeof plain, ...argv: string[]): Resolved {
  const warnings: string[] = [];
  const context = {
    client,
    peer,
    directory: "/d",
    warn: (text: string) => void warnings.push(text),
  };
  return { ...resolveTls(gatherSettings(argv, {}), context), warnings };
}

const pair = ["--cert-file=/c", "--key-file=/k"] as const;
const peerPair = ["--peer-cert-file=/pc", "--peer-key-file=/pk"] as const;

test("http alone: no TLS; what is set all the same is warned of", () => {
  deepEqual(resolve(plain, plain), { client: null, peer: null, warnings: [] });
  const given = resolve(plain, plain, ...pair, "--client-cert-auth", "--trusted-ca-file=/ca");
  equal(given.client, null);
  deepEqual(given.warnings, [
    "the scheme of the client URL http://localhost:2379 is http while key and cert files are " +
      "present: they are ignored for it",
    "--client-cert-auth is ignored for http://localhost:2379: its scheme is http",
  ]);
  deepEqual(resolve(plain, plain, "--auto-tls", "--trusted-ca-file=/ca").warnings, [
    "--trusted-ca-file is ignored: no client URL begins with https://",
    "--auto-tls is ignored: no client URL begins with https://",
  ]);
});

test("peers without TLS at an address that others reach: warned of", () => {
  for (const url of ["http://10.0.0.1:2380", "http://0.0.0.0:2380", "http://m1.example:2380"]) {
    const { warnings } = resolve(plain, { listen: [url], advertised: [url] });
    deepEqual(warnings, [`${url} is without TLS: whoever reaches it can speak as a member`]);
  }
  for (const url of ["http://127.0.0.1:2380", "http://localhost:2380", "http://[::1]:2380"]) {
    deepEqual(resolve(plain, { listen: [url], advertised: [url] }).warnings, []);
  }
});

test("clients with TLS, peers without, and the other way round", () => {
  const clients = resolve(secure, plain, ...pair);
  deepEqual(clients.client?.own, { certificate: "/c", key: "/k" });
  equal(clients.client?.authorities, null);
  equal(clients.peer, null);
  const peers = resolve(plain, secure, ...peerPair);
  equal(peers.client, null);
  deepEqual(peers.peer?.own, { certificate: "/pc", key: "/pk" });
  equal(peers.peer?.checkAddress, true);
});

test("a member that is reached by http shows its certificate to peers that it dials all the same", () => {
  const { peer, warnings } = resolve(plain, plain, ...peerPair);
  deepEqual(peer?.own, { certificate: "/pc", key: "/pk" });
  equal(warnings.length, 1);
});

test("who has to show a certificate, which, and who is a user by it", () => {
  const asked = resolve(secure, secure, ...pair, "--trusted-ca-file=/ca", ...peerPair);
  deepEqual([asked.client?.authorities, asked.client?.names], ["/ca", false]);
  const all = resolve(
    secure,
    secure,
    ...pair,
    "--client-cert-auth",
    "--trusted-ca-file=/ca",
    "--client-crl-file=/crl",
    "--client-cert-allowed-hostname=a, b",
    ...peerPair,
    "--peer-client-cert-auth",
    "--peer-trusted-ca-file=/pca",
    "--peer-client-cert-file=/pcc",
    "--peer-client-key-file=/pck",
    "--peer-crl-file=/pcrl",
    "--peer-cert-allowed-cn=x,y",
    "--experimental-peer-skip-client-san-verification",
  );
  const shared = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" };
  const { ciphers: clientCiphers, ...client } = all.client!;
  const { ciphers: peerCiphers, ...peer } = all.peer!;
  equal(clientCiphers, peerCiphers);
  const expectedClient: Omit<TlsOptions, "ciphers"> = {
    use: "client",
    own: { certificate: "/c", key: "/k" },
    dialling: null,
    authorities: "/ca",
    names: true,
    revoked: "/crl",
    allowedNames: [],
    allowedHosts: ["a", "b"],
    checkAddress: false,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
  };
  deepEqual(client, expectedClient);
  deepEqual(peer, {
    use: "peer",
    own: { certificate: "/pc", key: "/pk" },
    dialling: { certificate: "/pcc", key: "/pck" },
    authorities: "/pca",
    names: false,
    revoked: "/pcrl",
    allowedNames: ["x", "y"],
    allowedHosts: [],
    checkAddress: false,
    ...shared,
  });
});

test("auto TLS: where it is kept, for which hosts, for how long; files of the user's come first", () => {
  const auto = resolve(
    secure,
    secure,
    "--auto-tls",
    "--peer-auto-tls",
    "--self-signed-cert-validity=3",
  );
  deepEqual(auto.client?.own, {
    directory: "/d/fixtures/client",
    hosts: ["10.0.0.1", "m1.example"],
    years: 3,
  });
  deepEqual(auto.peer?.own, {
    directory: "/d/fixtures/peer",
    hosts: ["10.0.0.1", "m1.example"],
    years: 3,
  });
  const wildcard = { listen: ["https://0.0.0.0:1"], advertised: ["https://localhost:1"] };
  const own = resolve(wildcard, plain, "--auto-tls").client?.own;
  deepEqual(own, { directory: "/d/fixtures/client", hosts: ["localhost", "127.0.0.1"], years: 1 });
  const both = resolve(secure, plain, "--auto-tls", ...pair);
  deepEqual(both.client?.own, { certificate: "/c", key: "/k" });
  deepEqual(both.warnings, ["--auto-tls is ignored: --cert-file is given"]);
  const withAuthority = resolve(
    secure,
    plain,
    "--auto-tls",
    "--client-cert-auth",
    "--trusted-ca-file=/a",
  );
  deepEqual([withAuthority.client?.authorities, withAuthority.client?.names], ["/a", true]);
});

test("versions and suites: strong ones alone", () => {
  const { client } = resolve(secure, plain, ...pair);
  equal(/SHA:|CBC|RC4|DES|^(?!TLS_)AES/.test(client!.ciphers), false);
  match(client!.ciphers, /^TLS_AES_128_GCM_SHA256:.*ECDHE-RSA-CHACHA20-POLY1305$/);
  const suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305";
  const chosen = resolve(
    secure,
    plain,
    ...pair,
    `--cipher-suites=${suites}`,
    "--tls-max-version=TLS1.2",
  );
  match(chosen.client!.ciphers, /:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305$/);
  equal(chosen.client!.maxVersion, "TLSv1.2");
  equal(resolve(secure, plain, ...pair, "--tls-min-version=TLS1.3").client!.minVersion, "TLSv1.3");
});

test("what would not do what it says: each with its line", () => {
  const rows: readonly (readonly [readonly string[], string | RegExp])[] = [
    [
      [],
      "TLS key/cert (--cert-file, --key-file) must be provided for client url " +
        "https://10.0.0.1:2379 with HTTPS scheme, or --auto-tls",
    ],
    [["--cert-file=/c"], "--cert-file and --key-file must both be present: --key-file is missing"],
    [["--key-file=/k"], "--cert-file and --key-file must both be present: --cert-file is missing"],
    [
      [...pair, "--client-cert-auth"],
      "--client-cert-auth needs --trusted-ca-file: no certificate could be told from another",
    ],
    [
      [...pair, "--client-crl-file=/crl"],
      "--client-crl-file needs --trusted-ca-file: nobody would be asked",
    ],
    [
      [...pair, "--client-cert-allowed-hostname=h"],
      "--client-cert-allowed-hostname needs --trusted-ca-file: nobody would be asked",
    ],
    [
      pair,
      "TLS key/cert (--peer-cert-file, --peer-key-file) must be provided for peer url " +
        "https://10.0.0.1:2379 with HTTPS scheme, or --peer-auto-tls",
    ],
    [
      [...pair, "--peer-auto-tls", "--peer-client-cert-auth", "--peer-trusted-ca-file=/ca"],
      "--peer-client-cert-auth needs --peer-cert-file: no certificate could be told from another",
    ],
    [
      [...pair, "--peer-auto-tls", "--peer-trusted-ca-file=/ca"],
      "--peer-trusted-ca-file needs --peer-cert-file: no certificate could be told from another",
    ],
    [
      [...pair, ...peerPair, "--peer-cert-allowed-cn=a"],
      "--peer-cert-allowed-cn needs --peer-trusted-ca-file: nobody would be asked",
    ],
    [
      [
        ...pair,
        ...peerPair,
        "--peer-trusted-ca-file=/ca",
        "--peer-cert-allowed-cn=a",
        "--peer-cert-allowed-hostname=b",
      ],
      "--peer-cert-allowed-cn and --peer-cert-allowed-hostname are mutually exclusive",
    ],
    [
      [...pair, "--tls-min-version=TLS1.1"],
      '--tls-min-version: unexpected TLS version "TLS1.1" (must be one of: TLS1.2, TLS1.3)',
    ],
    [
      [...pair, "--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"],
      "--tls-min-version: min version (TLS1.3) is greater than max version (TLS1.2)",
    ],
    [
      [
        ...pair,
        "--tls-min-version=TLS1.3",
        "--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      ],
      "--cipher-suites: cipher suites cannot be configured when only TLS1.3 is enabled",
    ],
    [[...pair, "--cipher-suites=TLS_X"], '--cipher-suites: unexpected TLS cipher suite "TLS_X"'],
    [
      ["--auto-tls", "--self-signed-cert-validity=0"],
      "--self-signed-cert-validity: 0 is not a number of years between 1 and 100",
    ],
    ...weak.map((suite): [string[], RegExp] => [
      [...pair, `--cipher-suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,${suite}`],
      new RegExp(`^--cipher-suites: "${suite}" is weak and not spoken here; there are TLS_ECDHE_`),
    ]),
  ];
  for (const [argv, message] of rows) {
    throws(
      () => resolve(secure, secure, ...argv),
      (error) => {
        if (typeof message === "string") deepEqual(error, new UsageError(message), argv.join(" "));
        else match((error as UsageError).message, message);
        return error instanceof UsageError;
      },
    );
  }
});

const weak = [
  "TLS_RSA_WITH_RC4_128_SHA",
  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
];
