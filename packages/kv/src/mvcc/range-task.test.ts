// Method: a range in slices beside the same range at once, with writes, deletes and compactions between the
// slices. Goal: equal bytes, those of the moment at which it began; an end in every way.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode, Prng } from "@quorate/base";
import { nobody } from "../auth/identity.ts";
import { KvError } from "../kv-error.ts";
import { KvState } from "../kv-state.ts";
import { OperationKind } from "../operation.ts";
import { Member, term } from "../test/member.ts";
import { Request } from "../test/requests.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import { encodeRangeRequest } from "../wire/encode-request.ts";
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
} from "../wire/request.ts";

const b = latin1Encode;
const rowsAtOnce = 10;

function put(member: Member, key: string, value: string): void {
  const request = new PutRequest({ key: b(key), value: b(value) });
  equal(member.handle(new Request(OperationKind.Put, request)).error, KvError.None);
}

function filled(keys: number, bytes: number = 1): Member {
  const member = new Member(new MemoryRows());
  for (let n = 0; n < keys; n += 1) put(member, `k${100_000 + n}`, "v".repeat(bytes));
  return member;
}

const all = { key: b("k"), rangeEnd: b("l") };

function begin(member: Member, fields: ConstructorParameters<typeof RangeRequest>[0] = {}) {
  const bytes = encodeRangeRequest(new RangeRequest({ ...all, ...fields }));
  const whole = member.kv.range(bytes, term, nobody);
  return { whole, task: member.kv.largeRange(bytes, term, nobody, rowsAtOnce) };
}

test("in slices it is what it was at its beginning, whatever is written, deleted and compacted meanwhile", () => {
  const prng = new Prng(7);
  for (let round = 0; round < 14; round += 1) {
    const member = filled(200);
    for (let n = 0; n < 100; n += 1) put(member, `k${100_000 + prng.below(200)}`, `w${n}`);
    const requests = [
      {},
      { keysOnly: true },
      { limit: 50 },
      { limit: 500 },
      { revision: 150 },
      { key: b("k100050"), rangeEnd: b("\0") },
      { sortOrder: SortOrder.Ascend, sortTarget: SortTarget.Key },
    ];
    const { whole, task } = begin(member, requests[round % requests.length]);
    ok(task !== null);
    while (!task.step(1 + prng.below(30))) {
      put(member, `k${100_000 + prng.below(300)}`, "later");
      const gone = new DeleteRangeRequest({ key: b(`k${100_000 + prng.below(200)}`) });
      member.handle(new Request(OperationKind.DeleteRange, gone));
      const { revision } = member.kv;
      member.handle(new Request(OperationKind.Compact, new CompactionRequest({ revision })));
      member.kv.compactStep(1000);
    }
    deepEqual([task.error, task.stale], [KvError.None, false]);
    deepEqual(task.bytes, whole.bytes);
    member.kv.compactStep(1e6);
    equal(member.kv.compacted, true, "nothing is held any more");
  }
});

test("what is small, sorted, counted, filtered, of one key, or refused is not read in slices", () => {
  const member = filled(30);
  const { revision } = member.kv;
  member.handle(new Request(OperationKind.Compact, new CompactionRequest({ revision: 10 })));
  for (const fields of [
    { rangeEnd: b("") },
    { limit: rowsAtOnce },
    { rangeEnd: b("k100010") },
    { countOnly: true },
    { sortOrder: SortOrder.Descend },
    { sortTarget: SortTarget.Mod },
    { minModRevision: 3 },
    { revision: revision + 1 },
    { revision: 5 },
    { key: b("") },
  ]) {
    equal(begin(member, fields).task, null, JSON.stringify(fields));
  }
  ok(begin(member, { rangeEnd: b("k100011") }).task !== null);
  equal(member.kv.largeRange(Uint8Array.of(0x0a, 5), term, nobody, 1), null);
});

test("an answer that becomes too large is refused when it does, and holds nothing", () => {
  const options = { clusterId: 1n, memberId: 2n, txnOpsMax: 5, rangeBytesMax: 1000 };
  const member = filled(0);
  const small = new KvState({ rows: new MemoryRows(), ...options });
  for (let n = 1; n <= 100; n += 1) {
    const request = new PutRequest({ key: b(`k${n}`), value: b("v".repeat(50)) });
    const payload = small.envelope("", 0, new Request(OperationKind.Put, request).bytes);
    const put = { kind: OperationKind.Put, level: 1, index: n, term, wallMs: n, payload };
    equal(small.apply(put, false, term).error, KvError.None);
  }
  const task = small.largeRange(encodeRangeRequest(new RangeRequest(all)), term, nobody, 10)!;
  let steps = 1;
  while (!task.step(5)) steps += 1;
  deepEqual([task.error, task.bytes], [KvError.ResponseTooLarge, null]);
  ok(steps < 20, `${steps} of 20 slices`);
  equal(member.kv.compacted, true);
});

test("one that is abandoned, or whose state is gone, holds nothing and answers nothing", () => {
  const member = filled(100);
  const first = begin(member).task!;
  const second = begin(member).task!;
  equal(first.step(20), false);
  first.abandon();
  first.abandon();
  equal(first.bytes, null);
  put(member, "k100000", "new");
  const { revision } = member.kv;
  member.handle(new Request(OperationKind.Compact, new CompactionRequest({ revision })));
  member.kv.compactStep(1e6);
  equal(member.kv.compacted, false, "the second one holds");
  equal(member.kv.beginRebuild([]), true);
  equal(second.step(20), true);
  deepEqual([second.stale, second.bytes], [true, null]);
  second.abandon();
  equal(second.bytes, null);
});
