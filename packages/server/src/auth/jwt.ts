// Signed tokens (RFC 7519) with etcd's claims: username, revision (the auth revision of the moment) and
// exp. Stateless: every member with the key gives them out and knows them.
import { Identity } from "@quorate/kv";
import type { Signing } from "./signing.ts";

/** By so much clocks may differ. */
const skewSeconds = 60;
/** Verified ones are remembered: a signature costs far more than a look-up. */
const rememberedMax = 4096;

interface Verified {
  readonly identity: Identity;
  readonly notBefore: number;
  readonly expires: number;
}

export class JsonWebTokens {
  readonly #signing: Signing;
  readonly #ttlSeconds: number;
  readonly #verified: Map<string, Verified>;

  constructor(signing: Signing, ttlSeconds: number) {
    this.#signing = signing;
    this.#ttlSeconds = ttlSeconds;
    this.#verified = new Map();
  }

  get canIssue(): boolean {
    return this.#signing.canSign;
  }

  issue(identity: Identity, nowSeconds: number): string {
    const header = { alg: this.#signing.name, typ: "JWT" };
    const claims = {
      username: identity.user,
      revision: identity.authRevision,
      exp: Math.floor(nowSeconds) + this.#ttlSeconds,
    };
    const text = `${partOf(header)}.${partOf(claims)}`;
    return `${text}.${this.#signing.sign(text).toString("base64url")}`;
  }

  /** Null: not one of ours, or not now. */
  identityOf(token: string, nowSeconds: number): Identity | null {
    const verified = this.#verified.get(token) ?? this.#verify(token);
    if (verified === null) return null;
    const isNow =
      nowSeconds + skewSeconds >= verified.notBefore && nowSeconds - skewSeconds < verified.expires;
    return isNow ? verified.identity : null;
  }

  #verify(token: string): Verified | null {
    const parts = token.split(".");
    const [header, claims, signature] = parts;
    if (parts.length !== 3 || header === undefined || claims === undefined) return null;
    const fields = fieldsOf(header);
    // No other algorithm, "none" least of all, and nothing that must be understood and is not.
    if (fields === null || fields["alg"] !== this.#signing.name || "crit" in fields) return null;
    const bytes = Buffer.from(signature ?? "", "base64url");
    if (!this.#signing.isSigned(`${header}.${claims}`, bytes)) return null;
    const verified = verifiedOf(fieldsOf(claims));
    if (verified === null) return null;
    if (this.#verified.size >= rememberedMax) this.#verified.clear();
    this.#verified.set(token, verified);
    return verified;
  }
}

function verifiedOf(claims: Readonly<Record<string, unknown>> | null): Verified | null {
  if (claims === null) return null;
  const { username, revision, exp, nbf = 0 } = claims;
  const isWhole = typeof username === "string" && username !== "" && typeof exp === "number";
  if (!isWhole || typeof nbf !== "number" || typeof revision !== "number") return null;
  if (!Number.isSafeInteger(revision) || revision < 1) return null;
  return { identity: new Identity(username, revision), notBefore: nbf, expires: exp };
}

function partOf(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

function fieldsOf(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
