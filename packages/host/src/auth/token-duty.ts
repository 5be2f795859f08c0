// What keeps tokens' time: each member has those renewed that are used at it, the leader has those ended
// whose time is up. Both go through the log, so that a token is good on all members or on none, and only
// what is proposed depends on a clock.
import { AuthAction, renewedTokensMax } from "@quorate/kv";
import type { AuthCommand, KvApi, TokenHash } from "@quorate/kv";
import type { Clock } from "@quorate/storage";
import type { ReplySink } from "../host-api.ts";
import { wallReadingMs } from "../wall-clock.ts";

/** From one proposal to the next. */
const everyMs = 1000;
/** A token is renewed at most so often in its TTL (kv/src/auth/tokens.ts relies on it). */
const renewalsPerTtl = 4;
/** Of tokens that were used here and are maybe gone: forgotten this often. */
const forgetEveryMs = 60_000;

export interface TokenDutyParts {
  readonly kv: Pick<KvApi, "auth">;
  readonly clock: Clock;
  readonly tickMs: number;
  isLeader(): boolean;
  propose(command: AuthCommand, sink: ReplySink): void;
}

export class TokenDuty {
  readonly #parts: TokenDutyParts;
  /** When this member has seen to its renewal last, in ticks. Bounded by the table's own bound. */
  readonly #renewedTick: Map<TokenHash, number>;
  readonly #waiting: Set<TokenHash>;
  #nowTick: number;
  #nextTick: number;
  #forgetTick: number;
  #renewing: boolean;
  #expiring: boolean;

  constructor(parts: TokenDutyParts) {
    this.#parts = parts;
    this.#renewedTick = new Map();
    this.#waiting = new Set();
    this.#nowTick = 0;
    this.#nextTick = 0;
    this.#forgetTick = 0;
    this.#renewing = false;
    this.#expiring = false;
  }

  /** By this member, just now. */
  issued(hash: TokenHash): void {
    this.#renewedTick.set(hash, this.#nowTick);
  }

  used(hash: TokenHash): void {
    const token = this.#parts.kv.auth.tokens.get(hash);
    if (token === null) return;
    const last = this.#renewedTick.get(hash);
    const ticks = token.ttlMs / renewalsPerTtl / this.#parts.tickMs;
    if (last !== undefined && this.#nowTick - last < ticks) return;
    this.#renewedTick.set(hash, this.#nowTick);
    this.#waiting.add(hash);
  }

  /** While this member serves and knows a leader. */
  tick(nowTick: number): void {
    this.#nowTick = nowTick;
    if (nowTick < this.#nextTick) return;
    this.#nextTick = nowTick + Math.ceil(everyMs / this.#parts.tickMs);
    if (nowTick >= this.#forgetTick) this.#forget();
    if (this.#waiting.size > 0 && !this.#renewing) this.#renew();
    const { kv, clock } = this.#parts;
    const isDue = kv.auth.tokens.earliestExpiryMs <= wallReadingMs(clock);
    if (isDue && !this.#expiring && this.#parts.isLeader()) this.#expire();
  }

  #renew(): void {
    const tokens = [...this.#waiting].slice(0, renewedTokensMax);
    for (const hash of tokens) this.#waiting.delete(hash);
    this.#renewing = true;
    this.#parts.propose(
      { action: AuthAction.RenewTokens, tokens },
      {
        reply: () => {
          this.#renewing = false;
        },
        fail: () => {
          this.#renewing = false;
          // Their next use asks again.
          for (const hash of tokens) this.#renewedTick.delete(hash);
        },
      },
    );
  }

  #expire(): void {
    this.#expiring = true;
    const done = (): void => {
      this.#expiring = false;
    };
    this.#parts.propose({ action: AuthAction.ExpireTokens }, { reply: done, fail: done });
  }

  #forget(): void {
    this.#forgetTick = this.#nowTick + Math.ceil(forgetEveryMs / this.#parts.tickMs);
    for (const hash of this.#renewedTick.keys()) {
      if (this.#parts.kv.auth.tokens.get(hash) === null) this.#renewedTick.delete(hash);
    }
  }
}
