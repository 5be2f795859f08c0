// The tokens that are good: time, bounds, order and digest. Method: one that is changed step by step
// against one that is read from its bytes, and against counting.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteReader, ByteWriter } from "@quorate/base";
import { Tokens, tokensMax, tokensPerUserMax } from "./tokens.ts";

const hash = (at: number): string => String(at).padEnd(32, "#");

function copyOf(tokens: Tokens): Tokens {
  const writer = new ByteWriter();
  tokens.write(writer);
  const copy = new Tokens();
  const reader = new ByteReader(writer.take());
  copy.read(reader);
  ok(reader.ok && reader.done);
  return copy;
}

test("a token ends with the first expiry at or after a quarter more than its TTL without use", () => {
  const tokens = new Tokens();
  tokens.issue(hash(1), "u", 1000, 5000);
  equal(tokens.earliestExpiryMs, 6250);
  tokens.expire(6249);
  equal(tokens.get(hash(1))?.user, "u");
  tokens.renew(hash(1), 6249);
  tokens.expire(7498);
  equal(tokens.get(hash(1))?.expiresMs, 7499);
  tokens.expire(7499);
  equal(tokens.get(hash(1)), null);
  tokens.renew(hash(1), 7500);
  deepEqual([tokens.count, tokens.earliestExpiryMs], [0, Infinity], "what is gone stays away");
});

test("a user's tokens are bounded: the one that was issued or renewed longest ago goes", () => {
  const tokens = new Tokens();
  for (let at = 0; at < tokensPerUserMax; at += 1) tokens.issue(hash(at), "u", 1000, at);
  tokens.issue(hash(-1), "other", 1000, 0);
  tokens.renew(hash(0), 1);
  tokens.issue(hash(-2), "u", 1000, 1);
  equal(tokens.count, tokensPerUserMax + 1);
  deepEqual([tokens.get(hash(0))?.user, tokens.get(hash(1))], ["u", null]);
  equal(tokens.get(hash(-1))?.user, "other");
});

test("all tokens together are bounded", () => {
  const tokens = new Tokens();
  for (let at = 0; at < tokensMax; at += 1) tokens.issue(hash(at), `u${at % 32}`, 1000, 0);
  tokens.issue(hash(-1), "new", 1000, 0);
  equal(tokens.count, tokensMax);
  deepEqual([tokens.get(hash(0)), tokens.get(hash(-1))?.user], [null, "new"]);
});

const step = fc.oneof(
  fc.record({ kind: fc.constant("issue"), at: fc.nat(9), user: fc.nat(2), ms: fc.nat(3000) }),
  fc.record({ kind: fc.constant("renew"), at: fc.nat(9), user: fc.nat(2), ms: fc.nat(3000) }),
  fc.record({ kind: fc.constant("expire"), at: fc.nat(9), user: fc.nat(2), ms: fc.nat(3000) }),
  fc.record({ kind: fc.constant("drop"), at: fc.nat(9), user: fc.nat(2), ms: fc.nat(3000) }),
);

test("however it came about, equal content has equal digests, and bytes tell all of it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const tokens = new Tokens();
      for (const { kind, at, user, ms } of steps) {
        if (kind === "issue") tokens.issue(hash(at), `u${user}`, 1000, ms);
        else if (kind === "renew") tokens.renew(hash(at), ms);
        else if (kind === "expire") tokens.expire(ms);
        else tokens.dropUser(`u${user}`);
      }
      const copy = copyOf(tokens);
      deepEqual([copy.digestLow, copy.digestHigh], [tokens.digestLow, tokens.digestHigh]);
      ok(tokens.earliestExpiryMs <= copy.earliestExpiryMs);
      for (let at = 0; at <= 9; at += 1) deepEqual(copy.get(hash(at)), tokens.get(hash(at)));
      tokens.expire(Infinity);
      deepEqual([tokens.count, tokens.digestLow, tokens.digestHigh], [0, 0, 0]);
    }),
  );
});
