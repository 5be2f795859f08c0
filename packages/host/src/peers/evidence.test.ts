// P6 and P5 (b): what is evidence that another process is dead, and when a quiet start may end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Message, MessageType } from "@quorate/raft";
import { EndKind } from "@quorate/sim";
import { FrameType, FrameWriter } from "./frame.ts";
import { encodeHello, Hello, LinkClass } from "./hello.ts";
import { QuietWatch } from "./quiet-watch.ts";
import { memberIdOf, PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member } from "./test/peers-bench.ts";

function connected(seed: number, count: number): PeersBench {
  const bench = new PeersBench(seed, count);
  bench.bootAll();
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(1500);
  return bench;
}

test("P6: a killed process is known to be gone within a few round trips, by everybody, once", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const bench = connected(seed, 3);
    const { session } = bench.members[0]!.options;
    bench.kill(0);
    const [, b, c] = bench.members as [null, Member, Member];
    // Delays up to 2 ms one way: the end, a dial that was begun before, a dial that counts.
    assert.ok(
      bench.until(() => b.gone.length > 0 && c.gone.length > 0, 20),
      `seed ${seed}`,
    );
    bench.run(3000);
    for (const member of [b, c]) assert.deepEqual(member.gone, [`${raftIdOf(0)}:${session}`]);
  }
});

test("P6: a process that is killed while a dial to it is on its way is known to be gone as well", () => {
  for (let seed = 1; seed <= 160; seed++) {
    const bench = connected(seed, 2);
    const b = bench.members[1]!;
    bench.network.closeLinks("m0", "m1");
    bench.run((seed % 64) / 4);
    bench.kill(0);
    assert.ok(
      bench.until(() => b.gone.length > 0, 100),
      `seed ${seed}`,
    );
  }
});

test("P6: one dial is enough, whichever of the two links is seen to end first", () => {
  // 100 ms one way: the end, the dial and its refusal; the ends of the two links come within 1 ms.
  const farUs = 100_000;
  for (let seed = 1; seed <= 40; seed++) {
    const bench = connected(seed, 2);
    for (const [from, to] of [
      ["m0", "m1"],
      ["m1", "m0"],
    ] as const) {
      const way = bench.network.way(from, to);
      way.addedMinUs = way.addedMaxUs = farUs;
    }
    bench.run(1000);
    const b = bench.members[1]!;
    bench.kill(0);
    bench.run(3 * (farUs / 1000) - 1);
    assert.deepEqual(b.gone, [], "no dial before its link has ended");
    bench.run(10);
    assert.equal(b.gone.length, 1, `seed ${seed}`);
  }
});

test("P6: connects that are reset are no evidence and no sign of life, a few times", () => {
  // A kernel that takes a killed process down may complete connects until its listener is closed.
  for (const [resetMs, gone] of [
    [10, 1],
    [5000, 0],
  ] as const) {
    const bench = connected(1, 2);
    const b = bench.members[1]!;
    const dying = { name: "dying", alive: true, run: (task: () => void): void => task() };
    bench.kill(0);
    bench.network.attach(dying, "m0").listen((link) => {
      link.close();
      return { onOpen: () => {}, onBytes: () => {}, onDrain: () => {}, onEnd: () => {} };
    });
    bench.run(resetMs);
    assert.deepEqual(b.gone, []);
    dying.alive = false;
    bench.network.detach(dying, false);
    bench.run(2000);
    assert.equal(b.gone.length, gone, `resets for ${resetMs} ms`);
  }
});

test("P6: a lost machine, a cut, a proxy that only closes, a clean stop: no evidence", () => {
  const rows: [string, (bench: PeersBench) => void][] = [
    ["power lost", (bench) => bench.kill(0, EndKind.PowerLost)],
    ["cut", (bench) => bench.network.cut("m0", "m1")],
    ["closed links, connects accepted", (bench) => bench.network.closeLinks("m0", "m1")],
    [
      "closed links, then silence",
      (bench) => {
        bench.network.closeLinks("m0", "m1");
        bench.network.cut("m0", "m1");
      },
    ],
    [
      "clean stop",
      (bench) => {
        bench.members[0]!.act(() => bench.members[0]!.peers.close());
        bench.kill(0);
      },
    ],
    [
      "killed behind a cut that had ended the links by silence",
      (bench) => {
        bench.network.cut("m0", "m1");
        bench.run(4500);
        bench.kill(0);
        bench.network.heal();
      },
    ],
  ];
  for (const [why, happens] of rows) {
    for (let seed = 1; seed <= 10; seed++) {
      const bench = connected(seed, 2);
      happens(bench);
      bench.run(8000);
      assert.deepEqual(bench.members[1]!.gone, [], `${why}, seed ${seed}`);
    }
  }
});

test("P6: a proxy that closes and refuses is evidence, and the same process is heard again later", () => {
  const bench = connected(1, 2);
  const b = bench.members[1]!;
  const { session } = bench.members[0]!.options;
  bench.network.blink("m1", "m0");
  assert.ok(bench.until(() => b.gone.length > 0, 50));
  bench.run(500);
  bench.network.unblink("m1", "m0");
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  assert.deepEqual(b.gone, [`${raftIdOf(0)}:${session}`]);
  assert.equal(b.sessions.length, 1);
  // It may blink again: that is evidence anew.
  bench.network.blink("m1", "m0");
  assert.ok(bench.until(() => b.gone.length > 1, 50));
});

test("P6: the dial that finds out does not wait for its turn", () => {
  // A member whose own dials were refused for long tries once a second; it hears the other one.
  for (let seed = 1; seed <= 10; seed++) {
    const bench = connected(seed, 2);
    const b = bench.members[1]!;
    bench.network.blink("m1", "m0");
    bench.run(5000);
    b.gone.length = 0;
    bench.kill(0);
    assert.ok(
      bench.until(() => b.gone.length === 1, 20),
      `seed ${seed}`,
    );
  }
});

test("P6: of several addresses all must refuse", () => {
  const bench = new PeersBench(1, 3);
  const twoAddresses = bench
    .othersOf(1)
    .map((m) => (m.name === "n0" ? { ...m, addresses: ["m0:2380", "m2:2380"] } : m));
  const [, b] = bench.bootAll() as [Member, Member];
  b.act(() => b.peers.setMembers(twoAddresses));
  assert.ok(bench.until(() => b.connectedTo(0), 3000));
  bench.run(1500);
  bench.kill(0);
  bench.run(3000);
  assert.deepEqual(b.gone, [], "another member answered at the second address");
  const other = new PeersBench(1, 3);
  const [, d] = other.bootAll() as [Member, Member];
  d.act(() =>
    d.peers.setMembers(
      other
        .othersOf(1)
        .map((m) => (m.name === "n0" ? { ...m, addresses: ["m0:2380", "m0:2380"] } : m)),
    ),
  );
  assert.ok(other.until(() => d.connectedTo(0), 3000));
  other.run(1500);
  other.kill(0);
  assert.ok(other.until(() => d.gone.length === 1, 100));
});

test("P6: the restarted process's hello is evidence about the old one where no dial was refused", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const bench = connected(seed, 2);
    const b = bench.members[1]!;
    const { session } = bench.members[0]!.options;
    bench.kill(0, EndKind.PowerLost);
    const next = bench.boot(0, { bootCount: 2 });
    assert.ok(bench.until(() => b.sessions.length === 2, 6000));
    assert.deepEqual(b.gone, [`${raftIdOf(0)}:${session}`]);
    // The links to the old process are replaced at once, not when they turn out to be dead.
    bench.run(12);
    b.act(() => {
      const vote = new Message(MessageType.Vote, raftIdOf(1), raftIdOf(0), 3);
      vote.session = b.options.session;
      b.peers.send(vote);
      b.peers.flush();
    });
    bench.run(5);
    assert.equal(next.messages.length, 1, `seed ${seed}`);
  }
});

test("a hello that answers another process's is not believed", () => {
  const bench = new PeersBench(6, 2);
  const a = bench.boot(0);
  const user = { name: "replay", alive: true, run: (task: () => void): void => task() };
  bench.network.attach(user, "m1").listen((link) => {
    const answer = new FrameWriter(0, 64);
    answer.begin(FrameType.Hello);
    answer.body.bytes(
      encodeHello(
        new Hello({
          linkClass: LinkClass.Control,
          clusterId: "c1",
          token: "token",
          memberId: memberIdOf(1),
          raftId: raftIdOf(1),
          bootCount: 1,
          session: 9,
          genesisId: 77,
          term: 1,
          lastIndex: 0,
          levelMax: 1,
          leader: 0,
          toSession: a.options.session + 1,
          toBootCount: 0,
          wallMs: 0,
          peerUrls: [],
        }),
      ),
    );
    answer.end();
    link.send(answer.take());
    return { onOpen: () => {}, onBytes: () => {}, onDrain: () => {}, onEnd: () => {} };
  });
  bench.run(500);
  assert.deepEqual(a.sessions, []);
  assert.equal(a.statusOf(1).connected, false);
});

function withVoters(bench: PeersBench): void {
  for (const member of bench.members) {
    member?.act(() => member.peers.setVoters(bench.members.map((_, i) => raftIdOf(i))));
  }
}

test("P5 b: quiet resolves once, when all other voters have answered and none knows a leader", () => {
  const bench = new PeersBench(2, 3);
  const a = bench.boot(0, { bootCount: 4 });
  bench.boot(1);
  a.act(() => a.peers.setVoters([0, 1, 2].map(raftIdOf)));
  bench.run(3000);
  assert.equal(a.quietResolved, 0, "a voter has not answered");
  bench.boot(2);
  assert.ok(bench.until(() => a.quietResolved === 1, 3000));
  bench.run(3000);
  assert.equal(a.quietResolved, 1);
});

test("P5 b: a voter that knows a leader, or a higher boot count of this member, resolves nothing", () => {
  const knowsLeader = new PeersBench(3, 3);
  knowsLeader.boot(0);
  knowsLeader.boot(1, { leader: raftIdOf(2) });
  knowsLeader.boot(2);
  withVoters(knowsLeader);
  knowsLeader.run(3000);
  assert.equal(knowsLeader.members[0]!.quietResolved, 0);
  assert.equal(knowsLeader.members[1]!.quietResolved, 1);

  const regressed = new PeersBench(4, 2);
  regressed.boot(0, { bootCount: 9 });
  regressed.boot(1);
  assert.ok(regressed.until(() => regressed.allConnected(), 3000));
  regressed.kill(0);
  const again = regressed.boot(0, { bootCount: 8 });
  withVoters(regressed);
  regressed.run(3000);
  assert.equal(again.quietResolved, 0);
});

test("P5 b: only voters count, and a configuration of this member alone asks nobody", () => {
  const bench = new PeersBench(5, 3);
  const a = bench.boot(0);
  bench.boot(1);
  a.act(() => a.peers.setVoters([raftIdOf(0), raftIdOf(1)]));
  assert.ok(bench.until(() => a.quietResolved === 1, 3000));
});

test("P5 b: the newest answer of each voter counts, and a new process has not answered yet", () => {
  const answer = (leader: number, toBootCount: number): Hello =>
    ({ raftId: 2, leader, toBootCount }) as Hello;
  const rows: [string, (watch: QuietWatch) => void, boolean][] = [
    ["no leader, this boot known", (w) => w.answeredBy(answer(0, 5)), true],
    ["never heard of", (w) => w.answeredBy(answer(0, 0)), true],
    ["a higher boot count of this member", (w) => w.answeredBy(answer(0, 6)), false],
    ["a leader", (w) => w.answeredBy(answer(3, 5)), false],
    [
      "no leader, then one",
      (w) => {
        w.answeredBy(answer(0, 5));
        w.answeredBy(answer(3, 5));
      },
      false,
    ],
    [
      "answered, then another process",
      (w) => {
        w.answeredBy(answer(0, 5));
        w.forget(2);
      },
      false,
    ],
  ];
  for (const [why, happens, resolves] of rows) {
    const watch = new QuietWatch(1, 5);
    happens(watch);
    assert.equal(watch.maybeResolve(), false, "no voters are known");
    watch.setVoters([1, 2]);
    assert.equal(watch.maybeResolve(), resolves, why);
    assert.equal(watch.maybeResolve(), false, "once");
  }
});
