// Peers on the simulated network: who is heard, in what session, that messages arrive, that bounds
// hold, and what is counted when they do not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry, Message, MessageType } from "@quorate/raft";
import { EndKind } from "@quorate/sim";
import { PeerRecord } from "@quorate/storage";
import { LogOutcome } from "./log-codec.ts";
import { ForwardOutcome } from "./peers-api.ts";
import { memberIdOf, PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member, MemberOptions } from "./test/peers-bench.ts";

function message(from: Member, to: Member, type: MessageType): Message {
  const m = new Message(type, from.options.raftId, to.options.raftId, 3);
  m.session = from.options.session;
  m.toSession = to.options.session;
  return m;
}

function connected(seed: number, count: number, options: Partial<MemberOptions> = {}): PeersBench {
  const bench = new PeersBench(seed, count);
  bench.bootAll(options);
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  // Data links too.
  bench.run(100);
  return bench;
}

function three(bench: PeersBench): [Member, Member, Member] {
  return bench.members as [Member, Member, Member];
}

test("three members connect both ways, each session is accepted once and after its record", () => {
  const bench = connected(1, 3);
  bench.run(500);
  for (const member of three(bench)) {
    assert.equal(member.sessions.length, 2);
    assert.equal(member.persisted.length, 2);
    for (let j = 0; j < 3; j++) {
      if (j === member.index) continue;
      assert.equal(member.peers.sessionOf(raftIdOf(j)), bench.members[j]!.options.session);
    }
  }
});

test("no session is accepted while its record is not durable", () => {
  const bench = new PeersBench(1, 2);
  const [a, b] = [bench.boot(0, { persistMs: -1 }), bench.boot(1)] as const;
  bench.run(5000);
  assert.deepEqual(a.sessions, []);
  assert.equal(a.peers.sessionOf(raftIdOf(1)), 0);
  assert.equal(a.connectedTo(1), false);
  // The other one hears it, and has no answer of it.
  assert.equal(b.sessions.length, 1);
  assert.equal(b.connectedTo(0), false);
});

test("a record of an earlier boot is not written again for the same process", () => {
  const bench = new PeersBench(1, 2);
  bench.boot(1, { session: 4444, bootCount: 3 });
  const a = bench.boot(0, { records: [new PeerRecord(raftIdOf(1), 3, 4444)] });
  assert.ok(bench.until(() => bench.allConnected(), 2000));
  assert.deepEqual(a.persisted, []);
  assert.deepEqual(a.sessions, [`${raftIdOf(1)}:4444:1:0`]);
});

test("messages arrive whole, entries shared by two followers among them", () => {
  const bench = connected(2, 3);
  const [a, b, c] = three(bench);
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
    assert.deepEqual(m.entries[1]!.payload, payload);
    assert.equal(m.from, a.options.raftId);
  }
});

test("all frames of a turn to one link leave in one send", () => {
  const bench = connected(3, 2);
  const [a, b] = three(bench);
  a.ticking = b.ticking = false;
  let sends = 0;
  bench.network.onSend = (): void => void sends++;
  a.act(() => {
    for (let i = 0; i < 50; i++) a.peers.send(message(a, b, MessageType.AppendEntries));
    for (let i = 0; i < 50; i++) a.peers.send(message(a, b, MessageType.Heartbeat));
    a.peers.flush();
  });
  assert.equal(sends, 2);
  assert.ok(bench.until(() => b.messages.length === 100, 1000));
});

test("messages of another session, sender or receiver than the link's are dropped and counted", () => {
  const bench = connected(4, 3);
  const [a, b, c] = three(bench);
  a.act(() => {
    const good = message(a, b, MessageType.Vote);
    const oldSession = message(a, b, MessageType.Vote);
    oldSession.session = 1;
    const otherSender = message(c, b, MessageType.Vote);
    otherSender.session = a.options.session;
    for (const m of [good, oldSession, otherSender]) a.peers.send(m);
    a.peers.flush();
  });
  bench.run(200);
  assert.equal(b.messages.length, 1);
  assert.equal(b.peers.counters().framesForeign, 2);
});

test("a heartbeat is stamped when it leaves, its answer tells the round trip", () => {
  const bench = connected(5, 2);
  bench.network.options.delayMinUs = bench.network.options.delayMaxUs = 7000;
  const [a, b] = three(bench);
  b.onMessageHook = (heartbeat): void => {
    const answer = message(b, a, MessageType.HeartbeatResponse);
    answer.toSession = heartbeat.session;
    answer.sentMs = heartbeat.sentMs;
    b.peers.send(answer);
    b.peers.flush();
  };
  a.act(() => {
    a.peers.send(message(a, b, MessageType.Heartbeat));
    a.peers.flush();
  });
  assert.ok(bench.until(() => a.roundTrips.length === 1, 1000));
  assert.ok(Math.abs(a.roundTrips[0]! - 14) < 0.1, `${a.roundTrips[0]} ms`);
  assert.equal(a.statusOf(1).roundTripMs, a.roundTrips[0]);
});

test("forwards and digests arrive; answers to another session of the asker are dropped", () => {
  const bench = connected(6, 2);
  const [a, b] = three(bench);
  a.act(() => {
    assert.ok(a.peers.forwardProposal(raftIdOf(1), 41, 16, new Uint8Array(9)));
    assert.ok(a.peers.forwardRead(raftIdOf(1), 42));
    a.peers.broadcastDigest({ index: 5, liveLow: 1, liveHigh: 2, applyLow: 3, applyHigh: 4 });
    assert.equal(a.peers.forwardRead(999, 43), false);
    a.peers.flush();
  });
  bench.run(100);
  assert.deepEqual(b.forwards, [`proposal ${raftIdOf(0)} 41 16 9`, `read ${raftIdOf(0)} 42`]);
  assert.deepEqual(b.digests, [`${raftIdOf(0)}:5:1:4`]);
  b.act(() => {
    b.peers.answerForward(raftIdOf(0), 41, ForwardOutcome.Appended, 77, 3);
    b.peers.answerForwardRead(raftIdOf(0), 42, 78);
    b.peers.flush();
  });
  bench.run(100);
  assert.deepEqual(a.forwards, ["answer 41 1 77 3", "read answer 42 78"]);
});

test("questions for lost entries arrive, and so do the answers", () => {
  const bench = connected(6, 2);
  const [a, b] = three(bench);
  const ask = { number: 1, beforeIndex: 4, beforeTerm: 2, upToIndex: 9, upToTerm: 3 };
  a.act(() => {
    a.peers.logTalk.ask([raftIdOf(1), 999], ask);
    a.peers.flush();
  });
  bench.run(100);
  assert.deepEqual(b.logTalk, [`${raftIdOf(0)} asks for entries 5 to 9`]);
  const entries = [new Entry(2, 5, 16, 1, 0, new Uint8Array(3))];
  b.act(() => {
    b.peers.logTalk.answer(raftIdOf(0), { number: 1, outcome: LogOutcome.Have, entries });
    b.peers.flush();
  });
  bench.run(100);
  assert.deepEqual(a.logTalk, [`${raftIdOf(1)} answers with 1 entries`]);
});

test("an answer to a request of an earlier process never reaches the present one (P4)", () => {
  const bench = connected(19, 2);
  const [a, b] = three(bench);
  b.act(() => {
    b.peers.forwardRead(raftIdOf(0), 1);
    b.peers.flush();
  });
  assert.ok(bench.until(() => a.forwards.length === 1, 1000));
  bench.kill(1);
  const next = bench.boot(1, { bootCount: 2 });
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(100);
  next.act(() => {
    next.peers.forwardRead(raftIdOf(0), 1);
    next.peers.forwardProposal(raftIdOf(0), 2, 16, new Uint8Array(1));
    next.peers.flush();
  });
  assert.ok(bench.until(() => a.forwards.length === 3, 1000));
  // The host knows three requests by three numbers.
  assert.deepEqual(a.forwards, ["read 101 1", "read 101 2", "proposal 101 3 16 1"]);
  a.act(() => {
    a.peers.answerForwardRead(raftIdOf(1), 1, 500);
    a.peers.answerForwardRead(raftIdOf(1), 2, 600);
    a.peers.answerForward(raftIdOf(1), 3, ForwardOutcome.Appended, 601, 3);
    a.peers.flush();
  });
  bench.run(200);
  assert.deepEqual(next.forwards, ["read answer 1 600", "answer 2 1 601 3"]);
});

test("each refusal shows its reason in the status and is logged once, not at each retry", () => {
  const rows: [Partial<MemberOptions>, string][] = [
    [{ clusterId: "c2" }, 'refused: cluster id is "c1" here, not "c2"'],
    [{ token: "other" }, 'refused: cluster token is "token" here, not "other"'],
    [{ genesisId: 78 }, 'refused: genesis is "77" here, not "78"'],
    [{ raftId: raftIdOf(0) }, `refused: this member has the same id ${memberIdOf(1)} itself`],
  ];
  for (const [options, reason] of rows) {
    const bench = new PeersBench(7, 2);
    bench.boot(0);
    const b = bench.boot(1, options);
    bench.run(6000);
    assert.equal(b.statusOf(0).reason, reason);
    assert.equal(b.statusOf(0).connected, false);
    assert.deepEqual(b.sessions, []);
    assert.deepEqual(b.refused, [`n0: ${reason}`]);
    const lines = bench.log.filter((line) => line.includes("m1#2 peer refused"));
    assert.ok(lines.length === 1, lines.join("\n"));
  }
});

test("the address of another member is found out", () => {
  const bench = new PeersBench(8, 3);
  bench.bootAll();
  const odd = bench.othersOf(0).map((m) => ({ ...m, addresses: ["m2:2380"] }));
  bench.members[1]!.facts = { ...bench.members[1]!.facts, peerUrls: [] };
  bench.members[0]!.act(() => bench.members[0]!.peers.setMembers(odd));
  bench.run(2000);
  const { reason } = bench.members[0]!.statusOf(1);
  assert.equal(
    reason,
    `not accepted: member ${memberIdOf(2)} answers at the address of ${memberIdOf(1)}`,
  );
  assert.deepEqual(bench.members[0]!.refused, [`n1: ${reason}`]);
});

test("who was away while another member moved dials it where its hello says that it is", () => {
  const bench = new PeersBench(13, 2);
  const [a, b] = bench.bootAll() as [Member, Member];
  const dialAt = (addresses: string[]): void => {
    const others = bench.othersOf(1).map((m) => ({ ...m, addresses }));
    b.act(() => b.peers.setMembers(others));
  };
  dialAt(["nowhere:2380"]);
  assert.ok(bench.until(() => b.connectedTo(0), 10_000));
  bench.run(100);
  b.act(() => {
    b.peers.send(message(b, a, MessageType.AppendResponse));
    b.peers.flush();
  });
  assert.ok(bench.until(() => a.messages.length === 1, 1000));
  // What the configuration says next may be behind, too.
  dialAt(["nowhere else:2380"]);
  bench.run(100);
  assert.equal(b.connectedTo(0), true);
  // Where both say the same, the next hello tells nothing more.
  dialAt(["m0:2380"]);
  bench.kill(0);
  bench.boot(0, { bootCount: 2 });
  assert.ok(bench.until(() => b.connectedTo(0), 1000));
  dialAt(["nowhere:2380"]);
  assert.equal(b.connectedTo(0), true);
  bench.kill(0);
  bench.run(10_000);
  assert.equal(b.statusOf(0).reason, "unreachable");
});

test("an address that the configuration names anew is tried at once", () => {
  const bench = new PeersBench(14, 2);
  bench.boot(0);
  bench.members[0]!.facts = { ...bench.members[0]!.facts, peerUrls: [] };
  const b = bench.boot(1);
  const at = (address: string) => bench.othersOf(1).map((m) => ({ ...m, addresses: [address] }));
  b.act(() => b.peers.setMembers(at("nowhere:2380")));
  bench.run(500);
  assert.equal(b.connectedTo(0), false);
  b.act(() => b.peers.setMembers(at("m0:2380")));
  bench.run(500);
  assert.equal(b.connectedTo(0), true);
});

test("where a member was accepted it is dialled again, not at its next address, where nobody is", () => {
  const bench = new PeersBench(15, 2);
  bench.boot(0);
  const b = bench.boot(1);
  const addresses = ["m0:2380", "nowhere:2380"];
  const two = bench.othersOf(1).map((m) => ({ ...m, addresses }));
  b.act(() => b.peers.setMembers(two));
  assert.ok(bench.until(() => b.connectedTo(0), 500));
  bench.network.closeLinks("m0", "m1");
  bench.run(500);
  assert.equal(b.connectedTo(0), true);
});

test("a removed raft id is never stepped again, and told that it may go only when it may", () => {
  const bench = connected(9, 2);
  const [a, b] = three(bench);
  a.act(() => a.peers.setRemoved([raftIdOf(1)], [], false));
  bench.run(2000);
  assert.match(b.statusOf(0).reason, /raft id 101 was removed from the cluster/);
  assert.deepEqual(b.toldRemoved, []);
  a.act(() => a.peers.setRemoved([raftIdOf(1)], [], true));
  bench.run(2000);
  assert.match(b.toldRemoved[0] ?? "", /n0: raft id 101 was removed from the cluster/);
  const before = a.messages.length;
  b.act(() => {
    b.peers.send(message(b, a, MessageType.Vote));
    b.peers.flush();
  });
  bench.run(200);
  assert.equal(a.messages.length, before);
});

test("a removed raft id whose successor nobody hears is told so after two election timeouts, not before", () => {
  const bench = connected(12, 2);
  const [a, b] = three(bench);
  const named = bench
    .othersOf(0)
    .map((m) => (m.memberId === memberIdOf(1) ? { ...m, raftId: 999 } : m));
  a.act(() => {
    a.peers.setRemoved([raftIdOf(1)], [], true);
    a.peers.setMembers(named);
  });
  bench.run(500);
  assert.match(b.statusOf(0).reason, /replaced by raft id 999$/);
  assert.deepEqual([...b.toldRemoved, ...b.toldRegressed], []);
  bench.run(2000);
  assert.deepEqual(b.toldRemoved, []);
  assert.match(b.toldRegressed[0] ?? "", /replaced by raft id 999, which nobody hears/);
});

test("a member that is named no more is let go, one of the same genesis that nobody named is heard", () => {
  const bench = connected(10, 2);
  const [a, b] = three(bench);
  a.act(() => a.peers.setMembers([]));
  bench.run(3000);
  assert.deepEqual(a.peers.status(), []);
  // It dialled again: its configuration may be newer than this one (P2). It is answered there.
  b.act(() => {
    b.peers.send(message(b, a, MessageType.AppendEntries));
    b.peers.flush();
  });
  assert.ok(bench.until(() => a.messages.length === 1, 1000));
  a.act(() => {
    a.peers.send(message(a, b, MessageType.AppendResponse));
    a.peers.flush();
  });
  assert.ok(bench.until(() => b.messages.length === 1, 1000));
});

test("another session of a member replaces the old one with its links, and tells that it is gone", () => {
  const bench = connected(11, 2);
  const [a, old] = three(bench);
  const oldSession = old.options.session;
  // Without a word: no link ends before the new process says hello.
  bench.kill(1, EndKind.PowerLost);
  a.act(() => {
    for (let i = 0; i < 10; i++) a.peers.send(message(a, old, MessageType.AppendEntries));
  });
  const b = bench.boot(1, { bootCount: 2 });
  assert.ok(bench.until(() => bench.allConnected() && a.sessions.length === 2, 5000));
  assert.deepEqual(a.gone, [`${raftIdOf(1)}:${oldSession}`]);
  assert.equal(a.sessions[1], `${raftIdOf(1)}:${b.options.session}:1:0`);
  bench.run(500);
  assert.equal(b.messages.length, 0, "a message for the old session reached the new one");
});

test("REGRESSED: an older boot that answers a dial begun after the newer one was known", () => {
  const bench = new PeersBench(12, 2);
  const a = bench.boot(0, { records: [new PeerRecord(raftIdOf(1), 5, 50)] });
  const b = bench.boot(1, { bootCount: 4, session: 40 });
  bench.run(5000);
  const text = "raft id 101 is REGRESSED: it says boot 4, boot 5 has been seen";
  assert.deepEqual(a.regressed, [`101:${text}`]);
  assert.deepEqual(a.sessions, []);
  assert.equal(b.statusOf(0).reason, `refused: ${text}`);
  // It is told so in answer to its own dials, and that is about it.
  assert.ok(b.toldRegressed.length > 0);
  for (const told of b.toldRegressed) assert.match(told, new RegExp(`: ${text}$`));
  assert.deepEqual(a.toldRegressed, []);
});

test("REGRESSED: a log below what it promised: its links end, and its next dial is told so", () => {
  const bench = new PeersBench(13, 3);
  const [a, b, c] = [0, 1, 2].map((index) => bench.boot(index)) as [Member, Member, Member];
  const { session } = b.options;
  a.condemns = (of) => (of === session ? "its log ends at 3" : "");
  assert.ok(bench.until(() => b.toldRegressed.length > 0, 5000));
  assert.match(b.toldRegressed[0]!, /: raft id 101 is REGRESSED: its log ends at 3$/);
  bench.run(2000);
  const heard = a.messages.length;
  b.act(() => b.peers.send(message(b, a, MessageType.Vote)));
  bench.run(500);
  assert.equal(a.messages.length, heard, "it is heard no more");
  assert.deepEqual([a.toldRegressed, c.toldRegressed], [[], []]);
});

test("REGRESSED: two processes of one boot", () => {
  const bench = new PeersBench(13, 2);
  const a = bench.boot(0, { records: [new PeerRecord(raftIdOf(1), 5, 50)] });
  bench.boot(1, { bootCount: 5, session: 51 });
  bench.run(2000);
  assert.deepEqual(a.regressed, [
    "101:raft id 101 is REGRESSED: another process has spoken for boot 5",
  ]);
});

test("hellos of processes that restart in quick succession never make an honest disk REGRESSED", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const bench = new PeersBench(seed, 3);
    Object.assign(bench.network.options, { delayMinUs: 100, delayMaxUs: 80_000, tailChance: 0.05 });
    Object.assign(bench.network.options, { duplicateChance: 0.2, duplicateDelayMaxUs: 300_000 });
    bench.bootAll();
    for (let boot = 2; boot <= 8; boot++) {
      bench.run(bench.world.random(`pause ${boot}`).between(1, 400));
      bench.kill(1, boot % 3 === 0 ? EndKind.PowerLost : EndKind.Killed);
      bench.boot(1, { bootCount: boot });
    }
    assert.ok(
      bench.until(() => bench.allConnected(), 10_000),
      `seed ${seed}`,
    );
    for (const i of [0, 2]) assert.deepEqual(bench.members[i]!.regressed, [], `seed ${seed}`);
    for (const i of [0, 1, 2]) {
      assert.deepEqual(bench.members[i]!.toldRegressed, [], `seed ${seed}`);
    }
  }
});

test("members connect over a network that loses and doubles a third of all sends", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = new PeersBench(seed, 3);
    Object.assign(bench.network.options, { lossChance: 0.3, duplicateChance: 0.3 });
    Object.assign(bench.network.options, { duplicateDelayMaxUs: 100_000 });
    bench.bootAll();
    assert.ok(
      bench.until(() => bench.allConnected(), 20_000),
      `seed ${seed}`,
    );
  }
});

test("a forwarded write that the network doubles arrives once", () => {
  const bench = connected(14, 2);
  Object.assign(bench.network.options, { duplicateChance: 1, duplicateDelayMaxUs: 5000 });
  const [a, b] = three(bench);
  a.act(() => {
    for (let i = 1; i <= 20; i++) {
      a.peers.forwardProposal(raftIdOf(1), i, 16, new Uint8Array(3));
      a.peers.flush();
    }
  });
  bench.run(500);
  assert.equal(b.forwards.length, 20);
  assert.equal(new Set(b.forwards).size, 20);
});

test("a cut that ends no link is noticed by silence, and links come back soon after the heal", () => {
  const bench = connected(15, 3);
  const [a] = three(bench);
  bench.network.cut("m0", "m1");
  bench.run(2000);
  assert.ok(a.statusOf(1).silentMs >= 1900 && a.statusOf(1).silentMs <= 2100);
  assert.ok(a.statusOf(2).silentMs <= 110, "an idle pair is heard at every heartbeat interval");
  bench.run(3000);
  assert.equal(a.connectedTo(1), false);
  assert.deepEqual(a.gone, [], "a cut is no evidence of a dead process");
  bench.run(20_000);
  bench.network.heal();
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  assert.equal(a.sessions.length, 2, "the same sessions as before");
});

test("a queue that cannot drain is bounded, drops are counted and the core is told to probe", () => {
  const bench = connected(16, 2);
  const [a, b] = three(bench);
  bench.network.cut("m0", "m1");
  const payload = new Uint8Array(1_000_000);
  const memory = process.memoryUsage();
  let refused = 0;
  a.act(() => {
    for (let i = 0; i < 400; i++) {
      if (!a.peers.forwardProposal(raftIdOf(1), i, 16, payload)) refused++;
      if (i % 10 === 0) a.peers.flush();
    }
  });
  assert.ok(refused > 200, `${refused} refused`);
  assert.ok(a.peers.counters().messagesDropped >= refused);
  assert.ok(a.statusOf(1).queuedBytes < 210_000_000);
  const grown = process.memoryUsage().arrayBuffers - memory.arrayBuffers;
  assert.ok(grown < 450_000_000, `${grown} bytes`);
  a.act(() => {
    const append = message(a, b, MessageType.AppendEntries);
    append.entries = [new Entry(3, 1, 16, 1, 5, payload)];
    append.logTerm = 0;
    a.peers.send(append);
  });
  bench.run(50);
  assert.deepEqual(a.unreachable, [raftIdOf(1)]);
});

test("a message without a link is dropped, and only a lost append makes the core probe", () => {
  const bench = new PeersBench(17, 2);
  const a = bench.boot(0);
  a.act(() => {
    const to = { options: { raftId: raftIdOf(1), session: 9 } } as Member;
    a.peers.send(message(a, to, MessageType.Heartbeat));
  });
  bench.run(50);
  assert.deepEqual(a.unreachable, []);
  a.act(() => {
    const to = { options: { raftId: raftIdOf(1), session: 9 } } as Member;
    a.peers.send(message(a, to, MessageType.AppendEntries));
  });
  bench.run(50);
  assert.deepEqual(a.unreachable, [raftIdOf(1)]);
  assert.equal(a.peers.counters().messagesDropped, 2);
});

test("a member that stalls for long ends no link by itself and goes on afterwards", () => {
  const bench = connected(18, 2);
  const [a, b] = three(bench);
  a.process.pause();
  bench.run(2000);
  a.process.resume();
  bench.run(500);
  assert.ok(bench.allConnected());
  assert.equal(bench.log.filter((line) => line.includes("disconnected")).length, 0);
  assert.equal(b.sessions.length, 1);
});
