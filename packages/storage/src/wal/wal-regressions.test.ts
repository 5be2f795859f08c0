// The named stories of reliability.md §8 that concern the log: what went wrong elsewhere, and that it
// does not here. The number in front of each is its number there.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c } from "@quorate/base";
import { HardState } from "@quorate/raft";
import { ExitCode } from "../env.ts";
import type { WalAppend } from "../storage-api.ts";
import { ProcessEnd } from "../testing/test-env.ts";
import { benchDirectory, WalBench } from "../testing/wal-bench.ts";
import { entryOf, WalLedger } from "../testing/wal-ledger.ts";
import { damageRows } from "./damage.ts";
import { segmentName } from "./segment.ts";
import { batchMagic, blockBytes, nonceSeed } from "./wal-format.ts";

function batch(part: Partial<WalAppend>): WalAppend {
  const hardState = part.hardState ?? new HardState(1, 0, 0);
  const firstIndex = part.entries?.[0]?.index ?? 0;
  return { hardState, firstIndex, entries: [], peers: [], mustSync: true, ...part };
}

describe("regressions of others", () => {
  it("29 hashicorp/raft#661: term and vote are never from two different writes", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const bench = new WalBench(seed);
      const { wal } = bench.start();
      for (let term = 1; term <= 5; term++) {
        wal.append(batch({ hardState: new HardState(term, 1000 + term, 0) }), () => {});
        for (let steps = seed % 3; steps > 0; steps--) bench.env.step();
      }
      bench.disk.powerLoss();
      const { term, vote } = bench.start().recovered.hardState;
      assert.equal(vote, term === 0 ? 0 : 1000 + term, `seed ${seed}`);
    }
  });

  it("33 yugabyte#32875: an empty append is not acknowledged before what it follows is durable", () => {
    const ledger = new WalLedger(2);
    const { bench, wal } = ledger;
    const acked: string[] = [];
    const entries = batch({ hardState: new HardState(1, 0, 1), entries: [entryOf(3, 1)] });
    wal.append(entries, () => acked.push("entries"));
    const again = batch({ hardState: new HardState(1, 0, 1) });
    wal.append({ ...again, mustSync: false }, () => acked.push("empty"));
    wal.append(again, () => acked.push("empty, synced"));
    while (acked.length === 0) {
      assert.ok(bench.env.step(), "nothing is ever acknowledged");
      assert.ok(wal.durableSeq >= 4 || acked.length === 0, "acknowledged before its sync");
    }
    assert.ok(wal.durableSeq >= 4);
    bench.env.run();
    assert.deepEqual(acked, ["entries", "empty", "empty, synced"]);
  });

  it("34 cockroachdb#37102: the first failed sync ends the process, nothing is acknowledged after", () => {
    const ledger = new WalLedger(2);
    const { bench, wal } = ledger;
    bench.disk.fail("sync", "/wal-0", "EIO");
    let acked = 0;
    for (let index = 3; index <= 6; index++) {
      wal.append(batch({ hardState: new HardState(1, 0, 1), entries: [entryOf(index, 1)] }), () => {
        acked++;
      });
    }
    assert.throws(
      () => bench.env.run(),
      (end) => end instanceof ProcessEnd && end.exitCode === ExitCode.WriteFailed,
    );
    assert.equal(acked, 0);
    // The next sync would succeed, and mean nothing: the batches are written anew instead.
    bench.disk.kill();
    const { recovered } = bench.start();
    assert.equal(recovered.entries.length, 6);
    bench.disk.powerLoss();
    assert.equal(bench.start().recovered.entries.length, 6);
  });

  it("37 ra#299, ra#165, ra#170: a bad checksum below the durable end is no clean end, an empty file neither", () => {
    const cases: [(ledger: WalLedger) => void, number][] = [
      [(ledger) => void (ledger.block(3)[280]! ^= 1), damageRows.hole.row],
      [(ledger) => ledger.bench.disk.put(ledger.path(1), new Uint8Array(0)), 9],
      [(ledger) => ledger.bench.disk.put(ledger.path(2), new Uint8Array(0)), 10],
      [(ledger) => void (ledger.block(11)[280]! ^= 1), damageRows.tornTail.row],
    ];
    for (const [damage, row] of cases) {
      const ledger = new WalLedger(10);
      ledger.bench.disk.kill();
      damage(ledger);
      const outcome = ledger.bench.outcome();
      assert.equal(ledger.bench.env.marks[0], `wal.recover.row${row}`);
      assert.equal(outcome.ok, row !== 10);
      assert.equal(outcome.ok && outcome.recovered.promised !== null, row === 3 || row === 9);
    }
  });

  it("39 camunda#6098: whole batches of a file's earlier use are never read as later ones", () => {
    const ledger = new WalLedger(30);
    const { bench, wal } = ledger;
    ledger.checkpoint(21);
    wal.dropBelow(21);
    bench.env.run();
    for (let index = 31; index <= 36; index++) ledger.append(index);
    // The seventh segment is the first one's file: old batches, whole, stand where new ones will.
    const recycled = `${benchDirectory}/${segmentName(7)}`;
    const view = new DataView(bench.disk.content(recycled).slice().buffer);
    let stale = 0;
    for (let at = blockBytes; at < view.byteLength; at += blockBytes) {
      const nonce = view.getUint32(at + 24, true) + view.getUint32(at + 28, true) * 2 ** 32;
      const header = new Uint8Array(view.buffer, at, 252);
      const whole = crc32c(header, 0, 252, nonceSeed(nonce)) === view.getUint32(at + 252, true);
      if (view.getUint32(at, true) === batchMagic && whole && nonce !== ledger.nonce(7)) stale++;
    }
    assert.ok(stale >= 3, `only ${stale} stale batches: the file was not used again`);
    for (const loss of [() => bench.disk.kill(), () => bench.disk.powerLoss()]) {
      loss();
      const { recovered } = bench.start();
      assert.equal(recovered.entries.at(-1)?.index, 36);
      assert.equal(recovered.startIndex + recovered.entries.length, 36);
    }
  });

  it("40 #10219, #11949, #12237: a mark whose checkpoint never came into force is void", () => {
    const ledger = new WalLedger(5);
    const { bench, wal } = ledger;
    const hardState = new HardState(3, 9, 50);
    wal.snapshotMark(
      { index: 50, term: 3, checkpointId: 77, hardState, keepsLog: false },
      () => {},
    );
    bench.env.run();
    for (let start = 0; start < 3; start++) {
      bench.disk.powerLoss();
      const { recovered } = bench.start();
      assert.deepEqual(
        recovered.entries.map(({ index }) => index),
        [1, 2, 3, 4, 5],
      );
      // The promise stays; the commit index of the snapshot goes with it, and none of the old log's
      // entries becomes committed by it.
      assert.deepEqual(recovered.hardState, new HardState(3, 9, 4));
    }
    // Entries that follow build on the old log, also behind a checkpoint above the mark.
    const { wal: next } = bench.start();
    for (let index = 6; index <= 60; index++) {
      next.append(
        batch({ hardState: new HardState(3, 9, 5), entries: [entryOf(index, 3)] }),
        () => {},
      );
    }
    bench.env.run();
    bench.medium.state = {
      ...bench.medium.state,
      checkpoint: {
        id: 78,
        index: 55,
        term: 3,
        tablesName: "",
        tablesBytes: 0,
        tablesCrc: 0,
        durableSeq: 1,
      },
    };
    bench.disk.powerLoss();
    const { recovered } = bench.start();
    assert.equal(recovered.startIndex, 0);
    assert.equal(recovered.entries.length, 60);
  });

  it("49 #10817, #5664: a commit index beyond the log stops the start, it does not panic", () => {
    const ledger = new WalLedger(5);
    ledger.bench.disk.kill();
    ledger.forge(6, 128, 100);
    const outcome = ledger.bench.outcome();
    assert.ok(!outcome.ok);
    assert.equal(outcome.exitCode, ExitCode.Damaged);
    assert.match(outcome.reason, /ends at entry 5, below the commit index 100/);
    assert.deepEqual(ledger.bench.env.marks, ["wal.recover.row7"]);
  });
});
