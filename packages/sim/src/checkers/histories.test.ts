// Every checker of client histories accepts good ones and rejects one made by hand for each way in
// which its property can break.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureCode } from "@quorate/host";
import {
  CompactionRequest,
  Compare,
  CompareOperand,
  CompareTarget,
  KvError,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@quorate/kv";
import { latin1Encode } from "@quorate/base";
import { deleteOf, getOf, HistoryMaker, limits, putOf } from "../../test/history-maker.ts";
import { Outcome } from "../client/history.ts";
import { checkAcknowledgedWrites } from "./acknowledged-writes.ts";
import { checkCompaction } from "./compaction.ts";
import { checkFreshReads } from "./fresh-reads.ts";
import { checkLimits } from "./limits.ts";
import { checkLinearizability } from "./linearizability.ts";
import { checkPastRanges } from "./past-ranges.ts";
import { checkRevisions } from "./revisions.ts";
import { checkSerializableReads } from "./serializable-reads.ts";
import { checkTransactions } from "./transactions.ts";
import { Violation } from "./violation.ts";

function rejects(run: () => void, message: RegExp): void {
  assert.throws(run, (error) => error instanceof Violation && message.test(error.message));
}

function check(maker: HistoryMaker): void {
  const evidence = maker.evidence();
  checkAcknowledgedWrites(evidence);
  checkLinearizability(evidence);
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
  rejects(() => checkLinearizability(maker.evidence()), /linearizability/);
});

// ---- one property each --------------------------------------------------------------------------

const compactTo = (revision: number): CompactionRequest => new CompactionRequest({ revision });
const rangeOf = (fields: Partial<RangeRequest> = {}): RangeRequest =>
  new RangeRequest({ key: latin1Encode("a"), rangeEnd: latin1Encode("z"), ...fields });
/** If the key has been changed n times: put it and another one, and read both. */
const txnOf = (key: string, version: number, value: string, revision = 0): TxnRequest =>
  new TxnRequest({
    compare: [
      new Compare({
        key: latin1Encode(key),
        target: CompareTarget.Version,
        operand: CompareOperand.Version,
        number: version,
      }),
    ],
    success: [putOf(key, value), putOf(`${key}2`, value), rangeOf({ revision })],
    failure: [getOf(key)],
  });

/** The answer of another history, in which things went differently. */
function answerFrom(other: HistoryMaker, request: Parameters<HistoryMaker["does"]>[0]): Uint8Array {
  const { reply } = other.does(request);
  assert.ok(reply !== null);
  return reply;
}

function manyThings(): HistoryMaker {
  const maker = new HistoryMaker();
  for (let i = 0; i < 6; i++) maker.put("abc"[i % 3]!, String(i));
  maker.does(deleteOf("b"));
  maker.does(txnOf("c", 2, "6"));
  maker.does(txnOf("c", 2, "7"));
  maker.does(compactTo(5));
  maker.does(compactTo(5));
  maker.does(compactTo(99));
  for (const revision of [0, 1, 4, 5, 6, 8, 9, 10]) {
    maker.does(rangeOf({ revision }));
    maker.does(rangeOf({ revision }), true);
    maker.does(txnOf("c", 3, `at ${revision}`, revision));
  }
  maker.does(new TxnRequest({ compare: [], success: [rangeOf()], failure: [] }));
  return maker;
}

test("all checkers pass a history of many things, refusals among them", () => {
  const evidence = manyThings().evidence();
  assert.ok(evidence.answers.some(({ text }) => text === "error Compacted"));
  assert.ok(evidence.answers.some(({ text }) => text === "error FutureRevision"));
  for (const judged of [
    checkAcknowledgedWrites,
    checkCompaction,
    checkFreshReads,
    checkLimits,
    checkLinearizability,
    checkPastRanges,
    checkRevisions,
    checkSerializableReads,
    checkTransactions,
  ]) {
    judged(evidence);
  }
});

test("K1: one revision for two changes is rejected", () => {
  const maker = new HistoryMaker();
  const first = maker.put("a", "1");
  const second = maker.call(putOf("a", "2"));
  maker.apply(second);
  maker.history.ok(second, first.reply!);
  rejects(() => checkRevisions(maker.evidence()), /K1.*revision 2 was given to operations 0 and 1/);
});

test("K1: a revision not above what had been heard is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const early = maker.call(putOf("a", "2"));
  const reply = maker.apply(early);
  maker.put("a", "3");
  const late = maker.call(putOf("b", "4"));
  maker.apply(late);
  maker.history.ok(late, reply);
  rejects(() => checkRevisions(maker.evidence()), /K1.*made revision 3, and 4 had been heard/);
});

test("K1: two meanings of one revision, and impossible ones, are rejected", () => {
  const maker = new HistoryMaker();
  const other = new HistoryMaker();
  maker.put("a", "1");
  other.put("a", "9");
  maker.get("a");
  maker.history.ok(maker.call(getOf("a")), answerFrom(other, getOf("a")));
  rejects(() => checkRevisions(maker.evidence()), /K1.*version 1: "9", before it was.*"1"/);
  const late = new HistoryMaker();
  late.put("x", "1");
  late.put("a", "1");
  const read = late.call(rangeOf({ revision: 2 }));
  // A reply from revision 2 that shows a key changed at 3.
  late.history.ok(read, patched(late.read(late.call(getOf("a"))), [0x18, 3], [0x18, 2]));
  rejects(() => checkRevisions(late.evidence()), /K1.*changed 3.*at revision 2/);
});

/** The first place of these bytes gets others. */
function patched(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  const at = copy.findIndex((_, place) => from.every((byte, i) => copy[place + i] === byte));
  assert.ok(at >= 0);
  copy.set(to, at);
  return copy;
}

test("R1: a read from before something acknowledged is rejected, one that was called before is not", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const stale = maker.read(maker.call(getOf("a")));
  const early = maker.call(getOf("a"));
  maker.put("a", "2");
  maker.history.ok(early, stale);
  checkFreshReads(maker.evidence());
  maker.history.ok(maker.call(getOf("a"), true), stale);
  checkFreshReads(maker.evidence());
  maker.history.ok(maker.call(getOf("a")), stale);
  rejects(() => checkFreshReads(maker.evidence()), /R1.*from revision 2.*had heard 3/);
});

test("R2: an old state passes, a state that never was does not", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const stale = maker.read(maker.call(getOf("a")));
  maker.put("a", "2");
  maker.history.ok(maker.call(getOf("a"), true), stale);
  checkSerializableReads(maker.evidence());
  const other = new HistoryMaker();
  other.put("a", "9");
  maker.history.ok(maker.call(getOf("a"), true), answerFrom(other, getOf("a")));
  rejects(() => checkSerializableReads(maker.evidence()), /R2.*the twin holds/);
  const ahead = new HistoryMaker();
  for (const value of ["1", "2", "3"]) ahead.put("a", value);
  const late = new HistoryMaker();
  late.put("a", "1");
  late.history.ok(late.call(getOf("a"), true), answerFrom(ahead, getOf("a")));
  rejects(() => checkSerializableReads(late.evidence()), /R2.*never was/);
});

test("R2: a process that goes back is rejected, another process may be behind", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const stale = maker.read(maker.call(getOf("a")));
  maker.put("a", "2");
  const ask = (incarnation: string): ReturnType<HistoryMaker["call"]> => {
    const operation = maker.call(getOf("a"), true);
    operation.incarnation = incarnation;
    return operation;
  };
  const fresh = ask("m0#1");
  maker.history.ok(fresh, maker.read(fresh));
  maker.history.ok(ask("m1#1"), stale);
  maker.history.ok(ask("m0#2"), stale);
  checkSerializableReads(maker.evidence());
  maker.history.ok(ask("m0#1"), stale);
  rejects(() => checkSerializableReads(maker.evidence()), /R2.*revision 2 from m0#1.*had said 3/);
});

test("K2: refusals that nothing explains, and reads that should be refused, are rejected", () => {
  const refused = (revision: number, error: KvError): void => {
    const maker = manyThings();
    maker.refuseFor(maker.call(rangeOf({ revision })), error);
    checkCompaction(maker.evidence());
  };
  refused(4, KvError.Compacted);
  refused(99, KvError.FutureRevision);
  rejects(() => refused(5, KvError.Compacted), /K2.*at revision 5.*Compacted/);
  rejects(() => refused(0, KvError.Compacted), /K2/);
  rejects(() => refused(4, KvError.FutureRevision), /K2.*FutureRevision/);
  const maker = manyThings();
  maker.history.ok(maker.call(rangeOf({ revision: 4 })), maker.read(maker.call(rangeOf())));
  rejects(() => checkCompaction(maker.evidence()), /K2.*at revision 4.*compaction 5/);
});

test("K2: compactions answered wrongly are rejected", () => {
  const answered = (revision: number, error: KvError | null): void => {
    const maker = manyThings();
    const reply = manyThings().does(compactTo(7)).reply!;
    const operation = maker.call(compactTo(revision));
    if (error === null) maker.history.ok(operation, reply);
    else maker.refuseFor(operation, error);
    checkCompaction(maker.evidence());
  };
  answered(7, null);
  answered(5, KvError.Compacted);
  answered(50, KvError.FutureRevision);
  rejects(() => answered(5, null), /K2.*compaction \d+ to 5/);
  rejects(() => answered(50, null), /K2/);
  rejects(() => answered(6, KvError.Compacted), /K2/);
  rejects(() => answered(8, KvError.FutureRevision), /K2/);
});

test("K2: a key that a compaction swallowed is rejected, and so is one that came back", () => {
  const build = (): HistoryMaker => {
    const maker = new HistoryMaker();
    maker.put("a", "1");
    maker.put("b", "2");
    maker.does(deleteOf("b"));
    maker.put("c", "3");
    maker.does(compactTo(5));
    return maker;
  };
  const heard = (spoil: (other: HistoryMaker) => void): void => {
    const maker = build();
    const other = new HistoryMaker();
    spoil(other);
    maker.history.ok(maker.call(rangeOf()), answerFrom(other, rangeOf()));
    checkCompaction(maker.evidence());
  };
  heard((other) => {
    other.put("a", "1");
    other.put("b", "2");
    other.does(deleteOf("b"));
    other.put("c", "3");
  });
  rejects(
    () =>
      heard((other) => {
        other.put("x", "1");
        other.does(deleteOf("x"));
        other.put("y", "1");
        other.put("c", "3");
      }),
    /K2.*a changed 2 is lost/,
  );
  rejects(
    () =>
      heard((other) => {
        other.put("a", "1");
        other.put("b", "2");
        other.put("c", "2");
        other.put("c", "3");
      }),
    /K2.*b changed 3 should be gone/,
  );
});

test("K3: a past that never was is rejected, whatever the present is", () => {
  const maker = new HistoryMaker();
  const other = new HistoryMaker();
  for (const value of ["1", "2", "3"]) maker.put("a", value);
  for (const value of ["1", "9", "3"]) other.put("a", value);
  maker.does(rangeOf({ revision: 3 }));
  checkPastRanges(maker.evidence());
  maker.history.ok(
    maker.call(rangeOf({ revision: 3 })),
    answerFrom(other, rangeOf({ revision: 3 })),
  );
  rejects(() => checkPastRanges(maker.evidence()), /K3.*a=9.*a=2/);
});

test("K4: the other branch, half a transaction, and reads of another state are rejected", () => {
  const build = (value: string): HistoryMaker => {
    const maker = new HistoryMaker();
    maker.put("a", value);
    return maker;
  };
  const heard = (other: HistoryMaker, asked: TxnRequest, version: number): void => {
    const maker = build("1");
    const operation = maker.call(txnOf("a", version, "2"));
    maker.apply(operation);
    maker.history.ok(operation, answerFrom(other, asked));
    checkTransactions(maker.evidence());
  };
  heard(build("1"), txnOf("a", 1, "2"), 1);
  rejects(() => heard(build("1"), txnOf("a", 7, "2"), 1), /K4.*txn false.*twin says/);
  rejects(() => heard(build("1"), txnOf("a", 1, "2", 2), 1), /K4/);
  rejects(() => heard(build("9"), txnOf("a", 7, "2"), 7), /K4.*a=9.*a=1/);
  const reading = new TxnRequest({ compare: [], success: [rangeOf()], failure: [] });
  const maker = build("1");
  maker.history.ok(maker.call(reading), answerFrom(build("9"), reading));
  rejects(() => checkTransactions(maker.evidence()), /K4.*a=9.*a=1/);
});

test("K5: what is refused by a limit was above it and is not in the log, and nothing above it passes", () => {
  const build = (bytes: number, end: (maker: HistoryMaker, put: PutRequest) => void): void => {
    const maker = new HistoryMaker();
    end(maker, new PutRequest({ key: latin1Encode("a"), value: new Uint8Array(bytes - 6) }));
    assert.equal(maker.history.operations[0]!.bytes.length, bytes);
    checkLimits(maker.evidence());
  };
  const max = limits.requestBytesMax;
  const tooLarge = (maker: HistoryMaker, put: PutRequest): void =>
    maker.refuse(maker.call(put), FailureCode.TooLarge);
  build(max, (maker, put) => void maker.does(put));
  build(max + 1, tooLarge);
  build(max + 1, (maker, put) => maker.refuse(maker.call(put), FailureCode.NoLeader));
  rejects(() => build(max, tooLarge), /K5.*1000 bytes/);
  rejects(() => build(max + 1, (maker, put) => void maker.does(put)), /K5.*1001 bytes/);
  rejects(
    () => build(max + 1, (maker, put) => void maker.apply(maker.call(put))),
    /K5.*the entry at 1 exceeds a limit/,
  );
  rejects(
    () =>
      build(max, (maker, put) => {
        const operation = maker.call(put);
        maker.apply(operation);
        maker.refuse(operation, FailureCode.TooManyRequests);
      }),
    /K5.*refused by a limit and is in the log at 1/,
  );
});

test("K5: the number of operations counts along the longest way into a transaction", () => {
  const wide = (count: number): TxnRequest =>
    new TxnRequest({
      success: Array.from({ length: count }, (_, i) => putOf(`k${i}`, "x")),
    });
  const nested = (count: number): TxnRequest =>
    new TxnRequest({ success: [wide(1), wide(count)], failure: [getOf("a")] });
  const asked = (request: TxnRequest, answer: (maker: HistoryMaker) => void): void => {
    const maker = new HistoryMaker();
    maker.call(request);
    answer(maker);
    checkLimits(maker.evidence());
  };
  const applied = (maker: HistoryMaker): void => {
    const operation = maker.history.operations[0]!;
    maker.history.ok(operation, maker.apply(operation));
  };
  const refused = (maker: HistoryMaker): void =>
    maker.refuseFor(maker.history.operations[0]!, KvError.TooManyOps);
  asked(wide(limits.txnOpsMax), applied);
  asked(wide(limits.txnOpsMax + 1), refused);
  asked(nested(limits.txnOpsMax - 2), applied);
  asked(nested(limits.txnOpsMax - 1), refused);
  rejects(() => asked(wide(limits.txnOpsMax), refused), /K5.*of 8 operations/);
  rejects(() => asked(nested(limits.txnOpsMax - 2), refused), /K5/);
  rejects(() => asked(nested(limits.txnOpsMax - 1), applied), /K5.*of 9 operations/);
});

test("a request may be in the log as often as it was asked for and not refused, no more", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  for (let i = 0; i < 2; i++) maker.apply(maker.call(deleteOf("a")));
  checkAcknowledgedWrites(maker.evidence());
  const refused = maker.call(deleteOf("a"));
  maker.refuse(refused);
  maker.apply(refused);
  assert.equal(refused.outcome, Outcome.NotCommitted);
  rejects(() => checkAcknowledgedWrites(maker.evidence()), /committed 2 times was applied 3 times/);
});
