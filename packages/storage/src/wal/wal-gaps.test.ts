// Logs of which a durable part is lost, as files: what recovery takes for known, where it says that the
// log ends, and how the entries come again. Entry n is in batch n + 1, each a block of its own; what is
// given back is written `known | behind, promised`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HardState } from "@quorate/raft";
import type { Started } from "../testing/wal-bench.ts";
import { batchOf, entryOf, WalLedger } from "../testing/wal-ledger.ts";
import type { WalApi, WalMark } from "./wal-api.ts";
import { blockBytes } from "./wal-format.ts";

const benchMark = (ledger: WalLedger, mark: string): boolean =>
  ledger.bench.env.marks.includes(mark);

function restart(ledger: WalLedger): Started {
  ledger.bench.disk.kill();
  return ledger.bench.start();
}

function zero(ledger: WalLedger, ...entries: readonly number[]): void {
  for (const index of entries) ledger.block(batchOf(index)).fill(0);
}

/** The header stays, its records do not check. */
function spoilRecords(ledger: WalLedger, entry: number): void {
  ledger.block(batchOf(entry))[280]! ^= 0x10;
}

function shape({ recovered }: Started): string {
  const { startIndex, entries, behind, promised, hardState } = recovered;
  const name = ({ index, term }: { index: number; term: number }): string => `${index}@${term}`;
  const known = [`${startIndex}:`, ...entries.map(name)].join(" ");
  const rest = promised === null ? "" : ` | ${[...behind, promised].map(name).join(" ")}`;
  return `${known}${rest}; commit ${hardState.commit}`;
}

interface Appending {
  readonly wal: WalApi;
  readonly ledger: WalLedger;
}

/** As a leader's appends come: dense from `first` on. */
function append(
  { wal, ledger }: Appending,
  first: number,
  terms: readonly number[],
  commit: number = 0,
): void {
  const entries = terms.map((term, at) => entryOf(first + at, term));
  const hardState = new HardState(9, 0, commit);
  wal.append({ hardState, firstIndex: first, entries, peers: [], mustSync: true }, () => {});
  ledger.bench.env.run();
}

/** A ledger of `entries`, damaged and started. */
function damaged(entries: number, damage: (ledger: WalLedger) => void) {
  const ledger = new WalLedger(entries);
  ledger.bench.disk.kill();
  damage(ledger);
  const outcome = ledger.bench.start();
  return { ledger, wal: outcome.wal, outcome };
}

function mark(index: number, term: number, keepsLog: boolean = false): WalMark {
  return {
    index,
    term,
    checkpointId: 5000 + index,
    hardState: new HardState(9, 0, index),
    keepsLog,
  };
}

describe("what is known of a log with lost entries", () => {
  it("a batch lost with its header may have cut the log off, down to what was committed before it", () => {
    const ledger = new WalLedger(3);
    // Entries 4 … 6 at once, nothing of them committed; then the lost batch.
    append({ wal: ledger.wal, ledger }, 4, [1, 1, 1], 2);
    append({ wal: ledger.wal, ledger }, 7, [1], 2);
    append({ wal: ledger.wal, ledger }, 8, [1], 2);
    ledger.bench.disk.kill();
    ledger.block(6).fill(0);
    assert.equal(shape(ledger.bench.start()), "0: 1@1 2@1 | 8@1 8@1; commit 2");
  });

  it("a batch whose header is left says what is lost, and no more", () => {
    const ledger = new WalLedger(3);
    append({ wal: ledger.wal, ledger }, 4, [1, 1, 1], 2);
    append({ wal: ledger.wal, ledger }, 7, [1], 2);
    append({ wal: ledger.wal, ledger }, 8, [1], 2);
    ledger.bench.disk.kill();
    ledger.block(6)[280]! ^= 0x10;
    assert.equal(shape(ledger.bench.start()), "0: 1@1 2@1 3@1 4@1 5@1 6@1 | 8@1 8@1; commit 2");
  });

  it("a lost batch that cut the log off, with its header and without", () => {
    for (const withHeader of [true, false]) {
      const ledger = new WalLedger(3);
      append({ wal: ledger.wal, ledger }, 4, [1, 1, 1], 2);
      append({ wal: ledger.wal, ledger }, 4, [2], 2);
      append({ wal: ledger.wal, ledger }, 5, [2], 2);
      ledger.bench.disk.kill();
      if (withHeader) ledger.block(6)[280]! ^= 0x10;
      else ledger.block(6).fill(0);
      const known = withHeader ? "1@1 2@1 3@1" : "1@1 2@1";
      assert.equal(shape(ledger.bench.start()), `0: ${known} | 5@2 5@2; commit 2`);
    }
  });

  it("two holes", () => {
    const { outcome } = damaged(8, (ledger) => zero(ledger, 3, 4, 7));
    assert.equal(shape(outcome), "0: 1@1 | 5@1 8@1 8@1; commit 7");
  });

  it("two holes, of the second one the header is left", () => {
    const { outcome } = damaged(8, (ledger) => {
      zero(ledger, 3);
      spoilRecords(ledger, 6);
    });
    assert.equal(shape(outcome), "0: 1@1 | 4@1 5@1 7@1 8@1 8@1; commit 7");
  });

  it("the very first batches are lost", () => {
    const { outcome } = damaged(5, (ledger) => zero(ledger, 0, 1, 2));
    assert.equal(shape(outcome), "0: | 3@1 4@1 5@1 5@1; commit 4");
  });

  it("a whole segment, and the end of the one before it", () => {
    const { outcome, ledger } = damaged(16, (ledger) => {
      zero(ledger, 5, 6);
      ledger.bench.disk.erase(ledger.path(2));
    });
    assert.equal(shape(outcome), "0: 1@1 2@1 3@1 | 14@1 15@1 16@1 16@1; commit 15");
    assert.ok(benchMark(ledger, "wal.recover.row9"));
  });

  it("a checkpoint in the hole: the log begins there, and lacks what is above", () => {
    const ledger = new WalLedger(8);
    ledger.checkpoint(4);
    zero(ledger, 3, 4, 5, 6);
    assert.equal(shape(restart(ledger)), "4: | 7@1 8@1 8@1; commit 7");
  });

  it("a torn tail behind a crossed hole goes, and stays gone", () => {
    const ledger = new WalLedger(6);
    for (const index of [7, 8]) ledger.begin(index);
    const wrote = (): boolean => ledger.block(batchOf(8))[0] !== 0 && ledger.bench.disk.pending < 2;
    ledger.bench.env.run(wrote);
    ledger.bench.disk.kill();
    zero(ledger, 3, 7);
    const outcome = ledger.bench.start();
    assert.equal(shape(outcome), "0: 1@1 | 4@1 5@1 6@1 6@1; commit 5");
    assert.equal(outcome.recovered.zeroedBytes, blockBytes);
    assert.equal(shape(restart(ledger)), shape(outcome));
  });

  it("the next starts find the same", () => {
    const { outcome, ledger } = damaged(16, (ledger) => {
      zero(ledger, 3);
      ledger.bench.disk.erase(ledger.path(2));
    });
    for (let i = 0; i < 3; i++) assert.equal(shape(restart(ledger)), shape(outcome));
  });

  it("a start among the lost batches: what it settled of a mark is not known any more", () => {
    const ledger = new WalLedger(3);
    ledger.wal.snapshotMark(mark(9, 9), () => {});
    ledger.bench.env.run();
    const next = restart(ledger);
    append({ wal: next.wal, ledger }, 4, [9], 3);
    append({ wal: next.wal, ledger }, 5, [9], 3);
    ledger.bench.disk.kill();
    // The mark is batch 5, the start that made it void 6, entry 4 is in batch 7.
    for (const seq of [6, 7]) ledger.block(seq).fill(0);
    assert.equal(shape(ledger.bench.start()), "0: 1@1 2@1 | 5@9 5@9; commit 3");
  });
});

describe("lost entries come again", () => {
  const hole = (entries: number, ...lost: readonly number[]) =>
    damaged(entries, (ledger) => zero(ledger, ...lost));

  /** Of entries 1 … 9 only two are committed; headers of the lost ones are left. */
  function uncommitted(...lost: readonly number[]) {
    const ledger = new WalLedger(3);
    for (let index = 4; index <= 9; index++) append({ wal: ledger.wal, ledger }, index, [1], 2);
    ledger.bench.disk.kill();
    for (const entry of lost) spoilRecords(ledger, entry);
    return { ledger, wal: ledger.bench.start().wal };
  }

  it("in order, and what stood behind them stays", () => {
    const { wal, ledger } = hole(8, 3, 4, 5);
    append({ wal, ledger }, 2, [1, 1, 1], 1);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [8, 4]);
    assert.equal(shape(restart(ledger)), "0: 1@1 2@1 3@1 4@1 | 6@1 7@1 8@1 8@1; commit 7");
  });

  it("all of them: the log is whole, now and at every later start", () => {
    const { wal, ledger } = hole(8, 3, 4, 5);
    append({ wal, ledger }, 2, [1, 1, 1, 1], 1);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [8, 8]);
    append({ wal, ledger }, 9, [9], 8);
    for (let i = 0; i < 2; i++) {
      const outcome = restart(ledger);
      const whole = "0: 1@1 2@1 3@1 4@1 5@1 6@1 7@1 8@1 9@9; commit 8";
      assert.equal(shape(outcome), whole);
      assert.ok(benchMark(ledger, "wal.recover.mended"));
    }
  });

  it("over a restart in between", () => {
    const { wal, ledger } = hole(8, 3, 6);
    append({ wal, ledger }, 2, [1, 1], 1);
    const { wal: next } = restart(ledger);
    assert.equal(next.denseIndex, 4);
    append({ wal: next, ledger }, 5, [1, 1], 5);
    assert.equal(next.denseIndex, 8);
    assert.equal(shape(restart(ledger)), "0: 1@1 2@1 3@1 4@1 5@1 6@1 7@1 8@1; commit 7");
  });

  it("another entry than the known one: what was behind it was never committed", () => {
    const { wal, ledger } = uncommitted(5);
    append({ wal, ledger }, 5, [1, 1, 2], 2);
    assert.deepEqual([wal.lastIndex, wal.lastTerm, wal.denseIndex], [7, 2, 7]);
    assert.equal(shape(restart(ledger)), "0: 1@1 2@1 3@1 4@1 5@1 6@1 7@2; commit 2");
  });

  it("a higher term than the end's in the hole: the rest goes, and the log ends there", () => {
    const { wal, ledger } = uncommitted(5, 6);
    append({ wal, ledger }, 5, [1, 4], 2);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [6, 6]);
    assert.equal(shape(restart(ledger)), "0: 1@1 2@1 3@1 4@1 5@1 6@4; commit 2");
  });

  it("entries beyond the lost ones and the end at once", () => {
    const { wal, ledger } = hole(6, 3, 4);
    append({ wal, ledger }, 2, [1, 1, 1, 1, 1, 9, 9], 1);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [8, 8]);
    assert.equal(shape(restart(ledger)), "0: 1@1 2@1 3@1 4@1 5@1 6@1 7@9 8@9; commit 5");
  });

  it("a hard state while entries are lost says nothing of those behind them", () => {
    const { wal, ledger } = hole(8, 3);
    const hardState = new HardState(9, 3, 1);
    wal.append({ hardState, firstIndex: 0, entries: [], peers: [], mustSync: true }, () => {});
    ledger.bench.env.run();
    const outcome = restart(ledger);
    assert.equal(outcome.recovered.hardState.vote, 3);
    assert.equal(shape(outcome), "0: 1@1 | 4@1 5@1 6@1 7@1 8@1 8@1; commit 7");
  });

  it("a snapshot in the hole: the log begins there, what is behind stays", () => {
    const { wal, ledger } = hole(8, 3, 4, 5, 6);
    wal.snapshotMark(mark(4, 1), () => {});
    ledger.bench.env.run();
    ledger.checkpoint(4, 0);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [8, 4]);
    assert.equal(shape(restart(ledger)), "4: | 7@1 8@1 8@1; commit 7");
  });

  it("a snapshot beyond the end: nothing is missing any more", () => {
    const { wal, ledger } = hole(8, 3, 4);
    wal.snapshotMark(mark(12, 9), () => {});
    ledger.bench.env.run();
    ledger.checkpoint(12, 0);
    assert.deepEqual([wal.lastIndex, wal.denseIndex], [12, 12]);
    const state = ledger.bench.medium.state;
    ledger.bench.manifest.change(
      () => ({ ...state, checkpoint: { ...state.checkpoint!, term: 9 } }),
      () => {},
    );
    ledger.bench.env.run();
    assert.equal(shape(restart(ledger)), "12:; commit 12");
  });

  it("segments that have lost something stay until a checkpoint covers it", () => {
    const { wal, ledger } = damaged(16, (it) => it.bench.disk.erase(it.path(2)));
    append({ wal, ledger }, 6, [1, 1, 1], 8);
    ledger.checkpoint(8, 0);
    wal.dropBelow(8);
    ledger.bench.env.run();
    assert.equal(shape(restart(ledger)), "8: | 14@1 15@1 16@1 16@1; commit 15");
  });
});
