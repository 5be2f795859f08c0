// Which cipher suites and versions are spoken: those with authenticated encryption and fresh keys for
// each connection. Others are refused by name (GHSA-5x4g), whatever the flag says.

/** Go's names, which etcd's flag takes, of what TLS 1.2 may use; OpenSSL's beside them. */
const suites: ReadonlyMap<string, string> = new Map([
  ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"],
  ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"],
]);

/** As Go names them without their hash. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"],
  ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"],
]);

/** TLS 1.3 has no others that are weak; they are always spoken, as in Go. */
const suites13: readonly string[] = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
];

/** What Go knows besides: named so that the refusal can say why. */
const weakPattern = /^TLS_(?:ECDHE_)?(?:RSA|ECDSA)_WITH_(?:RC4|3DES|AES)_/;

export const SuiteVerdict = { Good: 1, Weak: 2, Unknown: 3 } as const;
export type SuiteVerdict = (typeof SuiteVerdict)[keyof typeof SuiteVerdict];

export function judgeSuite(name: string): SuiteVerdict {
  if (suites.has(fullName(name)) || suites13.includes(name)) return SuiteVerdict.Good;
  return weakPattern.test(name) ? SuiteVerdict.Weak : SuiteVerdict.Unknown;
}

export function goodSuites(): string[] {
  return [...suites.keys()];
}

/** OpenSSL's list; `names` are good ones, empty: all. */
export function cipherList(names: readonly string[]): string {
  const chosen = names.length === 0 ? [...suites.keys()] : names.map(fullName);
  const openSsl = chosen.flatMap((name) => suites.get(name) ?? []);
  return [...suites13, ...openSsl].join(":");
}

function fullName(name: string): string {
  return shortNames.get(name) ?? name;
}
