// Linearizability by search accepts good histories and rejects one made by hand for each way in which
// a store can lie; and on thousands of tiny histories it agrees with a look at every order there is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode, must } from "@quorate/base";
import { FailureCode } from "@quorate/host";
import {
  CompactionRequest,
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  type OpType,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@quorate/kv";
import { deleteOf, getOf, HistoryMaker, putOf } from "../../test/history-maker.ts";
import { type ClientOperation, type ClientRequest, Outcome } from "../client/history.ts";
import { KvModel } from "../model/kv-model.ts";
import { replyText } from "../model/reply-text.ts";
import type { SimRandom } from "../sim-random.ts";
import { World } from "../world.ts";
import { checkBlackBox, type SearchTotals } from "./black-box.ts";
import { isLogged } from "./evidence.ts";
import { Violation } from "./violation.ts";

function accepts(maker: HistoryMaker): SearchTotals {
  return checkBlackBox(maker.history);
}

function rejects(maker: HistoryMaker, message: RegExp): void {
  const search = (): void => void checkBlackBox(maker.history);
  assert.throws(search, (error) => error instanceof Violation && message.test(error.message));
}

const everything = new RangeRequest({ key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") });
const rangeOf = (from: string, end: string, revision = 0): RangeRequest =>
  new RangeRequest({ key: latin1Encode(from), rangeEnd: latin1Encode(end), revision });

/** Puts the value if the key has this mod revision; reads keys now and in the past. */
function swap(key: string, main: number, value: string, past = 0): TxnRequest {
  const { Mod: target } = CompareTarget;
  const { Mod: operand } = CompareOperand;
  const compare = [new Compare({ key: latin1Encode(key), target, operand, number: main })];
  const success = [putOf(key, value), getOf(key), rangeOf("a", "z", past)];
  return new TxnRequest({ compare, success, failure: [getOf(key)] });
}

/** What a store that went through these changes says to a request. */
function saidBy(changes: readonly ClientRequest[], request: ClientRequest): Uint8Array {
  const other = new HistoryMaker();
  for (const change of changes) other.does(change);
  return must(other.answer(other.call(request)).bytes, "an answer");
}

/** Hears what another store says. */
function hears(
  maker: HistoryMaker,
  request: ClientRequest,
  changes: readonly ClientRequest[],
  serializable = false,
): void {
  maker.history.ok(maker.call(request, serializable), saidBy(changes, request));
}

// ---- good ones ------------------------------------------------------------------------------------

test("a good history of writes, deletes, ranges and transactions is accepted, each part by itself", () => {
  const maker = new HistoryMaker();
  for (const key of ["a", "b", "x", "y"]) maker.put(key, `${key}1`);
  maker.does(swap("a", 2, "a2", 3));
  maker.does(swap("a", 2, "a3", 3));
  maker.does(new DeleteRangeRequest({ key: latin1Encode("x"), prevKv: true }));
  maker.put("x", "x3");
  maker.does(rangeOf("a", "c"));
  maker.does(rangeOf("a", "c", 3), true);
  maker.does(new CompactionRequest({ revision: 4 }));
  maker.does(everything);
  maker.get("never put");
  const { partitions, operations } = accepts(maker);
  // All that a range of the past named together, a to y; and what names no key that ever was.
  assert.equal(partitions, 2);
  assert.equal(operations, 13);
});

test("unknown outcomes: one took effect late, one never did, and one of two equal ones", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const late = maker.call(putOf("a", "2"));
  maker.call(putOf("a", "never"));
  const deletes = [maker.call(deleteOf("a")), maker.call(deleteOf("a"))];
  maker.get("a");
  maker.put("b", "1");
  maker.apply(late);
  maker.get("a");
  maker.apply(deletes[1]!);
  maker.get("a");
  maker.put("a", "3");
  accepts(maker);
});

test("a transaction of unknown outcome went the way that explains the rest", () => {
  for (const main of [2, 7]) {
    const maker = new HistoryMaker();
    maker.put("a", "1");
    const request = swap("a", main, "2");
    request.failure = [putOf("b", "2")];
    maker.apply(maker.call(request));
    maker.put("c", "1");
    accepts(maker);
    maker.does(everything);
    accepts(maker);
  }
});

test("a transaction that compares and then reads everything is judged by all keys together", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  maker.put("b", "1");
  const both = (main: number): TxnRequest => {
    const request = swap("a", main, "unused");
    return Object.assign(request, { success: [everything], failure: [getOf("b")] });
  };
  maker.does(both(2));
  maker.put("a", "2");
  maker.does(both(2));
  const { partitions } = accepts(maker);
  assert.equal(partitions, 2);
  hears(maker, both(2), [putOf("a", "1"), putOf("b", "1"), putOf("b", "2")]);
  rejects(maker, /by search: the partition of a, b/);
});

test("reads while a write is under way see either state, and a serializable one may be old", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const put = maker.call(putOf("a", "2"));
  hears(maker, getOf("a"), [putOf("a", "1")]);
  const reply = maker.apply(put);
  maker.get("a");
  maker.history.ok(put, reply);
  hears(maker, getOf("a"), [putOf("a", "1")], true);
  accepts(maker);
});

// ---- bad ones -------------------------------------------------------------------------------------

test("a stale read is rejected, one that was called before the write is not", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const early = maker.call(getOf("a"));
  const stale = maker.read(early);
  maker.put("a", "2");
  maker.history.ok(early, stale);
  accepts(maker);
  maker.history.ok(maker.call(getOf("a"), true), stale);
  accepts(maker);
  maker.history.ok(maker.call(getOf("a")), stale);
  rejects(maker, /by search: the counter of revisions: operation 4 is at 2, and 2, .* at 3/);
});

test("a stale read that claims the present revision is rejected, too", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  maker.put("a", "2");
  hears(maker, getOf("a"), [putOf("a", "1"), putOf("z", "1")]);
  rejects(maker, /by search: the partition of a .*no order/);
});

test("reads that go backwards are rejected: the new state was seen, and then the old one", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const put = maker.call(putOf("a", "2"));
  maker.apply(put);
  maker.get("a");
  accepts(maker);
  hears(maker, getOf("a"), [putOf("a", "1")]);
  rejects(maker, /by search: the counter of revisions/);
});

test("a lost update is rejected: two transactions saw the same and both wrote", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const swaps = ["2", "3"].map((value) => maker.call(swap("a", 2, value)));
  maker.history.ok(swaps[0]!, maker.apply(swaps[0]!));
  const alone = saidBy([putOf("a", "1"), putOf("z", "1")], swap("a", 2, "3"));
  maker.history.ok(swaps[1]!, alone);
  rejects(maker, /by search: .*partition of a/);
});

test("a write that was acknowledged and lost is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  maker.put("b", "1");
  hears(maker, getOf("b"), [putOf("a", "1"), putOf("a", "2")]);
  rejects(maker, /by search: the partition of b/);
});

test("a write that took effect twice is rejected, acknowledged or not", () => {
  const [one, two] = [putOf("a", "1"), putOf("a", "2")];
  const acknowledged = new HistoryMaker();
  acknowledged.does(one);
  acknowledged.does(two);
  hears(acknowledged, getOf("a"), [one, two, one]);
  rejects(acknowledged, /by search: the counter of revisions: nothing .* revision 4/);

  const unknown = new HistoryMaker();
  const first = unknown.call(one);
  unknown.apply(first);
  unknown.get("a");
  unknown.does(two);
  unknown.apply(first);
  unknown.get("a");
  rejects(unknown, /by search: a: one put is seen at revisions 2 and 4/);
});

test("a delete that took effect twice is rejected: the second one has no author", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const gone = maker.call(deleteOf("a"));
  maker.apply(gone);
  maker.put("a", "2");
  accepts(maker);
  maker.apply(gone);
  maker.get("a");
  rejects(maker, /by search: the counter of revisions: nothing .* revision 5/);
});

test("a write that is seen before it was called is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("b", "1");
  hears(maker, getOf("a"), [putOf("b", "1"), putOf("a", "1")]);
  maker.put("a", "1");
  rejects(maker, /by search: the counter of revisions/);

  // Nor one whose outcome nobody heard.
  const unknown = new HistoryMaker();
  hears(unknown, getOf("a"), [putOf("a", "1")]);
  unknown.call(putOf("a", "1"));
  rejects(unknown, /by search: operation 1 is seen at revision 2, which was over before/);
});

test("a transaction whose compare failed and that wrote is rejected, and the other way round", () => {
  const changes = [putOf("a", "1"), putOf("a", "2")];
  const failed = new HistoryMaker();
  for (const change of changes) failed.does(change);
  hears(failed, swap("a", 2, "3"), changes);
  accepts(failed);
  hears(failed, getOf("a"), [...changes, putOf("a", "3")]);
  rejects(failed, /by search/);

  const wrongly = new HistoryMaker();
  for (const change of changes) wrongly.does(change);
  hears(wrongly, swap("a", 2, "3"), [putOf("a", "1"), putOf("z", "2")]);
  rejects(wrongly, /by search: the partition of a/);

  // Nor does one of unknown outcome write when its compare did not hold.
  const unknown = new HistoryMaker();
  for (const change of changes) unknown.does(change);
  unknown.call(swap("a", 2, "3"));
  hears(unknown, getOf("a"), [...changes, putOf("a", "3")]);
  rejects(unknown, /by search: the partition of a/);
});

test("a write of unknown outcome that appears and vanishes is rejected", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  const unknown = maker.call(putOf("a", "2"));
  maker.apply(unknown);
  maker.get("a");
  accepts(maker);
  maker.does(putOf("b", "1"));
  hears(maker, getOf("a"), [putOf("a", "1"), putOf("z", "1"), putOf("b", "1")]);
  rejects(maker, /by search: the partition of a/);
});

test("a phantom is rejected: a write that was refused for certain and is seen", () => {
  for (const read of [getOf("b"), everything, rangeOf("a", "z")]) {
    const maker = new HistoryMaker();
    maker.put("a", "1");
    const refused = maker.call(putOf("b", "1"));
    maker.refuse(refused, FailureCode.NoLeader);
    maker.apply(refused);
    maker.does(read);
    rejects(maker, /by search: the counter of revisions: nothing .* revision 3/);
  }
});

test("two keys that are written together and seen apart are rejected", () => {
  const maker = new HistoryMaker();
  const both = (value: string): TxnRequest =>
    new TxnRequest({ success: [putOf("a", value), putOf("b", value)] });
  maker.does(both("1"));
  maker.does(both("2"));
  hears(maker, rangeOf("a", "c"), [both("1"), putOf("a", "2")]);
  rejects(maker, /by search: .*partition of a, b/);
});

test("revisions in headers are one counter for all keys, whatever the partitions say", () => {
  const maker = new HistoryMaker();
  maker.put("a", "1");
  maker.put("b", "1");
  hears(maker, getOf("nothing"), [putOf("a", "1")]);
  rejects(maker, /by search: the counter of revisions/);

  const twice = new HistoryMaker();
  twice.put("a", "1");
  hears(twice, putOf("b", "1"), []);
  rejects(twice, /by search: revision 2 is that of operation 1 and of 0/);
});

test("a past state and a serializable one that never were are rejected", () => {
  const changes = [putOf("a", "1"), putOf("b", "1")];
  for (const [request, serializable] of [
    [rangeOf("a", "z", 2), false],
    [rangeOf("a", "z"), true],
  ] as const) {
    const maker = new HistoryMaker();
    for (const change of changes) maker.does(change);
    maker.does(request, serializable);
    accepts(maker);
    hears(maker, request, changes.toReversed().slice(0, serializable ? 1 : 2), serializable);
    rejects(maker, /by search: /);
  }
});

test("deletes say what was there: another count or another value before is rejected", () => {
  const changes = [putOf("a", "1"), putOf("b", "1")];
  const all = new DeleteRangeRequest({ key: latin1Encode("a"), rangeEnd: latin1Encode("z") });
  const before = new DeleteRangeRequest({ key: latin1Encode("a"), prevKv: true });
  for (const [request, others] of [
    [all, [putOf("a", "1"), putOf("a", "2")]],
    [before, [putOf("a", "9"), putOf("b", "1")]],
  ] as const) {
    const maker = new HistoryMaker();
    for (const change of changes) maker.does(change);
    hears(maker, request, others);
    rejects(maker, /by search: the partition of a/);
  }
});

test("beyond its limits the search fails, and says that it is the design's fault", () => {
  const maker = new HistoryMaker();
  for (const value of ["1", "2", "3"]) maker.put("a", value);
  const limited = (operationsMax: number, statesMax: number) => () =>
    void checkBlackBox(maker.history, new Map(), { operationsMax, statesMax });
  limited(3, 100)();
  assert.throws(limited(2, 100), /search: design.*has 3 operations/);
  assert.throws(limited(3, 1), /search: design.*not decided after 2 states/);
});

// ---- every order there is -------------------------------------------------------------------------

/** Orders of all that was heard, and of any of the rest, in which the naive twin says what was heard. */
function hasOrder(
  operations: readonly ClientOperation[],
  before: readonly ClientOperation[],
): boolean {
  if (operations.every(({ outcome }) => outcome !== Outcome.Ok)) return true;
  return operations.some((operation) => {
    const rest = operations.filter((other) => other !== operation);
    if (rest.some(({ returnedAt }) => returnedAt < operation.calledAt)) return false;
    const twin = new KvModel();
    for (const { request } of before.filter(isLogged)) twin.apply(request);
    const text = isLogged(operation)
      ? twin.apply(operation.request)
      : twin.readAt(operation.request as RangeRequest, twin);
    const heard = operation.outcome === Outcome.Ok;
    if (heard && text !== replyText(operation.kind, operation.reply!).text) return false;
    return hasOrder(rest, [...before, operation]);
  });
}

function drawRequest(random: SimRandom, id: number): ClientRequest {
  const key = latin1Encode(random.pick(["a", "b"]));
  const draw = random.below(12);
  const prevKv = random.chance(0.3);
  if (draw < 4) return new PutRequest({ key, value: latin1Encode(`v${id}`), prevKv });
  if (draw < 6) return new DeleteRangeRequest({ key, prevKv });
  if (draw < 8) return new RangeRequest({ key });
  if (draw < 9) return rangeOf("a", "c");
  const compare = random.chance(0.5)
    ? new Compare({
        key,
        target: CompareTarget.Version,
        operand: CompareOperand.Version,
        result: random.pick([CompareResult.Equal, CompareResult.Greater]),
        number: random.below(2),
      })
    : new Compare({
        key,
        target: CompareTarget.Mod,
        operand: CompareOperand.Mod,
        result: random.pick([CompareResult.Less, CompareResult.Greater]),
        number: random.between(1, 4),
      });
  const success = [putOf("a", `t${id}`), new RangeRequest({ key })];
  const failure = random.chance(0.5) ? [deleteOf("b")] : [new RangeRequest({ key })];
  return new TxnRequest({ compare: [compare], success, failure });
}

/** A right history of clients that overlap, some of which hear nothing; half of them then spoiled. */
function drawHistory(random: SimRandom): HistoryMaker {
  const maker = new HistoryMaker();
  const open: { operation: ClientOperation; reply: Uint8Array | null; isUnheard: boolean }[] = [];
  let left = random.between(2, 6);
  while (left > 0 || open.length > 0) {
    const draw = random.below(3);
    if (draw === 0 && left > 0 && open.length < 4) {
      left--;
      const operation = maker.call(drawRequest(random, left));
      open.push({ operation, reply: null, isUnheard: random.chance(0.25) });
    } else if (open.length > 0) {
      const at = random.below(open.length);
      const { operation, reply, isUnheard } = open[at]!;
      if (reply === null && !(isUnheard && random.chance(0.4))) {
        open[at]!.reply = isLogged(operation) ? maker.apply(operation) : maker.read(operation);
        if (isLogged(operation) && random.chance(0.04)) maker.apply(operation);
        continue;
      }
      open.splice(at, 1);
      if (isUnheard) maker.history.failed(operation, null);
      else if (random.chance(0.04)) maker.refuse(operation);
      else maker.history.ok(operation, reply!);
    }
  }
  if (random.chance(0.8)) spoil(random, maker);
  return maker;
}

/** Two that asked for the same kind of thing hear each other's answer. */
function spoil(random: SimRandom, { history }: HistoryMaker): void {
  const typeOf = ({ request }: ClientOperation): string =>
    JSON.stringify([
      (request as { type?: OpType }).type,
      request instanceof TxnRequest ? request.failure[0]!.type : 0,
    ]);
  const heard = history.operations.filter(({ outcome }) => outcome === Outcome.Ok);
  if (heard.length < 2) return;
  const one = random.pick(heard);
  const other = random.pick(heard);
  if (typeOf(one) !== typeOf(other)) return;
  [one.reply, other.reply] = [other.reply, one.reply];
}

test("3,000 tiny histories: the search, whatever it is advised, and every order there is agree", () => {
  const verdicts = { yes: 0, no: 0 };
  for (let seed = 0; seed < 3_000; seed++) {
    const maker = drawHistory(new World(seed).random("history"));
    const asked = maker.history.operations.filter(
      ({ outcome }) => outcome !== Outcome.NotCommitted,
    );
    const expected = hasOrder(asked, []);
    // Advice, good or bad, changes no verdict.
    const advice = new World(seed).random("advice");
    const likely = new Map(asked.map((operation) => [operation, advice.between(1, 6)]));
    let said = "";
    try {
      checkBlackBox(maker.history, likely);
    } catch (error) {
      assert.ok(error instanceof Violation, String(error));
      said = error.message;
    }
    assert.equal(said === "", expected, `seed ${seed}: ${said}`);
    verdicts[expected ? "yes" : "no"]++;
  }
  assert.ok(verdicts.yes > 1_000 && verdicts.no > 300, JSON.stringify(verdicts));
});
