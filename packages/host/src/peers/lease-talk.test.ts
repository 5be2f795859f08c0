// Questions about leases between two members: numbers and sessions (P4), and bytes that make no sense.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { leaseIdOf } from "@quorate/kv";
import {
  decodeLeaseAnswer,
  decodeLeaseAsk,
  encodeLeaseAnswer,
  encodeLeaseAsk,
  LeaseOutcome,
  LeaseQuestionKind,
} from "./lease-codec.ts";
import { PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member } from "./test/peers-bench.ts";

const id = leaseIdOf(0x1a, 0xffffffff);
const ask = { number: 4, kind: LeaseQuestionKind.Renew, id };
const answer = {
  number: 4,
  outcome: LeaseOutcome.Known,
  ttlSeconds: 9e9,
  grantedTtlSeconds: 9e9,
};

test("bodies: what is encoded comes back, anything else is refused", () => {
  assert.deepEqual(decodeLeaseAsk(encodeLeaseAsk(ask)), ask);
  const toSession = 2 ** 52;
  assert.deepEqual(decodeLeaseAnswer(encodeLeaseAnswer(toSession, answer)), { toSession, answer });
  for (const [decode, bytes] of [
    [decodeLeaseAsk, encodeLeaseAsk(ask)],
    [decodeLeaseAnswer, encodeLeaseAnswer(1, answer)],
  ] as const) {
    for (let end = 0; end < bytes.length; end++) {
      assert.equal(decode(bytes.slice(0, end)), null);
    }
    assert.equal(decode(Uint8Array.of(...bytes, 0)), null);
    assert.equal(decode(Uint8Array.of(2, ...bytes.slice(1))), null, "of a newer format");
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (any) => void decode(any)));
  }
  const unknownKind = encodeLeaseAsk({ ...ask, kind: 9 as LeaseQuestionKind });
  assert.equal(decodeLeaseAsk(unknownKind), null);
  const unknownOutcome = encodeLeaseAnswer(1, { ...answer, outcome: 9 as LeaseOutcome });
  assert.equal(decodeLeaseAnswer(unknownOutcome), null);
});

test("a question and its answer find their way; one to nobody is said not to have left", () => {
  const bench = new PeersBench(4, 2);
  const [a, b] = bench.bootAll() as [Member, Member];
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(100);
  a.act(() => {
    assert.equal(a.peers.leaseTalk.ask(raftIdOf(1), ask), true);
    assert.equal(a.peers.leaseTalk.ask(999, ask), false);
  });
  bench.run(100);
  assert.deepEqual(b.leaseTalk, [`${raftIdOf(0)} asks 4: 1 of 0000001affffffff`]);
  b.act(() => {
    b.peers.leaseTalk.answer(raftIdOf(0), answer);
    b.peers.leaseTalk.answer(999, answer);
  });
  bench.run(100);
  assert.deepEqual(a.leaseTalk, ["answer to 4: 1 9000000000/9000000000"]);
});

test("an answer to a question of an earlier process never reaches the present one (P4)", () => {
  const bench = new PeersBench(5, 2);
  const [a, b] = bench.bootAll() as [Member, Member];
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(100);
  b.act(() => void b.peers.leaseTalk.ask(raftIdOf(0), { ...ask, number: 1 }));
  assert.ok(bench.until(() => a.leaseTalk.length === 1, 1000));
  bench.kill(1);
  const next = bench.boot(1, { bootCount: 2 });
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(100);
  next.act(() => void next.peers.leaseTalk.ask(raftIdOf(0), { ...ask, number: 1 }));
  assert.ok(bench.until(() => a.leaseTalk.length === 2, 1000));
  const heard = Number(/asks (\d+):/.exec(a.leaseTalk[1]!)![1]);
  assert.ok(heard > 1, "the same number of another process is another question");
  a.act(() => {
    a.peers.leaseTalk.answer(raftIdOf(1), { ...answer, number: 1 });
    a.peers.leaseTalk.answer(raftIdOf(1), { ...answer, number: heard, ttlSeconds: 5 });
  });
  bench.run(100);
  assert.deepEqual(next.leaseTalk, ["answer to 1: 1 5/9000000000"]);
});
