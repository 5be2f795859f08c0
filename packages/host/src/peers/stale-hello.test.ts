// A hello that a dead process left in the network arrives after its successor, with another raft id
// (the directory was wiped before the founding), has spoken. Whoever answers a dial is the present
// process. (Found by the simulator: the founder waited for ever for an answer of the dead one.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { memberIdOf, PeersBench } from "./test/peers-bench.ts";

test("the process that answers a dial is the present one, whatever arrives later", () => {
  for (let seed = 0; seed < 80; seed++) {
    const bench = new PeersBench(seed, 2);
    bench.network.options.delayMinUs = 2_000;
    bench.network.options.delayMaxUs = 12_000;
    bench.network.options.retransmitMaxUs = 600_000;
    const listener = bench.boot(0, { genesisId: 0 });
    bench.boot(1, { genesisId: 0, raftId: 500 });
    bench.run(2 + (seed % 40));
    bench.network.cut("m0", "m1");
    bench.run(15);
    bench.kill(1);
    bench.network.heal();
    const successor = bench.boot(1, { genesisId: 0, raftId: 600 });
    assert.ok(
      bench.until(() => bench.allConnected(), 8000),
      `seed ${seed} connects`,
    );
    bench.run(2500);
    const speaker = listener.peers.speakerOf(memberIdOf(1));
    assert.equal(speaker?.raftId, 600, `seed ${seed}`);
    assert.equal(speaker?.session, successor.options.session, `seed ${seed}`);
  }
});
