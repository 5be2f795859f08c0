// The naive twin against the real state machine: thousands of random operations of every workload,
// every reply compared. Each finds the other's errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rangeRequest } from "@quorate/host";
import { CompactionRequest, OperationKind, OpType, PutRequest } from "@quorate/kv";
import { HistoryMaker } from "../../test/history-maker.ts";
import { Registers } from "../workloads/registers.ts";
import { UniquePuts } from "../workloads/unique-puts.ts";
import type { Workload } from "../workloads/workload.ts";
import { World } from "../world.ts";
import { KvModel } from "./kv-model.ts";
import { replyText } from "./reply-text.ts";

function compare(seed: number, workload: Workload, count: number): Map<string, number> {
  const random = new World(seed).random("test");
  const maker = new HistoryMaker();
  const model = new KvModel();
  const kinds = new Map<string, number>();
  let index = 0;
  for (let i = 0; i < count; i++) {
    const plan = workload.next(i % 3, random);
    const operation = maker.history.call(0, "m0", plan);
    const { request } = plan;
    const readOnly =
      plan.kind === rangeRequest ||
      (plan.kind === OperationKind.Txn && maker.kv.isReadOnlyTxn(plan.bytes));
    if (readOnly) {
      const reply =
        plan.kind === rangeRequest
          ? maker.kv.range(plan.bytes, 1)
          : maker.kv.readTxn(plan.bytes, 1);
      if (reply.bytes === null) continue;
      assert.ok(!(request instanceof CompactionRequest));
      assert.ok(request.type === OpType.Range || request.type === OpType.Txn);
      const real = replyText(plan.kind, reply.bytes);
      assert.equal(real.text, model.readAt(request, model.revision), `operation ${i}`);
      assert.equal(real.changed, false);
      maker.history.ok(operation, reply.bytes.slice());
    } else {
      const before = model.revision;
      const expected = model.apply(request);
      const reply = maker.kv.apply(
        {
          kind: plan.kind,
          level: 1,
          index: ++index,
          term: 1,
          wallMs: 0,
          payload: maker.kv.envelope("", 0, plan.bytes),
        },
        true,
        1,
      );
      if (reply.bytes === null) {
        assert.match(expected, /refused/, `operation ${i}`);
        continue;
      }
      const real = replyText(plan.kind, reply.bytes);
      assert.equal(real.text, expected, `operation ${i}`);
      assert.equal(real.changed, model.revision > before, `operation ${i}`);
      maker.history.ok(operation, reply.bytes.slice());
    }
    workload.heard(operation);
    const kind = `${plan.kind}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.equal(model.revision, maker.kv.revision);
  return kinds;
}

test("registers: 20 seeds of 500 operations, all kinds among them", () => {
  for (let seed = 0; seed < 20; seed++) {
    const kinds = compare(seed, new Registers(), 500);
    assert.equal(kinds.size, 5, [...kinds].join(" "));
  }
});

test("unique-puts: 5 seeds of 500 operations", () => {
  for (let seed = 0; seed < 5; seed++) compare(seed, new UniquePuts(), 500);
});

test("no workload gives two puts the same bytes", () => {
  const random = new World(1).random("test");
  const seen = new Set<string>();
  for (const workload of [new Registers(), new UniquePuts()]) {
    for (let i = 0; i < 2000; i++) {
      const { request, bytes } = workload.next(0, random);
      if (!(request instanceof PutRequest)) continue;
      const text = String.fromCharCode(...bytes);
      assert.ok(!seen.has(text));
      seen.add(text);
    }
  }
});
