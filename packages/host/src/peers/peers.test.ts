// Peers on the simulated network: who is heard, in what session, and that messages arrive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry, Message, MessageType } from "@quorate/raft";
import { PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member } from "./test/peers-bench.ts";

function message(from: Member, to: Member, type: MessageType): Message {
  const m = new Message(type, from.options.raftId, to.options.raftId, 3);
  m.session = from.options.session;
  m.toSession = to.options.session;
  return m;
}

test("three members connect both ways, each session is accepted once and after its record", () => {
  const bench = new PeersBench(1, 3);
  const members = bench.bootAll();
  assert.ok(bench.until(() => bench.allConnected(), 2000));
  bench.run(500);
  for (const member of members) {
    assert.equal(member.sessions.length, 2);
    assert.equal(member.persisted.length, 2);
    for (let j = 0; j < 3; j++) {
      if (j === member.index) continue;
      assert.equal(member.peers.sessionOf(raftIdOf(j)), members[j]!.options.session);
    }
  }
});

test("messages arrive whole, entries shared by two followers among them", () => {
  const bench = new PeersBench(2, 3);
  const [a, b, c] = bench.bootAll() as [Member, Member, Member];
  assert.ok(bench.until(() => bench.allConnected(), 2000));
  const payload = new Uint8Array(1000).fill(7);
  const entries = [new Entry(3, 11, 16, 1, 5, payload), new Entry(3, 12, 16, 1, 6, payload)];
  a.act(() => {
    for (const to of [b, c]) {
      const append = message(a, to, MessageType.AppendEntries);
      append.index = 10;
      append.logTerm = 3;
      append.entries = entries;
      a.peers.send(append);
    }
    a.peers.flush();
  });
  assert.ok(bench.until(() => b.messages.length === 1 && c.messages.length === 1, 1000));
  for (const m of [b.messages[0]!, c.messages[0]!]) {
    assert.equal(m.entries.length, 2);
    assert.deepEqual([...m.entries[1]!.payload], [...payload]);
    assert.equal(m.from, a.options.raftId);
  }
});
