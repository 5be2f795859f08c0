// The checkers of one process between its core and its host: the persist contract, rule by rule, and
// check-quorum, each with hand-made bad histories.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckQuorum, type Moment } from "./check-quorum.ts";
import {
  type DiskState,
  PersistContract,
  type SeenBatch,
  type SeenReady,
} from "./persist-contract.ts";
import { QuietStart } from "./quiet-start.ts";
import { Violation } from "./violation.ts";

function rejects(run: () => void, message: RegExp): void {
  assert.throws(run, (error) => error instanceof Violation && message.test(error.message));
}

const batchOf = (seq: number, change: Partial<SeenBatch> = {}): SeenBatch => ({
  seq,
  mustSync: true,
  term: 3,
  vote: 7,
  snapshotIndex: 0,
  firstIndex: 0,
  lastIndex: 0,
  lastTerm: 0,
  ...change,
});
const readyOf = (batch: SeenBatch, change: Partial<SeenReady> = {}): SeenReady => ({
  batch,
  parked: [],
  afterPersist: 0,
  firstCommitted: 0,
  lastCommitted: 0,
  ...change,
});
const nothing = readyOf(batchOf(0));
/** Holds terms[i] at index i + 1. */
const diskOf = (...terms: number[]): DiskState => ({
  term: 3,
  vote: 7,
  holds: (index, term) => index <= terms.length && (term === 0 || terms[index - 1] === term),
});

test("R1: batches out of order, or acknowledged out of order or unissued, are rejected", () => {
  const contract = new PersistContract("a", 0);
  contract.taken(readyOf(batchOf(1)));
  contract.taken(nothing);
  contract.taken(readyOf(batchOf(2)));
  rejects(() => contract.taken(readyOf(batchOf(4))), /R1: batch 4 after 2/);
  rejects(() => contract.taken(readyOf(batchOf(2))), /R1: batch 2 after 2/);
  rejects(() => contract.persisted(3, diskOf()), /batch 3 of 2 is acknowledged/);
  contract.persisted(2, diskOf());
  assert.equal(contract.open, 0);
  rejects(() => contract.persisted(1, diskOf()), /batch 1 is acknowledged after 2/);
});

test("R1: an acknowledged batch that the disk does not hold is rejected", () => {
  const entries = { firstIndex: 2, lastIndex: 3, lastTerm: 3 };
  const acknowledge = (batches: readonly SeenBatch[], disk: DiskState): void => {
    const contract = new PersistContract("a", 0);
    for (const batch of batches) contract.taken(readyOf(batch));
    contract.persisted(batches.length, disk);
  };
  acknowledge([batchOf(1, entries)], diskOf(1, 3, 3));
  rejects(() => acknowledge([batchOf(1, entries)], diskOf(1, 3)), /entry 3 of term 3 in batch 1/);
  rejects(() => acknowledge([batchOf(1, entries)], diskOf(1, 3, 2)), /is not on the disk/);
  acknowledge([batchOf(1, { ...entries, mustSync: false })], diskOf(1, 3));
  rejects(() => acknowledge([batchOf(1, { term: 4 })], diskOf()), /has term 4 vote 7, the disk 3/);
  rejects(() => acknowledge([batchOf(1, { vote: 8 })], diskOf()), /vote 8, the disk 3 and 7/);
  acknowledge([batchOf(1, { term: 2, vote: 8 })], diskOf());
  rejects(() => acknowledge([batchOf(1, { snapshotIndex: 9 })], diskOf()), /snapshot of 9/);
  // What a later batch of the same acknowledgement has replaced need not be there.
  const later = batchOf(2, { firstIndex: 3, lastIndex: 3, lastTerm: 3 });
  acknowledge([batchOf(1, { ...entries, lastTerm: 2 }), later], diskOf(1, 3, 3));
});

test("R2: a message that leaves before its batch is durable is rejected", () => {
  const contract = new PersistContract("a", 0);
  contract.taken(readyOf(batchOf(1), { parked: ["grant"], afterPersist: 1 }));
  rejects(() => contract.sent("grant"), /R2: grant leaves before batch 1, 0 is durable/);
  contract.sent("another");
  contract.persisted(1, diskOf());
  // Another copy waits for the next batch: the first may go, and only the first.
  contract.taken(readyOf(batchOf(2), { parked: ["grant"], afterPersist: 2 }));
  contract.sent("grant");
  rejects(() => contract.sent("grant"), /leaves before batch 2/);
  contract.taken(readyOf(batchOf(0), { parked: ["free"], afterPersist: 1 }));
  contract.sent("free");
  const waits = { parked: ["early"], afterPersist: 9 };
  rejects(() => contract.taken(readyOf(batchOf(0), waits)), /waits for batch 9, there are 2/);
});

test("R3: entries handed out or applied twice, out of order or too early are rejected", () => {
  const contract = new PersistContract("a", 4);
  const hand = (first: number, last: number): void =>
    contract.taken(readyOf(batchOf(0), { firstCommitted: first, lastCommitted: last }));
  rejects(() => hand(6, 7), /entry 6 is handed out after 4/);
  hand(5, 7);
  rejects(() => hand(7, 8), /entry 7 is handed out after 7/);
  rejects(() => contract.applied(8), /8 is applied, 7 was handed out/);
  contract.applied(7);
  rejects(() => contract.applied(6), /6 is told as applied after 7/);
  contract.taken(readyOf(batchOf(1, { snapshotIndex: 20 })));
  hand(21, 21);
});

test("R3: a checkpoint of what is not on the disk is rejected", () => {
  const contract = new PersistContract("a", 0);
  contract.checkpointed(2, diskOf(1, 1));
  rejects(() => contract.checkpointed(3, diskOf(1, 1)), /a checkpoint of 3/);
});

test("R5: what was lent and has changed before the next is taken is rejected", () => {
  const contract = new PersistContract("a", 0);
  contract.lent([], []);
  contract.lent([1, 2], [1, 2]);
  rejects(() => contract.lent([1, 2], [1, 0]), /lent \[1 2\], come back as \[1 0\]/);
});

const bounds = { timeoutTicks: 10, silenceMsMax: 130 };
const voters = { voters: [1, 2, 3], votersOutgoing: [] };
const at = (tick: number): Moment => ({ tick, ms: tick * 10 });

test("P7: a leader that has not heard a quorum for more than T is rejected", () => {
  const checker = new CheckQuorum("a", 1, bounds);
  checker.heard(2, 5, at(1));
  checker.heard(3, 5, at(2));
  for (let tick = 3; tick <= 12; tick++) checker.leadsOn(5, voters, at(tick));
  rejects(() => checker.leadsOn(5, voters, at(13)), /P7.*2 12, 3 11, allowed 10/);
  checker.heard(2, 5, at(13));
  checker.leadsOn(5, voters, at(23));
  rejects(() => checker.leadsOn(5, voters, at(24)), /P7/);
});

test("P7: both halves of a joint configuration must be heard", () => {
  const joint = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
  const checker = new CheckQuorum("a", 1, bounds);
  checker.leadsOn(5, joint, at(0));
  checker.heard(2, 5, at(8));
  rejects(() => checker.leadsOn(5, joint, at(11)), /P7/);
  checker.heard(4, 5, at(11));
  checker.leadsOn(5, joint, at(12));
});

test("P7: answers of an older term do not keep a leader in office", () => {
  const checker = new CheckQuorum("a", 1, bounds);
  checker.heard(2, 5, at(20));
  checker.leadsOn(6, voters, at(21));
  rejects(() => checker.leadsOn(6, voters, at(32)), /term 6/);
});

test("P7: a leader that is given too few ticks is rejected by its clock, unless it was paused", () => {
  const checker = new CheckQuorum("a", 1, bounds);
  checker.leadsOn(5, voters, { tick: 0, ms: 0 });
  checker.leadsOn(5, voters, { tick: 2, ms: 130 });
  rejects(() => checker.leadsOn(5, voters, { tick: 3, ms: 140 }), /ms since it heard.*2 140/);
  checker.disturbed(100);
  checker.leadsOn(5, voters, { tick: 3, ms: 230 });
  rejects(() => checker.leadsOn(5, voters, { tick: 4, ms: 231 }), /allowed 130/);
});

test("S14: a promise right after a start is rejected, unless a leader, all others or time allow it", () => {
  const start = (mustBeQuiet = true): QuietStart =>
    new QuietStart("a", { mustBeQuiet, timeoutTicks: 10 });
  const others = [2, 3];
  rejects(() => start().promises("a grant", 9, others), /a grant after 9 ticks of 10.*\[2, 3\]/);
  start().promises("a grant", 10, others);
  start(false).promises("a grant", 0, others);
  const half = start();
  half.met(2);
  rejects(() => half.promises("a grant", 0, others), /not of \[3\]/);
  half.met(3);
  half.promises("a grant", 0, others);
  const led = start();
  led.ledBy(false, 5, 5);
  led.ledBy(true, 4, 5);
  rejects(() => led.promises("a vote request", 0, others), /S14/);
  led.ledBy(true, 5, 5);
  led.promises("a vote request", 0, others);
});
