// Every checker accepts good histories and rejects a bad one made by hand for each way in which its
// property can break. A checker that rejects nothing is worse than none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deleteOf, getOf, HistoryMaker, putOf } from "../../test/history-maker.ts";
import { checkAcknowledgedWrites } from "./acknowledged-writes.ts";
import { type CommittedEntry, CommittedLog } from "./committed-log.ts";
import { DigestEquality } from "./digest-equality.ts";
import { DurableBeforeAck, type DurableView } from "./durable-before-ack.ts";
import { ElectionSafety } from "./election-safety.ts";
import { FrontierOrder } from "./frontiers.ts";
import { LeaderCompleteness, type LeaderLog } from "./leader-completeness.ts";
import { checkLinearizability } from "./linearizability.ts";
import { LogMatching } from "./log-matching.ts";
import { OneGenesis } from "./one-genesis.ts";
import { Violation } from "./violation.ts";

function rejects(run: () => void, message: RegExp): void {
  assert.throws(run, (error) => error instanceof Violation && message.test(error.message));
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
const entryOf = (index: number, term: number, payload = 0): CommittedEntry => ({
  index,
  term,
  kind: 16,
  level: 1,
  wallMs: 5,
  payload: bytesOf(payload),
});

test("S1 one leader per term: a second one is rejected, the same again is not", () => {
  const checker = new ElectionSafety();
  checker.leaderSeen(3, 100);
  checker.leaderSeen(3, 100);
  checker.leaderSeen(4, 200);
  rejects(() => checker.leaderSeen(3, 200), /term 3 has the leaders 100 and 200/);
});

test("S3 log matching: two contents, or two predecessors, of one (index, term) are rejected", () => {
  const checker = new LogMatching();
  checker.entrySeen({ index: 5, term: 2, previousTerm: 1, crc: 7 });
  checker.entrySeen({ index: 5, term: 2, previousTerm: 1, crc: 7 });
  checker.entrySeen({ index: 5, term: 3, previousTerm: 1, crc: 9 });
  rejects(() => checker.entrySeen({ index: 5, term: 2, previousTerm: 1, crc: 8 }), /two contents/);
  rejects(() => checker.entrySeen({ index: 5, term: 2, previousTerm: 2, crc: 7 }), /terms 1 and 2/);
});

test("S5 state machine safety: another term, kind, stamp or payload at an index is rejected", () => {
  const log = new CommittedLog();
  log.applied("a", 1, entryOf(1, 1));
  log.applied("a", 1, entryOf(2, 1));
  log.applied("b", 1, entryOf(1, 1));
  assert.equal(log.lastIndex, 2);
  rejects(() => log.applied("b", 1, entryOf(2, 2)), /another entry at 2/);
  rejects(() => log.applied("b", 1, entryOf(2, 1, 9)), /another entry at 2/);
  rejects(() => log.applied("b", 1, { ...entryOf(2, 1), kind: 17 }), /another entry/);
  rejects(() => log.applied("b", 1, { ...entryOf(2, 1), wallMs: 6 }), /another entry/);
  rejects(() => log.applied("b", 1, { ...entryOf(2, 1), level: 2 }), /another entry/);
  rejects(() => log.applied("b", 1, entryOf(4, 1)), /nobody had applied 3/);
});

test("S4 leader completeness: a missing or different committed entry is rejected, a late winner not", () => {
  const log = new CommittedLog();
  for (const [index, term] of [
    [1, 1],
    [2, 1],
    [3, 4],
  ] as const) {
    log.applied("a", term, entryOf(index, term));
  }
  const checker = new LeaderCompleteness(log);
  const logOf = (...terms: number[]): LeaderLog => ({
    firstIndex: 1,
    lastIndex: terms.length,
    termAt: (index) => terms[index - 1] ?? null,
  });
  checker.elected(1, 5, logOf(1, 1, 4));
  // Entry 3 was committed in term 4: a leader of term 3 need not have it.
  checker.elected(2, 3, logOf(1, 1));
  checker.elected(3, 5, { firstIndex: 4, lastIndex: 3, termAt: () => null });
  rejects(() => checker.elected(4, 5, logOf(1, 1)), /ends at 2, committed is 3/);
  rejects(() => checker.elected(4, 5, logOf(1, 1, 2)), /has term 2 at 3, not 4/);
  rejects(() => checker.elected(4, 3, logOf(1)), /committed is 2/);
});

test("S6 frontiers: every wrong order and every step back is rejected", () => {
  const good = {
    term: 3,
    snapshotIndex: 2,
    applied: 5,
    committed: 6,
    lastIndex: 9,
    durableIndex: 8,
    installing: false,
  };
  const first = (change: Partial<typeof good>): void => {
    new FrontierOrder().seen("p", { ...good, ...change });
  };
  first({});
  rejects(() => first({ snapshotIndex: 6 }), /S6/);
  rejects(() => first({ applied: 7 }), /S6/);
  rejects(() => first({ committed: 10 }), /S6/);
  rejects(() => first({ durableIndex: 4 }), /S6/);
  first({ durableIndex: 4, installing: true });
  rejects(() => first({ durableIndex: 10 }), /S6/);
  for (const back of [{ term: 2 }, { applied: 4 }, { committed: 5 }]) {
    const checker = new FrontierOrder();
    checker.seen("p", good);
    checker.seen("other", { ...good, ...back });
    rejects(() => checker.seen("p", { ...good, ...back }), /went back/);
    checker.gone("p");
    checker.seen("p", { ...good, ...back });
  }
});

test("S16 digests: a difference at equal index is rejected, at unequal ones not", () => {
  const checker = new DigestEquality();
  const pair = { liveLow: 1, liveHigh: 2, applyLow: 3, applyHigh: 4 };
  checker.seen("a", 10, pair);
  checker.seen("b", 10, pair);
  checker.seen("b", 11, { ...pair, liveLow: 9 });
  rejects(() => checker.seen("c", 10, { ...pair, liveHigh: 9 }), /live digests of a and c/);
  rejects(() => checker.seen("c", 10, { ...pair, applyLow: 9 }), /apply digests of a and c/);
});

test("P1 one genesis: a second one is rejected, by the same or by another member", () => {
  const checker = new OneGenesis();
  const genesis = bytesOf(1, 2);
  checker.started("a", genesis);
  genesis[0] = 9;
  checker.started("b", bytesOf(1, 2));
  rejects(() => checker.started("c", bytesOf(1, 3)), /a started 0102, c started 0103/);
  rejects(() => checker.started("a", bytesOf(1)), /P1/);
});

test("S7 votes: a request or grant whose term or vote is not on the disk is rejected", () => {
  const checker = new DurableBeforeAck();
  const disk = diskOf({ term: 5, vote: 7, terms: [1, 1, 3] });
  checker.voteRequested({ from: 7, term: 5, lastIndex: 3, lastTerm: 3 }, disk);
  checker.voteGranted(2, 7, 5, disk);
  // The disk has moved on since the message was made: nothing can be said.
  checker.voteGranted(2, 9, 4, disk);
  const ask = { from: 7, term: 5, lastIndex: 3, lastTerm: 3 };
  rejects(() => checker.voteRequested({ ...ask, term: 6 }, disk), /holds term 5/);
  rejects(() => checker.voteRequested({ ...ask, from: 8 }, disk), /vote 7/);
  rejects(() => checker.voteRequested({ ...ask, lastIndex: 4 }, disk), /ends at 3/);
  rejects(() => checker.voteRequested({ ...ask, lastTerm: 4 }, disk), /has term 3/);
  checker.voteRequested({ ...ask, lastIndex: 9, lastTerm: 2 }, disk);
  rejects(() => checker.voteGranted(2, 8, 5, disk), /grants 8/);
  rejects(() => checker.voteGranted(2, 7, 6, disk), /term 6/);
});

test("S7 appends: an acknowledged entry that is not on the disk, or another one, is rejected", () => {
  const checker = new DurableBeforeAck();
  const disk = diskOf({ term: 5, vote: 0, terms: [1, 1, 3], checkpointIndex: 1 });
  checker.appendAcknowledged(2, 5, 3, 3, disk);
  checker.appendAcknowledged(2, 5, 3, null, disk);
  checker.appendAcknowledged(2, 5, 1, 9, disk);
  rejects(() => checker.appendAcknowledged(2, 6, 3, 3, disk), /knows term 5/);
  rejects(() => checker.appendAcknowledged(2, 5, 4, 5, disk), /ends at 3/);
  rejects(() => checker.appendAcknowledged(2, 5, 3, 5, disk), /has term 3/);
});

test("S7 clients: OK without a quorum of durable copies is rejected", () => {
  const checker = new DurableBeforeAck();
  const has = diskOf({ term: 5, vote: 0, terms: [1, 5] });
  const other = diskOf({ term: 5, vote: 0, terms: [1, 4] });
  const lacks = diskOf({ term: 5, vote: 0, terms: [1] });
  checker.writeAcknowledged(2, 5, [has, has, lacks], 2);
  rejects(() => checker.writeAcknowledged(2, 5, [has, other, lacks], 2), /durable on 1, not 2/);
  rejects(() => checker.writeAcknowledged(2, 5, [], 2), /durable on 0/);
});

function diskOf(given: {
  term: number;
  vote: number;
  terms: number[];
  checkpointIndex?: number;
}): DurableView {
  return {
    term: given.term,
    vote: given.vote,
    checkpointIndex: given.checkpointIndex ?? 0,
    lastIndex: given.terms.length,
    termAt: (index) => given.terms[index - 1] ?? null,
  };
}

// ---- histories of clients -----------------------------------------------------------------------

function check(maker: HistoryMaker): void {
  const replay = maker.replay();
  checkAcknowledgedWrites(maker.history, replay);
  checkLinearizability(maker.history, replay);
}

test("a good history passes: writes, reads, unknown outcomes that took effect or did not", () => {
  const maker = new HistoryMaker();
  maker.skip();
  maker.put("a", "1");
  maker.get("a");
  const took = maker.call(putOf("a", "2"));
  maker.apply(took);
  maker.get("a");
  maker.call(putOf("a", "never"));
  maker.skip();
  const gone = maker.call(deleteOf("a"));
  maker.history.ok(gone, maker.apply(gone));
  const nothing = maker.call(deleteOf("a"));
  maker.history.ok(nothing, maker.apply(nothing));
  maker.refuse(maker.call(putOf("a", "refused")));
  maker.get("a");
  check(maker);
});

test("reads concurrent with a write may see either state, in one order", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const write = maker.call(putOf("a", "2"));
  const before = maker.call(getOf("a"));
  const old = maker.read(before);
  const reply = maker.apply(write);
  const after = maker.get("a");
  maker.history.ok(before, old);
  maker.history.ok(write, reply);
  assert.ok(after.calledAt < before.returnedAt);
  check(maker);
});

test("a lost acknowledged write is rejected", () => {
  const maker = new HistoryMaker();
  const lost = new HistoryMaker();
  maker.put("a", "1");
  const operation = maker.call(putOf("a", "2"));
  lost.apply(lost.call(putOf("a", "x")));
  maker.history.ok(operation, lost.apply(lost.call(putOf("a", "2"))));
  rejects(() => check(maker), /revision 3, which is lost/);
});

test("an acknowledged write whose revision another operation made is rejected", () => {
  const maker = new HistoryMaker();
  const first = maker.call(putOf("a", "1"));
  const second = maker.call(putOf("a", "2"));
  const reply = maker.apply(first);
  maker.apply(second);
  maker.history.ok(second, reply);
  rejects(() => check(maker), /made by another operation/);
});

test("a write applied twice is rejected", () => {
  const maker = new HistoryMaker();
  const operation = maker.put("a", "1");
  maker.apply(operation);
  rejects(() => check(maker), /applied 2 times/);
});

test("a write that was refused for certain and took effect is rejected", () => {
  const maker = new HistoryMaker();
  const operation = maker.call(putOf("a", "1"));
  maker.refuse(operation);
  maker.apply(operation);
  rejects(() => check(maker), /refused for certain/);
});

test("an entry that no client asked for is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const other = new HistoryMaker();
  maker.apply(other.call(putOf("a", "invented")));
  rejects(() => check(maker), /asked for by nobody/);
});

test("a stale read is rejected: it answers from before something that had returned", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const stale = maker.read(maker.call(getOf("a")));
  maker.put("a", "2");
  const operation = maker.call(getOf("a"));
  maker.history.ok(operation, stale);
  rejects(() => check(maker), /linearizability.*revision 2/);
});

test("two reads that see a write in the wrong order are rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const write = maker.call(putOf("a", "2"));
  const stale = maker.read(maker.call(getOf("a")));
  const reply = maker.apply(write);
  maker.get("a");
  maker.history.ok(maker.call(getOf("a")), stale);
  maker.history.ok(write, reply);
  rejects(() => check(maker), /linearizability/);
});

test("a stale read that says so (serializable) passes, with invented content it does not", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const stale = maker.read(maker.call(getOf("a")));
  maker.put("a", "2");
  maker.history.ok(maker.call(getOf("a"), true), stale);
  check(maker);
  const other = new HistoryMaker();
  other.put("a", "9");
  maker.history.ok(maker.call(getOf("a"), true), other.read(other.call(getOf("a"))));
  rejects(() => check(maker), /the twin holds/);
});

test("a read of a revision that never was is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const ahead = new HistoryMaker();
  ahead.put("a", "1");
  ahead.put("b", "1");
  maker.history.ok(maker.call(getOf("a")), ahead.read(ahead.call(getOf("a"))));
  rejects(() => check(maker), /never was/);
});

test("writes against real time are rejected: the later call got the smaller index", () => {
  const maker = new HistoryMaker();
  const late = maker.call(putOf("a", "late"));
  const reply = maker.apply(late);
  const early = maker.put("a", "early");
  assert.ok(early.returnedAt > late.calledAt);
  // The history claims that `late` was called only after `early` had returned.
  const claimed = maker.history.call(0, "m0", { ...late });
  maker.history.ok(claimed, reply);
  rejects(() => checkLinearizability(maker.history, maker.replay()), /linearizability/);
});
