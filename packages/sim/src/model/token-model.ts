// The naive twin's tokens: who was given which, by which entry it came and by which it went.
import type { TokenHash } from "@quorate/kv";

export interface TokenLife {
  readonly hash: TokenHash;
  readonly user: string;
  readonly ttlMs: number;
  /** Index of the entry that issued it, and of the one that ended it; Infinity: it is good. */
  readonly from: number;
  to: number;
  /** By the stamps of entries. */
  expiresMs: number;
}

/** A token lives so many of its TTL without use: renewals come once in a quarter. */
const lifetimeInTtls = 1.25;

export class TokenModel {
  readonly #lives: Map<TokenHash, TokenLife[]>;

  constructor() {
    this.#lives = new Map();
  }

  issue(hash: TokenHash, user: string, ttlMs: number, index: number, stampMs: number): void {
    this.#end(index, (life) => life.hash === hash);
    const expiresMs = expiryOf(ttlMs, stampMs);
    const life = { hash, user, ttlMs, from: index, to: Number.POSITIVE_INFINITY, expiresMs };
    this.#lives.set(hash, [...(this.#lives.get(hash) ?? []), life]);
  }

  renew(hash: TokenHash, stampMs: number): void {
    for (const life of this.#lives.get(hash) ?? []) {
      if (life.to === Number.POSITIVE_INFINITY) life.expiresMs = expiryOf(life.ttlMs, stampMs);
    }
  }

  expire(index: number, stampMs: number): void {
    this.#end(index, ({ expiresMs }) => expiresMs <= stampMs);
  }

  dropUser(user: string, index: number): void {
    this.#end(index, (life) => life.user === user);
  }

  clear(index: number): void {
    this.#end(index, () => true);
  }

  /** Whose it is when everything up to the index has been applied; null: nobody's. */
  ownerAt(hash: TokenHash, index: number): string | null {
    const lives = this.#lives.get(hash) ?? [];
    return lives.find(({ from, to }) => from <= index && index < to)?.user ?? null;
  }

  #end(index: number, which: (life: TokenLife) => boolean): void {
    for (const life of [...this.#lives.values()].flat()) {
      if (life.to === Number.POSITIVE_INFINITY && which(life)) life.to = index;
    }
  }
}

function expiryOf(ttlMs: number, stampMs: number): number {
  return stampMs + Math.ceil(ttlMs * lifetimeInTtls);
}
