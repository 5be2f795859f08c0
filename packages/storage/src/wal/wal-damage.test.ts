// One test per row of reliability.md §3.3 that concerns the log, as corrected by P8: the exact class,
// the exit code, and a reason that names file, offset and number. What stops changes no byte; what goes
// on with lost entries says which are left and where the log truly ends.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { crc32c, writeU16, writeU32 } from "@quorate/base";
import { ExitCode } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import { benchDirectory } from "../testing/wal-bench.ts";
import type { Started } from "../testing/wal-bench.ts";
import { batchOf, ledgerSegmentBytes, WalLedger } from "../testing/wal-ledger.ts";
import { damageRows } from "./damage.ts";
import type { DamageClass } from "./damage.ts";
import { durableName } from "./durable-file.ts";
import { blockBytes, nonceSeed } from "./wal-format.ts";

function contents(disk: MemoryDisk): Record<string, string> {
  const names = disk.listNow(benchDirectory) ?? [];
  const sum = (name: string): string => {
    const bytes = disk.content(`${benchDirectory}/${name}`);
    return `${bytes.length} ${crc32c(bytes)}`;
  };
  return Object.fromEntries(names.map((name) => [name, sum(name)]));
}

/** Kills the process and starts again on what is there. */
function restart(ledger: WalLedger): Started | Refusal {
  ledger.bench.disk.kill();
  return ledger.bench.outcome();
}

/** `met`: marks of rows that say how the bytes were bad, ahead of the one that decides. */
function refused(
  ledger: WalLedger,
  damage: DamageClass,
  reason: RegExp,
  met: readonly number[] = [],
): void {
  const { disk } = ledger.bench;
  disk.kill();
  const before = contents(disk);
  const outcome = ledger.bench.outcome();
  assert.ok(!outcome.ok, "it starts");
  const row = damageRows[damage];
  assert.match(outcome.reason, reason);
  assert.ok(outcome.reason.includes(row.finding), outcome.reason);
  assert.equal(outcome.exitCode, row.exitCode);
  assert.deepEqual(rowsHit(ledger), [...met, row.row]);
  assert.ok(!outcome.reason.includes("\n"));
  ledger.bench.env.run();
  assert.deepEqual(contents(disk), before, "a refused start changes nothing");
}

function started(ledger: WalLedger, ...rows: readonly number[]): Started {
  const outcome = restart(ledger);
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.reason);
  assert.deepEqual(rowsHit(ledger), rows);
  return outcome;
}

/** Starts with lost entries: `dense` are left below them, `behind` above, the log ends at `promised`. */
function repairs(
  ledger: WalLedger,
  damage: DamageClass,
  [dense, behind, promised]: readonly [readonly number[], readonly number[], number],
  met: readonly number[] = [],
): void {
  const { row, action } = damageRows[damage];
  const { recovered } = started(ledger, ...met, row);
  assert.equal(action, "repair");
  const report = ledger.bench.env.lines.find(({ event }) => event === "wal.recovered");
  assert.equal(report?.fields["class"], damage);
  const { entries } = recovered;
  assert.deepEqual(
    entries.map(({ index }) => index),
    dense,
  );
  assert.deepEqual(
    recovered.behind.map(({ index }) => index),
    behind,
  );
  assert.deepEqual(recovered.promised, { index: promised, term: 1 });
}

/** The marks by which the simulator counts that every row is met. */
function rowsHit(ledger: WalLedger): number[] {
  const prefix = "wal.recover.row";
  const rows = ledger.bench.env.marks.filter((mark) => mark.startsWith(prefix));
  return rows.map((mark) => Number(mark.slice(prefix.length)));
}

function indexes(outcome: Started): number[] {
  return outcome.recovered.entries.map(({ index }) => index);
}

function upTo(index: number): number[] {
  return Array.from({ length: index }, (_, at) => at + 1);
}

const flip = (bytes: Uint8Array, at: number): void => {
  bytes[at]! ^= 0x10;
};

describe("damage of the log, by the rows of the table", () => {
  it("row 1: all valid", () => {
    const outcome = started(new WalLedger(5), 1);
    assert.deepEqual(indexes(outcome), [1, 2, 3, 4, 5]);
    assert.equal(outcome.recovered.zeroedBytes, 0);
  });

  it("row 2: the last batch, nothing says that it was durable: dropped, and zeroed", () => {
    for (const at of [0, 100, 251, 256, 270]) {
      const ledger = new WalLedger(5);
      flip(ledger.block(batchOf(5)), at);
      const outcome = started(ledger, at < 256 ? 1 : 2);
      assert.deepEqual(indexes(outcome), [1, 2, 3, 4]);
      assert.equal(outcome.recovered.zeroedBytes, blockBytes);
    }
  });

  it("row 2: whole batches behind a torn one were not acknowledged either", () => {
    const ledger = new WalLedger(3);
    for (const index of [4, 5, 6]) ledger.begin(index);
    const wrote = (): boolean => ledger.block(batchOf(6))[0] !== 0 && ledger.bench.disk.pending < 2;
    ledger.bench.env.run(wrote);
    ledger.bench.disk.kill();
    ledger.block(batchOf(4)).fill(0);
    const outcome = started(ledger, 2);
    assert.deepEqual(indexes(outcome), [1, 2, 3]);
    assert.ok(ledger.block(batchOf(6)).every((byte) => byte === 0));
  });

  it("row 3: a bit in the header of a durable batch", () => {
    const ledger = new WalLedger(5);
    flip(ledger.block(batchOf(3)), 60);
    repairs(ledger, "hole", [[1], [4, 5], 5]);
  });

  it("row 3: a bit in the records of a durable batch", () => {
    const ledger = new WalLedger(5);
    flip(ledger.block(batchOf(3)), 300);
    // Byte 300 is padding: nobody reads it, and nothing is lost.
    assert.deepEqual(indexes(started(ledger, 1)), [1, 2, 3, 4, 5]);
    flip(ledger.block(batchOf(3)), 280);
    repairs(ledger, "hole", [[1, 2], [4, 5], 5]);
  });

  it("row 3: several batches gone, a later one gives the end of the hole", () => {
    const ledger = new WalLedger(12);
    for (const index of [2, 3, 4]) ledger.block(batchOf(index)).fill(0);
    repairs(ledger, "hole", [[], [5, 6, 7, 8, 9, 10, 11, 12], 12]);
  });

  it("row 4: the hole lies wholly below the checkpoint", () => {
    const ledger = new WalLedger(5);
    ledger.checkpoint(4);
    ledger.block(batchOf(2)).fill(0);
    const { recovered } = started(ledger, 4);
    assert.deepEqual([recovered.startIndex, recovered.promised], [4, null]);
    assert.deepEqual(
      recovered.entries.map(({ index }) => index),
      [5],
    );
  });

  it("row 5: the last batch is damaged, its header whole, and a seal says that it was durable", () => {
    const ledger = new WalLedger(5);
    ledger.seal();
    flip(ledger.block(batchOf(5)), 280);
    repairs(ledger, "lastBatchDamaged", [[1, 2, 3, 4], [], 5]);
  });

  it("row 6: the durable end is gone, only the second file knows of it", () => {
    const ledger = new WalLedger(5);
    ledger.seal();
    for (const seq of [6, 7]) ledger.block(seq).fill(0);
    refused(ledger, "tailLost", /offset 24576: expected batch 6, entry 5; durable up to batch 7:/);
  });

  it("row 6 needs the second file: without it the same damage looks like a clean end (§3.4)", () => {
    const ledger = new WalLedger(5);
    ledger.seal();
    for (const seq of [6, 7]) ledger.block(seq).fill(0);
    ledger.bench.disk.content(`${benchDirectory}/${durableName}`).fill(0);
    assert.deepEqual(indexes(started(ledger, 1)), [1, 2, 3, 4]);
  });

  it("row 7: the checkpoint knows of batches that the log does not have", () => {
    const ledger = new WalLedger(5);
    ledger.checkpoint(3);
    ledger.checkpoint(4, 6);
    for (const seq of [5, 6]) ledger.block(seq).fill(0);
    refused(
      ledger,
      "rolledBack",
      /offset 20480: expected batch 5, entry 4; durable up to batch 6:/,
    );
  });

  it("row 7: the log was written by a later start than the directory knows of", () => {
    const ledger = new WalLedger(2);
    ledger.bench.bootCount = 0;
    refused(ledger, "startsRolledBack", /batch 3 is of start 1, this is start 1/);
  });

  it("row 8: no whole header is as new as the newest durable batch", () => {
    const ledger = new WalLedger(5);
    ledger.seal();
    flip(ledger.block(batchOf(3)), 60);
    for (const seq of [6, 7]) ledger.block(seq).fill(0);
    refused(ledger, "promiseUnknown", /offset 16384: expected batch 4, entry 3;/);
  });

  it("row 9: a middle segment is missing, short, long, empty or zeroed", () => {
    const shapes: ((bytes: Uint8Array) => Uint8Array | null)[] = [
      () => null,
      (bytes) => bytes.slice(0, 20_480),
      () => new Uint8Array(0),
      (bytes) => new Uint8Array(bytes.length),
      (bytes) => new Uint8Array([...bytes, 0]),
    ];
    for (const shape of shapes) {
      const ledger = new WalLedger(16);
      const path = ledger.path(2);
      const left = shape(ledger.bench.disk.content(path));
      ledger.bench.disk.erase(path);
      if (left !== null) ledger.bench.disk.put(path, left);
      // The one with a byte too many is whole otherwise.
      const whole = left !== null && left.length > ledgerSegmentBytes;
      const cut = left?.length === 20_480;
      if (whole) assert.equal(started(ledger).recovered.entries.length, 16);
      else repairs(ledger, "segmentLost", [upTo(cut ? 9 : 5), [14, 15, 16], 16]);
    }
  });

  it("row 10: the last segment is missing or short, also the one prepared ahead", () => {
    for (const segment of [3, 4]) {
      const ledger = new WalLedger(16);
      ledger.seal();
      ledger.bench.disk.erase(ledger.path(segment));
      refused(
        ledger,
        "lastSegmentLost",
        new RegExp(`^wal-000000000000000${segment}\\.log: is missing`),
      );
      ledger.bench.disk.put(ledger.path(segment), new Uint8Array(4096));
      refused(ledger, "lastSegmentLost", /has 4096 bytes instead of 32768|its header is damaged/);
    }
  });

  it("row 11: two segments are swapped", () => {
    const ledger = new WalLedger(16);
    const { disk } = ledger.bench;
    const first = disk.content(ledger.path(1)).slice();
    disk.put(ledger.path(1), disk.content(ledger.path(2)));
    disk.put(ledger.path(2), first);
    refused(ledger, "foreign", /^wal-0000000000000001\.log: its header is that of segment 2 /);
  });

  it("row 11: the log of another member", () => {
    const ledger = new WalLedger(5);
    ledger.bench.raftId = 4712;
    refused(ledger, "foreign", /wal-0000000000000001\.log: its header names another member/);
  });

  it("row 11: a single misdirected batch is a hole that names what stands there", () => {
    const ledger = new WalLedger(5);
    ledger.block(batchOf(3)).set(ledger.block(batchOf(1)));
    repairs(ledger, "hole", [[1], [4, 5], 5]);
    const { fields } = ledger.bench.env.lines.find(({ event }) => event === "wal.repairs")!;
    assert.match(`${fields["where"]}`, /where a batch of raft id 4711 for offset 8192 stands/);
  });

  it("row 12: one number twice in one start, both whole", () => {
    const ledger = new WalLedger(3);
    const { offset } = ledger.place(6);
    ledger.plant(1, offset, { seq: 3, firstIndex: 2, durableSeq: 1 });
    refused(ledger, "contradiction", /offset 24576: a second batch 3 of start 1/);
  });

  it("row 12: one number twice in different starts is only a tail that was not zeroed yet", () => {
    const ledger = new WalLedger(3);
    ledger.bench.bootCount = 8;
    ledger.plant(1, ledger.place(6).offset, { seq: 3, firstIndex: 2, bootCount: 5 });
    assert.deepEqual(indexes(started(ledger, 2)), [1, 2, 3]);
  });

  it("row 12: a batch that checks and holds no records of this format", () => {
    const ledger = new WalLedger(3);
    const block = ledger.block(batchOf(3));
    // The entry's record kind becomes 9, and all sums are made good.
    block[256 + 8] = 9;
    const seed = nonceSeed(ledger.nonce(1));
    const length = block[256 + 4]!;
    const crc = crc32c(block, 260, 264 + length, seed);
    writeU32(block, 256, crc);
    writeU32(block, 76, crc);
    writeU32(block, 252, crc32c(block, 0, 252, seed));
    refused(ledger, "contradiction", /offset 16384: batch 4 checks and cannot be read/);
  });

  it("a batch that does not continue the chain is not taken for the next one", () => {
    const ledger = new WalLedger(3);
    // A whole batch with the right number at the right place, whose predecessor is another one.
    const { offset } = ledger.place(5);
    ledger.plant(1, offset, { seq: 5, firstIndex: 4, prevLastIndex: 3, prevLastTerm: 1 });
    assert.deepEqual(indexes(started(ledger, 2)), [1, 2, 3]);
  });

  it("row 14: the checkpoint does not reach the beginning of the log", () => {
    const ledger = new WalLedger(20);
    ledger.checkpoint(15);
    ledger.wal.dropBelow(15);
    ledger.bench.env.run();
    ledger.checkpoint(3);
    refused(ledger, "stateBehindLog", /starts behind entry 13, the checkpoint ends at 3/);
  });

  it("row 14: a hole, and the checkpoint cannot be read either", () => {
    const ledger = new WalLedger(5);
    ledger.checkpoint(1);
    ledger.block(batchOf(3)).fill(0);
    ledger.bench.stateLost = true;
    refused(ledger, "holeWithoutState", /offset 16384: expected batch 4, entry 3;/);
    // Below the checkpoint nothing is missed: what it holds comes with the state.
    const other = new WalLedger(5);
    other.checkpoint(3);
    other.block(batchOf(3)).fill(0);
    other.bench.stateLost = true;
    started(other, 4);
  });

  it("row 16: an unreadable block counts as bad bytes", () => {
    const ledger = new WalLedger(5);
    const { path, offset } = ledger.place(batchOf(3));
    ledger.bench.disk.spoil(path, offset);
    repairs(ledger, "hole", [[1], [4, 5], 5], [16]);
  });

  it("row 16: an unreadable block where nothing durable stood is only a torn tail", () => {
    const ledger = new WalLedger(5);
    const { path, offset } = ledger.place(7);
    ledger.bench.disk.spoil(path, offset);
    assert.deepEqual(indexes(started(ledger, 16, 1)), [1, 2, 3, 4, 5]);
  });

  it("row 16: an unreadable sector between the slots of the second file takes nothing from them", () => {
    const ledger = new WalLedger(5);
    ledger.seal();
    for (const seq of [6, 7]) ledger.block(seq).fill(0);
    ledger.bench.disk.spoil(`${benchDirectory}/${durableName}`, 1024, 512);
    refused(ledger, "tailLost", /offset 24576: expected batch 6, entry 5; durable up to batch 7:/);
  });

  it("a newer format is refused and left alone", () => {
    const ledger = new WalLedger(5);
    const block = ledger.bench.disk.content(ledger.path(1)).subarray(0, blockBytes);
    writeU16(block, 4, 2);
    writeU32(block, 56, crc32c(block, 0, 56, nonceSeed(ledger.nonce(1))));
    refused(ledger, "newer", /^wal-0000000000000001\.log: format 2: the log is of a newer format/);
  });

  it("every row that stops says what to do", () => {
    for (const row of Object.values(damageRows)) {
      assert.equal(row.exitCode === null, row.action === "start" || row.action === "repair");
      if (row.exitCode !== null) assert.ok(row.advice.length > 20 && row.finding.length > 10);
    }
    assert.equal(damageRows.contradiction.exitCode, ExitCode.Assertion);
    assert.equal(damageRows.foreign.exitCode, ExitCode.Foreign);
  });
});
