// Every checker accepts good histories and rejects a bad one made by hand for each way in which its
// property can break. A checker that rejects nothing is worse than none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommittedEntry, CommittedLog } from "./committed-log.ts";
import { checkDamageTaken } from "./damaged-frames.ts";
import { DamageStops } from "./damage-stops.ts";
import { DigestEquality } from "./digest-equality.ts";
import { DurableBeforeAck, holdsEntry, type DurableView } from "./durable-before-ack.ts";
import { checkStampBound, checkStampOrder, type StampedEntry } from "./entry-stamps.ts";
import { ElectionSafety } from "./election-safety.ts";
import { FrontierOrder } from "./frontiers.ts";
import { LeaderCompleteness, type LeaderLog } from "./leader-completeness.ts";
import { LogMatching } from "./log-matching.ts";
import { allStream, checkTermGrowth } from "./no-livelock.ts";
import { checkSecondProcess, type SecondProcess } from "./one-process.ts";
import { OneGenesis } from "./one-genesis.ts";
import { checkRecovery } from "./recovery-keeps.ts";
import { checkDeadProcess, checkStranger, checkTermIsOwn, strangersTerm } from "./strangers.ts";
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

test("P11 entry stamps: one below the entry before, or above what a quorum's clocks allow", () => {
  const at = (index: number, wallMs: number): StampedEntry => ({ index, term: 1, wallMs });
  checkStampOrder(at(1, 50), at(2, 50));
  rejects(() => checkStampOrder(at(1, 50), at(2, 49)), /entry 2 of term 1, 49 is below/);
  // Two of three clocks have told theirs at least: the greatest one alone decides nothing.
  const three = { clocks: [1_000, 900_000_000, 2_000], quorum: 2, highestBefore: 0 };
  checkStampBound(at(1, 3_000), three);
  rejects(() => checkStampBound(at(1, 4_000), three), /above what the voters' clocks allow, 3100/);
  // Of five at least three are known, and two of these are not below their lower median.
  const clocks = [1_000, 900_000_000, 1_000, 2_000, 1_000];
  const five = { clocks, quorum: 3, highestBefore: 0 };
  checkStampBound(at(1, 3_000), five);
  rejects(() => checkStampBound(at(1, 900_000_000), five), /above/);
  // A cluster of one has its own clock only.
  const one = { clocks: [1_000], quorum: 1, highestBefore: 0 };
  checkStampBound(at(1, 2_000), one);
  rejects(() => checkStampBound(at(1, 2_200), one), /above/);
  // What a wrong clock has put into a log once stays there, and goes no higher.
  checkStampBound(at(2, 50_000), { ...three, highestBefore: 50_000 });
  rejects(() => checkStampBound(at(2, 50_001), { ...three, highestBefore: 50_000 }), /above/);
});

test("one process per directory: what goes on, ends otherwise, or changes anything is rejected", () => {
  const good: SecondProcess = {
    alive: false,
    exitCode: 75,
    reason: "in use",
    diskOperations: [],
    firstAlive: true,
  };
  checkSecondProcess("m1#1 second 1", good);
  rejects(() => checkSecondProcess("x", { ...good, alive: true }), /goes on beside/);
  rejects(() => checkSecondProcess("x", { ...good, exitCode: 64 }), /ended with 64, not 75/);
  rejects(() => checkSecondProcess("x", { ...good, exitCode: null }), /ended with null/);
  rejects(() => checkSecondProcess("x", { ...good, diskOperations: ["write /a"] }), /write \/a/);
  rejects(() => checkSecondProcess("x", { ...good, firstAlive: false }), /has ended with it/);
});

test("strangers: let in, refused for a wrong reason, or stepped, are rejected; silence is not", () => {
  checkStranger("m1", "another cluster", { letIn: false, refusal: 2 }, [2]);
  checkStranger("m1", "another cluster", { letIn: false, refusal: 0 }, [2]);
  rejects(() => checkStranger("m1", "x", { letIn: true, refusal: 0 }, [2]), /m1 let in: x/);
  rejects(() => checkStranger("m1", "x", { letIn: false, refusal: 3 }, [2]), /with 3, not 2: x/);
  rejects(() => checkStranger("m1", "noise", { letIn: false, refusal: 3 }, []), /with 3/);
  checkTermIsOwn("m1", 1_000_000);
  rejects(() => checkTermIsOwn("m1", strangersTerm + 5), /of a stranger/);
  checkDeadProcess("m1", { letIn: false, refusal: 9 });
  rejects(() => checkDeadProcess("m1", { letIn: true, refusal: 0 }), /knows to be dead/);
});

test("damaged frames: a receiver that goes on reading is rejected, one that has refused is not", () => {
  checkDamageTaken("m1#1", bytesOf(0, 0, 0, 0, 2, 0));
  rejects(() => checkDamageTaken("m1#1", bytesOf(0, 0, 0, 0, 16, 0)), /m1#1 took a damaged send/);
  rejects(() => checkDamageTaken("m1#1", null), /goes on reading/);
});

test("damage stops: whatever is said after the finding is rejected, before it or by others it is not", () => {
  const checker = new DamageStops();
  checker.answered("m0", "m0#1", "answers a client");
  checker.lost("m0#1", "row 14");
  // Its promises are whole.
  checker.promised("m0", "m0#1", "grants a vote");
  checker.answered("m1", "m1#1", "answers a client");
  rejects(
    () => checker.answered("m0", "m0#1", "answers a client"),
    /m0#1 answers .* found: row 14/,
  );
  checker.rebuilt("m0#1");
  checker.answered("m0", "m0#1", "answers a client");
  checker.foundInMember("m2", "row 6");
  checker.promised("m0", "m0#2", "acknowledges");
  rejects(
    () => checker.promised("m2", "m2#1", "acknowledges"),
    /m2#1 acknowledges .* found: row 6/,
  );
  rejects(() => checker.answered("m2", "m2#9", "answers a client"), /m2#9 answers .* row 6/);
});

test("recovery: less than was durable, in term, vote or log, is rejected, more is not", () => {
  const before = diskOf({ term: 5, vote: 2, terms: [1, 5] });
  const check = (now: DurableView): void => checkRecovery("m0", before, now);
  check(before);
  check(diskOf({ term: 5, vote: 2, terms: [1, 5, 5] }));
  check(diskOf({ term: 6, vote: 0, terms: [1, 5] }));
  check(diskOf({ term: 5, vote: 2, terms: [], checkpointIndex: 2 }));
  rejects(() => check(diskOf({ term: 4, vote: 2, terms: [1, 5] })), /knows term 4 vote 2/);
  rejects(() => check(diskOf({ term: 5, vote: 3, terms: [1, 5] })), /knows term 5 vote 3/);
  rejects(() => check(diskOf({ term: 5, vote: 2, terms: [1] })), /entry 2 of term 5 .* ends at 1/);
  rejects(() => check(diskOf({ term: 5, vote: 2, terms: [1, 4] })), /has term 4 there/);
  // A later leader's entry may have taken its place, and then what stood behind it is gone too.
  check(diskOf({ term: 6, vote: 0, terms: [6] }));
  check(diskOf({ term: 6, vote: 0, terms: [1, 6, 6] }));
  rejects(() => check(diskOf({ term: 6, vote: 0, terms: [] })), /entry 1 of term 1 .* ends at 0/);
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

test("S7 appends: an acknowledgement that waited may speak of what was replaced, not of what never was", () => {
  const checker = new DurableBeforeAck();
  const disk = { ...diskOf({ term: 5, vote: 0, terms: [1, 1, 3] }), lastIndexMax: 4 };
  checker.appendAcknowledged(2, 4, 4, 4, disk);
  rejects(() => checker.appendAcknowledged(2, 5, 4, null, disk), /ends at 3/);
  rejects(() => checker.appendAcknowledged(2, 4, 5, null, disk), /never went beyond 4/);
});

test("S7 clients: OK without a quorum of durable copies is rejected", () => {
  const checker = new DurableBeforeAck();
  const has = diskOf({ term: 5, vote: 0, terms: [1, 5] });
  const other = diskOf({ term: 5, vote: 0, terms: [1, 4] });
  const lacks = diskOf({ term: 5, vote: 0, terms: [1] });
  const conf = (voters: number[], votersOutgoing: number[] = []) => ({ voters, votersOutgoing });
  const said = (disks: DurableView[], ...confs: ReturnType<typeof conf>[]): void => {
    const holds = (id: number): boolean => holdsEntry(disks[id]!, 2, 5);
    checker.writeAcknowledged(2, 5, confs, () => holds);
  };
  said([has, has, lacks], conf([0, 1, 2]));
  rejects(() => said([has, other, lacks], conf([0, 1, 2])), /durable on 1 of 3, no quorum/);
  rejects(() => said([lacks, lacks], conf([0, 1])), /durable on 0 of 2/);
  // Both halves of a joint one; or one of the configurations since then.
  rejects(() => said([has, has, lacks, lacks], conf([0, 1, 2], [1, 2, 3])), /no quorum/);
  said([has, has, lacks, lacks], conf([1, 2, 3]), conf([0, 1]));
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
    lastIndexMax: given.terms.length,
    termAt: (index) => given.terms[index - 1] ?? null,
  };
}

test("L5: terms that go on and on, and a follower that is only probed, are rejected", () => {
  checkTermGrowth(7, 10);
  rejects(() => checkTermGrowth(7, 11), /from 7 to 11/);
  const fed = (raftId: number, streams: boolean): { raftId: number; streams: boolean } => ({
    raftId,
    streams,
  });
  assert.equal(allStream(1, [1, 2, 3], [fed(2, true), fed(3, true)]), true);
  assert.equal(allStream(1, [1, 2], [fed(2, true), fed(3, false)]), true);
  assert.equal(allStream(1, [1, 2, 3], [fed(2, true), fed(3, false)]), false);
  assert.equal(allStream(1, [1, 2, 3], [fed(2, true)]), false);
});
