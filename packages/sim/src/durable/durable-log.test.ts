// The log as it is followed on the medium: it knows a batch as soon as, and not before, a recovery
// would; and whoever knows more or less than a recovery is found out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import { Entry, HardState } from "@quorate/raft";
import { BatchHeader, BatchKind } from "@quorate/storage/internal";
import { Run } from "../run.ts";
import { DurableLog, type LogFound } from "./durable-log.ts";

function foundLog(term: number, vote: number, terms: number[], start = 0): LogFound {
  const entries = terms.map((t, at) => new Entry(t, start + at + 1, 0, 1, 0, latin1Encode("")));
  return {
    hardState: new HardState(term, vote, 0),
    checkpointIndex: 0,
    startIndex: start,
    startTerm: 1,
    entries,
  };
}

function headerOf(given: Partial<BatchHeader>): BatchHeader {
  return Object.assign(new BatchHeader(), given);
}

function appendTo(log: DurableLog, term: number, firstIndex: number, terms: number[]): void {
  const entries = terms.map((t, at) => new Entry(t, firstIndex + at, 0, 1, 0, latin1Encode("")));
  const header = headerOf({ term, vote: 7, firstIndex, entries: terms.length });
  log.append({ header, payload: { entries, peers: [], voidMarks: [] } });
}

test("batches grow the log, cut it where they begin, and move the hard state", () => {
  const log = new DurableLog(foundLog(1, 7, [1, 1, 1]));
  appendTo(log, 1, 4, [1, 1]);
  assert.equal(log.lastIndex, 5);
  appendTo(log, 3, 3, [3]);
  assert.deepEqual([log.term, log.lastIndex, log.lastIndexMax], [3, 3, 5]);
  assert.deepEqual(
    [1, 2, 3, 4].map((index) => log.termAt(index)),
    [1, 1, 3, null],
  );
});

test("a log that does not join is a bug of the reader", () => {
  const log = new DurableLog(foundLog(1, 7, [1, 1], 10));
  assert.throws(() => appendTo(log, 1, 14, [1]), /does not join/);
  assert.throws(() => appendTo(log, 1, 10, [1]), /does not join/);
});

test("a start that becomes durable after its recovery was read has spoken too early", () => {
  const log = new DurableLog(foundLog(1, 7, [1, 1], 10));
  const boot = headerOf({ kind: BatchKind.Boot });
  const payload = { entries: [], peers: [], voidMarks: [] };
  assert.throws(() => log.append({ header: boot, payload }), /P8 durable before it speaks/);
});

test("every difference from a recovery is named, what only one of them knows is none", () => {
  const log = new DurableLog(foundLog(3, 7, [1, 1, 3, 3]));
  const differenceFrom = (other: LogFound): string | null => log.difference(new DurableLog(other));
  assert.equal(differenceFrom(foundLog(3, 7, [1, 1, 3, 3])), null);
  assert.equal(differenceFrom(foundLog(3, 7, [3, 3], 2)), null);
  assert.match(differenceFrom(foundLog(2, 7, [1, 1, 3, 3])) ?? "", /term 2 vote 7/);
  assert.match(differenceFrom(foundLog(3, 8, [1, 1, 3, 3])) ?? "", /vote 8/);
  assert.match(differenceFrom(foundLog(3, 7, [1, 1, 3])) ?? "", /ends at 3, not 4/);
  assert.match(differenceFrom(foundLog(3, 7, [1, 1, 2, 3])) ?? "", /term 2 at 3, not 3/);
});

test("in runs with crashes, slow disks and snapshots a recovery finds at every look what was followed", () => {
  let compared = 0;
  for (const seed of [3, 7, 11]) {
    const run = new Run(seed, (options) => {
      options.members = 3;
      options.safetyMs = 2_000;
      options.host = { ...options.host, catchUpEntriesMax: 3, checkpointIntervalMs: 100 };
      options.durableSample = 1;
    });
    run.run();
    compared += run.watch.disks.compared;
  }
  assert.ok(compared > 200, `only ${compared} looks`);
});
