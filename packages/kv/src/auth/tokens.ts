// The simple tokens that are good, by their hashes: part of the auth table, so that a token holds on every
// member and after any failover. Time is that of the entries' stamps; nothing here ends by itself.
import { latin1Encode, utf8Encode } from "@quorate/base";
import type { ByteReader, ByteWriter } from "@quorate/base";
import { Hasher } from "../digest.ts";
import { readTokenHash, tokenHashBytes } from "./auth-command.ts";
import type { TokenHash } from "./auth-command.ts";
import type { Token, TokensView } from "./auth-view.ts";

const PURPOSE_TOKEN = 40;

/** Beyond them the one that was issued or renewed longest ago goes. */
export const tokensMax = 65_536;
export const tokensPerUserMax = 4096;

/**
 * How long a token is good without use, in its TTL: one that is used is renewed once in a quarter of its
 * TTL (host/src/auth), so that no token ends earlier than a TTL after its last use, as etcd's.
 */
const lifetimeInTtls = 1.25;

export class Tokens implements TokensView {
  /** In the order in which they were issued or renewed last. */
  readonly #byHash: Map<TokenHash, Token>;
  /** In the same order; no empty sets. Invariant: the same tokens as #byHash. */
  readonly #byUser: Map<string, Set<TokenHash>>;
  readonly #hasher: Hasher;
  /** Sum over the tokens of a hash of each, in two lanes: the same for equal content. */
  #low: number;
  #high: number;
  /** No token expires before it. */
  #earliestMs: number;

  constructor() {
    this.#byHash = new Map();
    this.#byUser = new Map();
    this.#hasher = new Hasher();
    this.#low = 0;
    this.#high = 0;
    this.#earliestMs = Number.POSITIVE_INFINITY;
  }

  get count(): number {
    return this.#byHash.size;
  }

  get earliestExpiryMs(): number {
    return this.#earliestMs;
  }

  get digestLow(): number {
    return this.#low;
  }

  get digestHigh(): number {
    return this.#high;
  }

  get(hash: TokenHash): Token | null {
    return this.#byHash.get(hash) ?? null;
  }

  issue(hash: TokenHash, user: string, ttlMs: number, stampMs: number): void {
    this.#remove(hash);
    const ofUser = this.#byUser.get(user);
    if (ofUser !== undefined && ofUser.size >= tokensPerUserMax) this.#removeOldest(ofUser);
    if (this.#byHash.size >= tokensMax) this.#removeOldest(this.#byHash.keys());
    this.#add({ hash, user, ttlMs, expiresMs: stampMs + Math.ceil(ttlMs * lifetimeInTtls) });
  }

  /** What is not there any more stays away. */
  renew(hash: TokenHash, stampMs: number): void {
    const token = this.get(hash);
    if (token !== null) this.issue(hash, token.user, token.ttlMs, stampMs);
  }

  expire(stampMs: number): void {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { hash, expiresMs } of this.#byHash.values()) {
      if (expiresMs <= stampMs) this.#remove(hash);
      else earliestMs = Math.min(earliestMs, expiresMs);
    }
    this.#earliestMs = earliestMs;
  }

  dropUser(user: string): void {
    for (const hash of this.#byUser.get(user) ?? []) this.#remove(hash);
  }

  clear(): void {
    this.#byHash.clear();
    this.#byUser.clear();
    this.#low = 0;
    this.#high = 0;
    this.#earliestMs = Number.POSITIVE_INFINITY;
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#byHash.size);
    for (const { hash, user, ttlMs, expiresMs } of this.#byHash.values()) {
      writer.bytes(latin1Encode(hash));
      writer.text(user);
      writer.varint(ttlMs);
      writer.varint(expiresMs);
    }
  }

  /** Takes the place of what was there; the reader fails on nonsense. */
  read(reader: ByteReader): void {
    this.clear();
    const count = reader.varint();
    if (count > tokensMax || count * tokenHashBytes > reader.remaining) return reader.fail();
    for (let left = count; left > 0; left -= 1) {
      const hash = readTokenHash(reader);
      const user = reader.text();
      const ttlMs = reader.varint();
      const expiresMs = reader.varint();
      if (!reader.ok) return;
      if (this.#byHash.has(hash)) return reader.fail();
      this.#add({ hash, user, ttlMs, expiresMs });
    }
  }

  #add(token: Token): void {
    const { hash, user, expiresMs } = token;
    this.#byHash.set(hash, token);
    const ofUser = this.#byUser.get(user);
    if (ofUser === undefined) this.#byUser.set(user, new Set([hash]));
    else ofUser.add(hash);
    this.#earliestMs = Math.min(this.#earliestMs, expiresMs);
    this.#count(token, 1);
  }

  #remove(hash: TokenHash): void {
    const token = this.#byHash.get(hash);
    if (token === undefined) return;
    this.#byHash.delete(hash);
    const ofUser = this.#byUser.get(token.user)!;
    ofUser.delete(hash);
    if (ofUser.size === 0) this.#byUser.delete(token.user);
    this.#count(token, -1);
  }

  #removeOldest(hashes: Iterable<TokenHash>): void {
    for (const hash of hashes) return this.#remove(hash);
  }

  #count(token: Token, sign: 1 | -1): void {
    const hasher = this.#hasher;
    hasher.reset(PURPOSE_TOKEN);
    hasher.bytes(latin1Encode(token.hash));
    hasher.bytes(utf8Encode(token.user));
    hasher.number(token.ttlMs);
    hasher.number(token.expiresMs);
    hasher.finish();
    this.#low = (this.#low + sign * hasher.low) >>> 0;
    this.#high = (this.#high + sign * hasher.high) >>> 0;
  }
}
