// etcd's --auth-token: what is taken, and what is refused with a reason before anything starts.
import { equal, match, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseAuthToken } from "./auth-token.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-auth-token-"));
after(() => rmSync(folder, { recursive: true }));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keyFile = join(folder, "key.pem");
const publicFile = join(folder, "public.pem");
writeFileSync(keyFile, privateKey.export({ format: "pem", type: "pkcs8" }));
writeFileSync(publicFile, publicKey.export({ format: "pem", type: "spki" }));

test("simple, and jwt with its keys, method and duration", () => {
  equal(parseAuthToken("simple"), null);
  const rows: [string, number][] = [
    ["", 300],
    [",ttl=10m", 600],
    [",ttl=1h30m", 5400],
    [",ttl=90s", 90],
  ];
  for (const [suffix, seconds] of rows) {
    const made = parseAuthToken(`jwt,sign-method=ES256,priv-key=${keyFile}${suffix}`);
    ok(made !== null && typeof made !== "string", JSON.stringify(made));
    equal(made.ttlSeconds, seconds);
    ok(made.signing.canSign);
  }
  const verifying = parseAuthToken(`jwt,pub-key=${publicFile},sign-method=ES256`);
  ok(verifying !== null && typeof verifying !== "string" && !verifying.signing.canSign);
});

test("anything else is refused, and says why", () => {
  const jwt = `jwt,sign-method=ES256,priv-key=${keyFile}`;
  const rows: [string, RegExp][] = [
    ["", /"" is neither simple nor jwt/],
    ["simple,ttl=1m", /"simple" is neither/],
    ["bearer", /"bearer" is neither/],
    ["jwt", /sign-method: "" is none of RS256/],
    [`jwt,priv-key=${keyFile}`, /sign-method/],
    ["jwt,sign-method=ES256", /needs priv-key or pub-key/],
    [`jwt,sign-method=ES256,priv-key=${folder}/none`, /priv-key: cannot be read: ENOENT/],
    [`${jwt},ttl=ten`, /ttl: "ten" is not a duration/],
    [`${jwt},ttl=0s`, /ttl: "0s"/],
    [`${jwt},ttl=`, /ttl: ""/],
    [`${jwt},color=red`, /"color" is none of pub-key/],
    [`${jwt},sign-method=ES256`, /sign-method is given twice/],
    [`${jwt},ttl`, /"ttl" is not of the form name=value/],
  ];
  for (const [text, reason] of rows) {
    const refused = parseAuthToken(text);
    match(typeof refused === "string" ? refused : "taken", reason, text);
  }
});
