// What the running WAL promises, on the memory disk: order, durability, group commit, segments,
// seals, peers, dropping, closing, and what it asserts. Crashes are in wal-crash.test.ts, damage in
// wal-damage.test.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { equalBytes } from "@quorate/base";
import { Entry, HardState } from "@quorate/raft";
import { ExitCode } from "../env.ts";
import { PeerRecord } from "../storage-api.ts";
import type { WalAppend } from "../storage-api.ts";
import { ProcessEnd } from "../testing/test-env.ts";
import { benchDirectory, WalBench } from "../testing/wal-bench.ts";
import { entryOf, WalLedger } from "../testing/wal-ledger.ts";
import { durableName } from "./durable-file.ts";
import { segmentName } from "./segment.ts";
import { walPayloadBytesMax } from "./wal-format.ts";
import { rewriteName } from "./rewrite.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

function batch(part: Partial<WalAppend>): WalAppend {
  const hardState = part.hardState ?? new HardState(1, 0, 0);
  const firstIndex = part.entries?.[0]?.index ?? 0;
  return { hardState, firstIndex, entries: [], peers: [], mustSync: true, ...part };
}

function sized(index: number, bytes: number): Entry {
  return new Entry(1, index, 16, 1, 5, new Uint8Array(bytes).fill(index));
}

const segment = (id: number): string => `${benchDirectory}/${segmentName(id)}`;

describe("wal: append", () => {
  it("starts in an empty directory and gives back what was appended after a power loss", () => {
    const bench = new WalBench(1);
    const first = bench.start();
    assert.deepEqual(first.recovered.entries, []);
    assert.deepEqual(first.recovered.hardState, new HardState(0, 0, 0));
    const acked: number[] = [];
    const entries = [
      new Entry(2, 1, 16, 1, 5, text("a")),
      new Entry(2, 2, 17, 3, 6, text("longer")),
    ];
    const peers = [new PeerRecord(9, 3, 77)];
    first.wal.append(batch({ hardState: new HardState(2, 7, 1), entries, peers }), () =>
      acked.push(1),
    );
    assert.deepEqual(acked, [], "done never comes inside the call");
    bench.env.run();
    assert.deepEqual(acked, [1]);
    bench.disk.powerLoss();
    const { recovered, wal } = bench.start();
    assert.deepEqual(recovered.hardState, new HardState(2, 7, 1));
    assert.deepEqual(recovered.entries, entries);
    assert.deepEqual(recovered.peers, peers);
    assert.deepEqual([recovered.startIndex, recovered.startTerm], [0, 0]);
    assert.deepEqual([wal.lastIndex, wal.lastTerm], [2, 2]);
    assert.deepEqual(wal.peer(9), peers[0]);
    assert.equal(wal.peer(10), null);
  });

  it("acknowledges only what the medium has, in the order of the calls", () => {
    const bench = new WalBench(2);
    const { wal } = bench.start();
    const acked: number[] = [];
    for (let index = 1; index <= 40; index++) {
      wal.append(batch({ entries: [sized(index, 100)] }), () => {
        acked.push(index);
        for (const { id } of bench.medium.state.walSegments) {
          const { disk } = bench;
          const medium = disk.durableContent(segment(id));
          const cache = disk.content(segment(id));
          // Batches come in order, so what the cache has of this one the medium has too.
          const at = findEntry(cache, index);
          if (at < 0) continue;
          assert.ok(equalBytes(medium.subarray(at, at + 100), cache.subarray(at, at + 100)));
        }
      });
      for (let steps = index % 4; steps > 0; steps--) bench.env.step();
    }
    bench.env.run();
    assert.deepEqual(
      acked,
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    assert.equal(wal.appendsInFlight, 0);
  });

  it("covers all batches written while one sync runs by the next sync", () => {
    const bench = new WalBench(3, { segmentBytes: 1_048_576 });
    const { wal } = bench.start();
    bench.env.run();
    const before = wal.usage().syncs;
    let acked = 0;
    for (let index = 1; index <= 100; index++) {
      wal.append(batch({ entries: [sized(index, 10)] }), () => acked++);
    }
    assert.equal(wal.appendsInFlight, 100);
    bench.env.run();
    assert.equal(acked, 100);
    const syncs = wal.usage().syncs - before;
    assert.ok(syncs < 50, `${syncs} syncs for 100 batches: nothing is shared`);
    assert.equal(wal.durableSeq, 101);
  });

  it("a commit-only batch needs no sync, and a later sync or seal covers it", () => {
    const bench = new WalBench(4);
    const { wal } = bench.start();
    wal.append(batch({ entries: [sized(1, 10)] }), () => {});
    bench.env.run();
    const { syncs } = wal.usage();
    let acked = false;
    const commit = batch({ hardState: new HardState(1, 0, 1), mustSync: false });
    wal.append(commit, () => {
      acked = true;
    });
    bench.env.run();
    assert.ok(acked);
    assert.equal(wal.usage().syncs, syncs);
    assert.equal(wal.durableSeq, 2);
    wal.tick(0);
    wal.tick(1000);
    bench.env.run();
    assert.equal(wal.durableSeq, 4);
  });

  it("splits what a segment cannot hold, and the caller may reuse its arrays at once", () => {
    const bench = new WalBench(5, { segmentBytes: 16_384 });
    const { wal } = bench.start();
    const entries: Entry[] = [];
    for (let index = 1; index <= 30; index++) entries.push(sized(index, 3000));
    const expected = entries.slice();
    const peers = [new PeerRecord(8, 1, 2)];
    let acked = 0;
    wal.append(batch({ hardState: new HardState(1, 0, 29), entries, peers }), () => acked++);
    entries.length = 0;
    peers.length = 0;
    bench.env.run();
    assert.equal(acked, 1);
    bench.disk.powerLoss();
    const { recovered } = bench.start();
    assert.deepEqual(recovered.entries, expected);
    assert.equal(recovered.hardState.commit, 29);
    assert.deepEqual(recovered.peers, [new PeerRecord(8, 1, 2)]);
  });

  it("an entry that just fits into a segment is taken, a larger one asserts", () => {
    const fits = 16_384 - 4096 - 256 - 57;
    const tries = (bytes: number): void => {
      const { wal } = new WalBench(6, { segmentBytes: 16_384 }).start();
      wal.append(batch({ entries: [sized(1, bytes)] }), () => {});
    };
    tries(fits);
    assert.throws(() => tries(fits + 1), /an entry larger than a segment/);
  });

  it("the largest payload that is promised fits beside the records of many peers", () => {
    const bench = new WalBench(6, { segmentBytes: 65_536 });
    const { wal } = bench.start();
    const peers = Array.from({ length: 18 }, (_, id) => new PeerRecord(id + 1, 1, 1));
    const entry = sized(1, walPayloadBytesMax(65_536));
    wal.append(batch({ entries: [entry], peers }), () => {});
    bench.env.run();
    assert.deepEqual(bench.start().recovered.entries, [entry]);
  });

  it("truncation voids everything at or above the first index", () => {
    const ledger = new WalLedger(5);
    ledger.wal.append(
      batch({ hardState: new HardState(2, 0, 4), entries: [entryOf(5, 2)] }),
      () => {},
    );
    ledger.append(6, 2);
    ledger.bench.disk.powerLoss();
    const { recovered } = ledger.bench.start();
    assert.deepEqual(
      recovered.entries.map(({ index, term }) => [index, term]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
        [5, 2],
        [6, 2],
      ],
    );
  });
});

/** Where an entry made by `sized` stands; −1 if it does not. */
function findEntry(bytes: Uint8Array, index: number): number {
  const needle = new Uint8Array(100).fill(index);
  for (let at = 0; at + 100 <= bytes.length; at++) {
    if (bytes[at] === index && equalBytes(bytes.subarray(at, at + 100), needle)) return at;
  }
  return -1;
}

describe("wal: seals", () => {
  it("seals once when idle for long enough, and says so in the second file too", () => {
    const ledger = new WalLedger(3);
    const { wal, bench } = ledger;
    const { batches } = wal.usage();
    const copy = (): string =>
      String(bench.disk.durableContent(`${benchDirectory}/${durableName}`));
    const blank = copy();
    wal.tick(1000);
    wal.tick(1049);
    bench.env.run();
    assert.equal(wal.usage().batches, batches, "idle for 49 ms only");
    wal.tick(1050);
    bench.env.run();
    assert.equal(wal.usage().batches, batches + 1);
    assert.equal(wal.durableSeq, batches + 1);
    assert.notEqual(copy(), blank);
    for (let nowMs = 1060; nowMs < 2000; nowMs += 10) wal.tick(nowMs);
    bench.env.run();
    assert.equal(wal.usage().batches, batches + 1, "a sealed log is not sealed again");
  });

  it("closes with a seal after everything in flight, and the next start finds nothing to clean", () => {
    const ledger = new WalLedger(3);
    let acked = false;
    let closed = false;
    ledger.wal.append(
      batch({ hardState: new HardState(1, 0, 3), entries: [entryOf(4, 1)] }),
      () => {
        acked = true;
      },
    );
    ledger.wal.close(() => {
      closed = true;
      assert.ok(acked, "closed before the append was done");
    });
    ledger.bench.env.run();
    assert.ok(closed);
    ledger.bench.disk.powerLoss();
    const { recovered } = ledger.bench.start();
    assert.equal(recovered.zeroedBytes, 0);
    assert.equal(recovered.entries.length, 4);
  });

  it("closes right after its start, twice in a row", () => {
    const bench = new WalBench(8);
    for (let i = 0; i < 2; i++) {
      const { wal } = bench.start();
      let closed = false;
      wal.close(() => {
        closed = true;
      });
      bench.env.run();
      assert.ok(closed);
      bench.disk.kill();
    }
  });
});

describe("wal: segments", () => {
  it("has the next one ready when half of the present one is written", () => {
    const bench = new WalBench(9, { segmentBytes: 1_048_576 });
    const { wal } = bench.start();
    bench.env.run();
    assert.equal(wal.usage().segments, 1);
    for (let index = 1; index <= 9; index++) {
      wal.append(batch({ entries: [sized(index, 60_000)] }), () => {});
      bench.env.run();
    }
    assert.equal(wal.usage().segments, 2);
  });

  it("ticks prepare it too, so that an idle member is ready for a burst", () => {
    const bench = new WalBench(10, { segmentBytes: 1_048_576 });
    const { wal } = bench.start();
    for (let nowMs = 0; nowMs < 100; nowMs += 10) {
      wal.tick(nowMs);
      bench.env.run();
    }
    assert.equal(wal.usage().segments, 2);
  });

  it("goes below a checkpoint: whole segments, the manifest first, and one file is used again", () => {
    const ledger = new WalLedger(30);
    const { bench, wal } = ledger;
    const before = bench.medium.state.walSegments.map(({ id }) => id);
    assert.deepEqual(before, [1, 2, 3, 4, 5, 6]);
    ledger.checkpoint(21);
    let dropped = false;
    wal.dropBelow(21, () => {
      dropped = true;
      assert.ok(bench.medium.state.walSegments.every(({ id }) => id > 3));
    });
    assert.ok(!dropped);
    bench.env.run();
    assert.ok(dropped);
    // Entry 20 is in batch 21, the last of the third segment; entry 21 in the fourth.
    assert.deepEqual(
      bench.medium.state.walSegments.map(({ id }) => id),
      [4, 5, 6],
    );
    const files = (): string[] =>
      (bench.disk.listNow(benchDirectory) ?? []).filter((name) => name.endsWith(".log"));
    assert.deepEqual(files().length, 4, "three in force and a spare");
    for (let index = 31; index <= 40; index++) ledger.append(index);
    bench.disk.powerLoss();
    const { recovered } = bench.start();
    assert.equal(recovered.startIndex, 20);
    assert.deepEqual(
      recovered.entries.map(({ index }) => index),
      range(21, 40),
    );
  });

  it("keeps what is above the index, and drops nothing twice", () => {
    const ledger = new WalLedger(30);
    ledger.checkpoint(5);
    let done = 0;
    ledger.wal.dropBelow(5, () => done++);
    assert.equal(done, 0, "done comes later, also when nothing goes");
    ledger.bench.env.run();
    assert.equal(done, 1);
    assert.equal(ledger.bench.medium.state.walSegments.length, 6);
    ledger.checkpoint(7);
    ledger.wal.dropBelow(7);
    ledger.wal.dropBelow(7);
    ledger.bench.env.run();
    assert.deepEqual(ledger.bench.medium.state.walSegments[0]?.id, 2);
  });

  it("peers outlive the segments in which they were written", () => {
    const ledger = new WalLedger(1);
    const { bench, wal } = ledger;
    wal.append(batch({ peers: [new PeerRecord(5, 1, 11), new PeerRecord(6, 1, 12)] }), () => {});
    wal.append(batch({ peers: [new PeerRecord(5, 2, 13)] }), () => {});
    for (let index = 2; index <= 20; index++) ledger.append(index);
    ledger.checkpoint(19);
    wal.dropBelow(19);
    bench.env.run();
    assert.ok(bench.medium.state.walSegments[0]!.id > 2);
    bench.disk.powerLoss();
    const { recovered } = bench.start();
    const byId = recovered.peers.toSorted((a, b) => a.raftId - b.raftId);
    assert.deepEqual(byId, [new PeerRecord(5, 2, 13), new PeerRecord(6, 1, 12)]);
  });

  it("accepts a whole segment that the manifest does not name, with what stands in it", () => {
    const ledger = new WalLedger(10);
    const { medium, disk } = ledger.bench;
    const all = medium.state.walSegments;
    assert.deepEqual(
      all.map(({ id }) => id),
      [1, 2, 3],
    );
    medium.state = { ...medium.state, walSegments: all.slice(0, 1) };
    disk.powerLoss();
    const { recovered } = ledger.bench.start();
    assert.deepEqual(
      recovered.entries.map(({ index }) => index),
      range(1, 10),
    );
    assert.deepEqual(medium.state.walSegments, all, "and names it");
  });

  it("removes files that are half made or no longer named", () => {
    const ledger = new WalLedger(2);
    const { disk } = ledger.bench;
    disk.put(segment(9), new Uint8Array(100));
    disk.put(segment(3), new Uint8Array(32_768));
    disk.put(`${benchDirectory}/notes.txt`, text("mine"));
    disk.kill();
    ledger.bench.start();
    assert.deepEqual(
      disk.listNow(benchDirectory),
      ["notes.txt", segmentName(1), segmentName(2), durableName].sort(),
    );
  });

  it("segments may be of another size after a restart", () => {
    const ledger = new WalLedger(10);
    ledger.bench.disk.kill();
    const { bench } = ledger;
    bench.options = { segmentBytes: 65_536, sealIdleMs: 50 };
    const { wal } = bench.start();
    for (let index = 11; index <= 60; index++) {
      wal.append(
        batch({ entries: [sized(index, 3000)], hardState: new HardState(1, 0, 10) }),
        () => {},
      );
    }
    bench.env.run();
    bench.disk.powerLoss();
    assert.equal(bench.start().recovered.entries.length, 60);
    assert.ok(bench.medium.state.walSegments.some(({ bytes }) => bytes === 65_536));
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

describe("wal: a disk that refuses", () => {
  const ends = (run: () => void): ProcessEnd => {
    try {
      run();
    } catch (end) {
      if (end instanceof ProcessEnd) return end;
      throw end;
    }
    return assert.fail("the process does not end");
  };

  it("a failed write ends the process, and the next start goes on without it", () => {
    const ledger = new WalLedger(2);
    ledger.bench.disk.fail("write", "/wal-0", "EIO");
    ledger.begin(3);
    const end = ends(() => ledger.bench.env.run());
    assert.equal(end.exitCode, ExitCode.WriteFailed);
    assert.match(end.reason, /wal-0000000000000001\.log: write failed with EIO/);
    ledger.bench.disk.kill();
    const { recovered } = ledger.bench.start();
    assert.ok(recovered.entries.length >= 2);
    assert.ok(!ledger.bench.disk.listNow(benchDirectory)!.includes(rewriteName));
  });

  it("no space for the next segment is waited out while the present one has room", () => {
    const bench = new WalBench(11, { segmentBytes: 65_536 });
    const { wal } = bench.start();
    bench.disk.capacityBytes = 80_000;
    let acked = 0;
    const fill = (from: number, to: number): void => {
      for (let index = from; index <= to; index++) {
        wal.append(batch({ entries: [sized(index, 100)] }), () => acked++);
        bench.env.run();
      }
      wal.tick(to);
      bench.env.run();
    };
    fill(1, 10);
    assert.equal(acked, 10);
    assert.ok(bench.env.lines.some(({ event }) => event === "wal.segment.nospace"));
    assert.equal(wal.usage().segments, 1);
    bench.disk.capacityBytes = 1_000_000;
    fill(11, 30);
    assert.equal(acked, 30);
    bench.disk.powerLoss();
    assert.equal(bench.start().recovered.entries.length, 30);
  });

  it("no space for the next segment ends the process when the present one is full", () => {
    const bench = new WalBench(12, { segmentBytes: 65_536 });
    const { wal } = bench.start();
    bench.disk.capacityBytes = 80_000;
    const end = ends(() => {
      for (let index = 1; index <= 30; index++) {
        wal.append(batch({ entries: [sized(index, 100)] }), () => {});
        bench.env.run();
      }
    });
    assert.equal(end.exitCode, ExitCode.WriteFailed);
    assert.match(end.reason, /ENOSPC/);
  });

  it("zeros that the disk refused are written again, whatever the cache shows", () => {
    const ledger = new WalLedger(3);
    const { bench } = ledger;
    bench.disk.kill();
    const junk = ledger.block(6);
    junk.fill(0xee);
    bench.disk.put(ledger.path(1), bench.disk.content(ledger.path(1)));
    bench.begin(() => {});
    bench.disk.fail("sync", "/wal-0", "EIO");
    assert.equal(ends(() => bench.env.run()).exitCode, ExitCode.WriteFailed);
    bench.disk.kill();
    bench.start();
    bench.disk.powerLoss();
    assert.ok(ledger.block(6).every((byte) => byte === 0));
  });
});

describe("wal: what it asserts", () => {
  const refuses = (part: Partial<WalAppend>, message: RegExp): void => {
    const ledger = new WalLedger(5);
    assert.throws(() => ledger.wal.append(batch(part), () => {}), message);
  };
  const at = (commit: number): HardState => new HardState(1, 0, commit);

  it("a log without gaps, above the commit index", () => {
    refuses({ hardState: at(4), entries: [entryOf(7, 1)] }, /a gap in the log/);
    refuses(
      { hardState: at(4), entries: [entryOf(4, 1)] },
      /a committed entry would be overwritten/,
    );
    refuses({ hardState: at(4), entries: [entryOf(5, 1), entryOf(7, 1)] }, /entries not dense/);
    refuses({ hardState: at(7), entries: [entryOf(6, 1)] }, /commit above the log/);
    refuses({ hardState: at(4), firstIndex: 6 }, /a first index without entries/);
  });

  it("a hard state that never goes back", () => {
    refuses({ hardState: new HardState(0, 0, 4) }, /the term goes back/);
    refuses({ hardState: at(3) }, /the commit index goes back/);
    const ledger = new WalLedger(1);
    ledger.wal.append(batch({ hardState: new HardState(2, 7, 0) }), () => {});
    const other = batch({ hardState: new HardState(2, 8, 0) });
    assert.throws(() => ledger.wal.append(other, () => {}), /a second vote in one term/);
  });

  it("no entries behind a mark that is not in force (P9)", () => {
    const ledger = new WalLedger(5);
    const hardState = new HardState(1, 0, 50);
    ledger.wal.snapshotMark(
      { index: 50, term: 1, checkpointId: 5050, hardState, keepsLog: false },
      () => {},
    );
    ledger.wal.append(batch({ hardState, peers: [new PeerRecord(3, 1, 1)] }), () => {});
    const next = batch({ hardState, entries: [entryOf(51, 1)] });
    assert.throws(() => ledger.wal.append(next, () => {}), /behind a mark that is not in force/);
    ledger.checkpoint(50);
    ledger.wal.append(next, () => {});
    ledger.bench.env.run();
    ledger.bench.disk.powerLoss();
    const { recovered } = ledger.bench.start();
    assert.deepEqual([recovered.startIndex, recovered.startTerm], [50, 1]);
    assert.deepEqual(
      recovered.entries.map(({ index }) => index),
      [51],
    );
    assert.deepEqual(recovered.peers, [new PeerRecord(3, 1, 1)]);
  });
});
