// A member whose genesis becomes known while its hello is on the way: both ends of every link must
// agree on whether Raft flows on it. (Found by the simulator: one end dropped every frame of the
// other for as long as the link lived.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { PeersBench, raftIdOf } from "./test/peers-bench.ts";

test("whenever the genesis becomes known, afterwards forwards arrive in both directions", () => {
  for (let seed = 0; seed < 60; seed++) {
    const bench = new PeersBench(seed, 2);
    bench.network.options.delayMinUs = 3_000;
    bench.network.options.delayMaxUs = 30_000;
    if (seed % 2 === 0) bench.network.options.lossChance = 0.2;
    const started = bench.boot(0);
    const late = bench.boot(1, { genesisId: 0 });
    bench.run(1 + seed * 2);
    late.act(() => {
      late.peers.setRecords([]);
      late.peers.setGenesis(77);
    });
    bench.network.options.lossChance = 0;
    assert.ok(
      bench.until(() => bench.allConnected(), 5000),
      `seed ${seed} connects`,
    );
    bench.run(1000);
    const payload = new Uint8Array(3);
    late.act(() => assert.ok(late.peers.forwardProposal(raftIdOf(0), 1, 16, payload)));
    started.act(() => assert.ok(started.peers.forwardProposal(raftIdOf(1), 1, 16, payload)));
    bench.run(300);
    assert.equal(started.forwards.length, 1, `seed ${seed}: the started member hears`);
    assert.equal(late.forwards.length, 1, `seed ${seed}: the late member hears`);
  }
});

test("both members start while their hellos are on the way to each other", () => {
  for (let seed = 0; seed < 120; seed++) {
    const bench = new PeersBench(seed, 2);
    bench.network.options.delayMinUs = 3_000;
    bench.network.options.delayMaxUs = 4_000;
    const members = bench.bootAll({ genesisId: 0 });
    bench.run(4 + (seed % 24));
    for (const member of members) {
      member.act(() => {
        member.peers.setRecords([]);
        member.peers.setGenesis(77);
      });
    }
    bench.run(3000);
    for (const member of members) {
      assert.equal(member.sessions.length, 1, `seed ${seed}, member ${member.index}`);
    }
  }
});
