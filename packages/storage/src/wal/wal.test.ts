// What the running WAL promises, on the memory disk: order, durability, group commit, segments,
// seals, peers, dropping, closing. Crashes are in wal-crash.test.ts, damage in wal-damage.test.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Entry, HardState } from "@quorate/raft";
import { PeerRecord } from "../storage-api.ts";
import { WalBench } from "../testing/wal-bench.ts";

const payload = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("wal", () => {
  it("starts in an empty directory and gives back what was appended after a restart", () => {
    const bench = new WalBench(1);
    const first = bench.start();
    assert.deepEqual(first.recovered.entries, []);
    assert.deepEqual(first.recovered.hardState, new HardState(0, 0, 0));
    const acked: number[] = [];
    first.wal.append(
      {
        hardState: new HardState(2, 7, 0),
        firstIndex: 1,
        entries: [new Entry(2, 1, 16, 1, 5, payload("a")), new Entry(2, 2, 16, 1, 6, payload("b"))],
        peers: [new PeerRecord(9, 3, 77)],
        mustSync: true,
      },
      () => acked.push(1),
    );
    assert.deepEqual(acked, [], "done never comes inside the call");
    bench.env.run();
    assert.deepEqual(acked, [1]);
    bench.disk.powerLoss();
    const again = bench.start();
    assert.deepEqual(again.recovered.hardState, new HardState(2, 7, 0));
    assert.deepEqual(
      again.recovered.entries.map((e) => [e.term, e.index, new TextDecoder().decode(e.payload)]),
      [
        [2, 1, "a"],
        [2, 2, "b"],
      ],
    );
    assert.deepEqual(again.recovered.peers, [new PeerRecord(9, 3, 77)]);
  });
});
