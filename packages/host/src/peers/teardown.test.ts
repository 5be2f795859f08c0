// P6, seen with kill -9 on Linux: a kernel that takes a killed process down still completes connects
// for a moment and resets them. The refusal that follows is evidence all the same; resets alone, as
// of a proxy whose back end is gone, never are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PeersBench, raftIdOf } from "./test/peers-bench.ts";

/** Something at m0 that accepts every link and closes it at once, until it is detached. */
function resetEverything(bench: PeersBench): () => void {
  const user = { name: "dying", alive: true, run: (task: () => void): void => task() };
  bench.network.attach(user, "m0").listen((link) => {
    link.close();
    return { onOpen: () => {}, onBytes: () => {}, onDrain: () => {}, onEnd: () => {} };
  });
  return () => bench.network.detach(user, false);
}

function connected(seed: number): PeersBench {
  const bench = new PeersBench(seed, 2);
  bench.bootAll();
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  bench.run(1500);
  return bench;
}

test("P6: a dial that is reset while the process dies does not hide the refusal that follows", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = connected(seed);
    const b = bench.members[1]!;
    const { session } = bench.members[0]!.options;
    bench.kill(0);
    const release = resetEverything(bench);
    bench.run(10);
    assert.deepEqual(b.gone, [], "a reset is no evidence");
    release();
    assert.ok(
      bench.until(() => b.gone.length > 0, 100),
      `seed ${seed}`,
    );
    assert.deepEqual(b.gone, [`${raftIdOf(0)}:${session}`]);
  }
});

test("P6: a proxy that goes on resetting is forgotten: a refusal much later is no evidence", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = connected(seed);
    bench.kill(0);
    const release = resetEverything(bench);
    bench.run(2000);
    release();
    bench.run(5000);
    assert.deepEqual(bench.members[1]!.gone, [], `seed ${seed}`);
  }
});
