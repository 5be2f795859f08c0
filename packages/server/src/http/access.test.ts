// Who may send HTTP requests: rows of Host, Origin and flags. What etcd 3.4.23 does with the same flags
// is compared with a running one in tests/conformance/gateway/gateway.test.ts.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { accessOf } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import { cleanPath, hostOf } from "./target.ts";

const open: AccessOptions = { cors: null, hostWhitelist: null, ownHosts: ["store.lan"] };

type Row = readonly [
  authority: string,
  origin: string | undefined,
  options: Partial<AccessOptions>,
  status: number | null,
  allowOrigin: string | null,
];

const rows: readonly Row[] = [
  // Programs send no Origin.
  ["store.lan:2379", undefined, {}, null, "*"],
  ["any.name:2379", undefined, {}, null, "*"],
  ["", undefined, {}, null, "*"],
  // CVE-2018-1098: a page from elsewhere.
  ["127.0.0.1:2379", "http://evil.example", {}, 403, null],
  ["localhost:2379", "http://localhost:3000", {}, 403, null],
  ["127.0.0.1:2379", "null", {}, 403, null],
  ["127.0.0.1:2379", "", {}, 403, null],
  // CVE-2018-1099: a page from here, by a name that its owner has rebound to this address.
  ["evil.example:2379", "http://evil.example:2379", {}, 403, null],
  ["127.0.0.1:2379", "http://127.0.0.1:2379", {}, null, "http://127.0.0.1:2379"],
  ["[::1]:2379", "http://[::1]:2379", {}, null, "http://[::1]:2379"],
  ["localhost:2379", "http://localhost:2379", {}, null, "http://localhost:2379"],
  ["store.lan:80", "http://store.lan", {}, null, "http://store.lan"],
  ["store.lan:2379", "http://store.lan:2379", { hostWhitelist: ["b"] }, 421, null],
  // --cors
  ["127.0.0.1:2379", "http://a", { cors: ["*"] }, null, "*"],
  ["127.0.0.1:2379", undefined, { cors: ["*"] }, null, "*"],
  ["127.0.0.1:2379", "http://a", { cors: [] }, null, "*"],
  ["127.0.0.1:2379", "http://a", { cors: ["http://a", "http://b"] }, null, "http://a"],
  ["127.0.0.1:2379", undefined, { cors: ["http://a"] }, null, null],
  ["127.0.0.1:2379", "http://c", { cors: ["http://a"] }, 403, null],
  ["127.0.0.1:2379", "http://127.0.0.1:2379", { cors: ["http://a"] }, null, null],
  // --host-whitelist
  ["a:2379", undefined, { hostWhitelist: ["a", "b"] }, null, "*"],
  ["c:2379", undefined, { hostWhitelist: ["a", "b"] }, 421, null],
  ["127.0.0.1:2379", undefined, { hostWhitelist: ["a"] }, 421, null],
  ["[::1]:2379", undefined, { hostWhitelist: ["::1"] }, null, "*"],
  ["a", undefined, { hostWhitelist: ["a"] }, null, "*"],
  ["c:2379", undefined, { hostWhitelist: ["*"] }, null, "*"],
  ["c:2379", undefined, { hostWhitelist: [] }, null, "*"],
  ["a:2379", "http://a:2379", { hostWhitelist: ["a"] }, null, "http://a:2379"],
  ["c:2379", "http://x", { hostWhitelist: ["a"], cors: ["*"] }, 421, null],
];

test("Host and Origin against --cors and --host-whitelist", () => {
  for (const [authority, origin, options, status, allowOrigin] of rows) {
    const access = accessOf({ authority, origin, secure: false }, { ...open, ...options });
    const told = `${authority} from ${origin} with ${JSON.stringify(options)}`;
    deepEqual([access.refusal?.status ?? null, access.allowOrigin], [status, allowOrigin], told);
  }
});

test("over TLS the name was proved by the certificate; another page's origin is still another's", () => {
  const access = (origin: string | undefined): number | null =>
    accessOf({ authority: "c:2379", origin, secure: true }, { ...open, hostWhitelist: ["a"] })
      .refusal?.status ?? null;
  equal(access(undefined), null);
  equal(access("https://c:2379"), null);
  equal(access("https://evil.example"), 403);
});

test("a refusal says which flag lets in", () => {
  const asked = { authority: "c:1", origin: "http://x", secure: false };
  match(accessOf(asked, open).refusal!.text, /--cors/);
  match(accessOf(asked, { ...open, hostWhitelist: ["a"] }).refusal!.text, /--host-whitelist "c"/);
});

test("hosts and paths as Go takes them apart", () => {
  const hosts: readonly (readonly [string, string])[] = [
    ["a:1", "a"],
    ["a", "a"],
    ["[::1]:2379", "::1"],
    ["[::1]", "[::1]"],
    ["::1", "::1"],
    ["a:1:2", "a:1:2"],
    ["", ""],
  ];
  for (const [authority, host] of hosts) equal(hostOf(authority), host, authority);
  const paths: readonly (readonly [string, string])[] = [
    ["/", "/"],
    ["/v3/kv/range", "/v3/kv/range"],
    ["/v3/kv/range/", "/v3/kv/range/"],
    ["/v3//kv/./range", "/v3/kv/range"],
    ["/v3/../version", "/version"],
    ["/../..", "/"],
    ["version", "/version"],
  ];
  for (const [path, clean] of paths) equal(cleanPath(path), clean, path);
});
