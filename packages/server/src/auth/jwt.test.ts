// Signed tokens: what is signed is known, and whatever else somebody may send is not. Method: own keys of
// every kind, and tokens made by hand.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { test } from "node:test";
import { Identity } from "@quorate/kv";
import { JsonWebTokens } from "./jwt.ts";
import { Signing } from "./signing.ts";

const now = 1_700_000_000;
const ttl = 600;

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed25519 = generateKeyPairSync("ed25519");
const pairs: Record<string, Pair> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: p256,
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  EdDSA: ed25519,
};
const secret = randomBytes(32);

const pemOf = (key: KeyObject): Uint8Array =>
  Buffer.from(key.export({ format: "pem", type: key.type === "private" ? "pkcs8" : "spki" }));

function signingOf(name: string): Signing {
  const pair = pairs[name];
  const made = Signing.make(name, pair === undefined ? secret : pemOf(pair.privateKey), null);
  if (typeof made === "string") throw new Error(made);
  return made;
}

function tokensOf(name: string): JsonWebTokens {
  return new JsonWebTokens(signingOf(name), ttl);
}

/** With any header and claims, signed as the method says. */
function tokenOf(signing: Signing, header: object, claims: object | string): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${signing.sign(text).toString("base64url")}`;
}

test("by every method: who was named is known to all that have the key, until a minute after its end", () => {
  for (const name of [...Object.keys(pairs), "HS256", "HS384", "HS512"]) {
    const token = tokensOf(name).issue(new Identity("root", 7), now);
    const pair = pairs[name];
    const others = [tokensOf(name)];
    if (pair !== undefined) {
      const verifying = Signing.make(name, null, pemOf(pair.publicKey));
      ok(verifying instanceof Signing && !verifying.canSign, name);
      others.push(new JsonWebTokens(verifying, ttl));
    }
    for (const other of others) {
      deepEqual(other.identityOf(token, now), new Identity("root", 7), name);
      deepEqual(other.identityOf(token, now + ttl + 59), new Identity("root", 7), name);
      equal(other.identityOf(token, now + ttl + 60), null, name);
      equal(other.identityOf(`${token.slice(0, -6)}AAAAAA`, now), null, name);
    }
  }
});

test("the claims are etcd's", () => {
  const [header, claims] = tokensOf("ES256").issue(new Identity("u", 3), now).split(".");
  const read = (part: string | undefined): unknown =>
    JSON.parse(Buffer.from(part!, "base64url").toString());
  deepEqual(read(header), { alg: "ES256", typ: "JWT" });
  deepEqual(read(claims), { username: "u", revision: 3, exp: now + ttl });
});

test("no other algorithm than the configured one, above all none", () => {
  const tokens = tokensOf("RS256");
  const claims = { username: "root", revision: 7, exp: now + ttl };
  const good = tokenOf(signingOf("RS256"), { alg: "RS256" }, claims);
  deepEqual(tokens.identityOf(good, now), new Identity("root", 7));
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const unsigned = `${part({ alg: "none" })}.${part(claims)}.`;
  // The public key, which everybody may know, as the secret of an HMAC.
  const text = `${part({ alg: "HS256" })}.${part(claims)}`;
  const mac = createHmac("sha256", pemOf(rsa.publicKey)).update(text).digest("base64url");
  const bad = [
    unsigned,
    unsigned.slice(0, -1),
    `${text}.${mac}`,
    tokenOf(signingOf("PS256"), { alg: "RS256" }, claims),
    tokenOf(signingOf("RS256"), { alg: "PS256" }, claims),
    tokenOf(signingOf("RS512"), { alg: "RS256" }, claims),
    tokenOf(signingOf("RS256"), { alg: "RS256", crit: ["exp"] }, claims),
    tokenOf(signingOf("RS256"), [], claims),
  ];
  for (const token of bad) equal(tokens.identityOf(token, now), null, token);
});

test("claims that are missing, of another kind or not yet good are refused; so is what is no token", () => {
  const signing = signingOf("ES256");
  const tokens = new JsonWebTokens(signing, ttl);
  const claims = { username: "u", revision: 3, exp: now + ttl };
  const make = (fields: object | string): string => tokenOf(signing, { alg: "ES256" }, fields);
  equal(tokens.identityOf(make({ ...claims, nbf: now + 60 }), now)?.user, "u");
  const bad: (object | string)[] = [
    { ...claims, nbf: now + 61 },
    { ...claims, nbf: "0" },
    { ...claims, exp: now - 60 },
    { ...claims, exp: "9999999999" },
    { username: "u", revision: 3 },
    { ...claims, username: "" },
    { ...claims, username: 3 },
    { ...claims, revision: 0 },
    { ...claims, revision: 1.5 },
    { ...claims, revision: "3" },
    [claims],
    "null",
    "{",
  ];
  for (const fields of bad) {
    equal(tokens.identityOf(make(fields), now), null, JSON.stringify(fields));
  }
  for (const token of ["", ".", "..", "a.b.c", "a.b", `${make(claims)}.x`, "\u{1f600}"]) {
    equal(tokens.identityOf(token, now), null, token);
  }
});

test("keys that do not fit the method are refused with a reason", () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rows: [string, Uint8Array | null, Uint8Array | null, RegExp][] = [
    ["none", secret, null, /"none" is none of RS256/],
    ["", pemOf(rsa.privateKey), null, /"" is none of/],
    ["RS256", null, null, /needs priv-key or pub-key/],
    ["RS256", pemOf(p256.privateKey), null, /not an RSA key/],
    ["RS256", pemOf(small.privateKey), null, /less than 2048 bits/],
    ["ES256", pemOf(rsa.privateKey), null, /curve prime256v1/],
    ["ES384", pemOf(p256.privateKey), null, /curve secp384r1/],
    ["EdDSA", pemOf(p256.privateKey), null, /not an Ed25519 key/],
    ["ES256", pemOf(p256.privateKey), pemOf(other.publicKey), /do not belong together/],
    ["ES256", secret, null, /not a key in PEM form/],
    ["HS256", null, secret, /needs priv-key/],
    ["HS256", secret.subarray(1), null, /shorter than 32 bytes/],
  ];
  for (const [name, privateKey, publicKey, reason] of rows) {
    const made = Signing.make(name, privateKey, publicKey);
    match(typeof made === "string" ? made : "taken", reason, name);
  }
});
