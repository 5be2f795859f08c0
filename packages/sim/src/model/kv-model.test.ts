// The naive twin against the real state machine: thousands of random operations of every workload,
// every reply compared. Each finds the other's errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PutRequest, RangeRequest, TxnRequest } from "@quorate/kv";
import { HistoryMaker } from "../../test/history-maker.ts";
import { isLogged } from "../checkers/evidence.ts";
import { Registers } from "../workloads/registers.ts";
import { UniquePuts } from "../workloads/unique-puts.ts";
import type { Workload } from "../workloads/workload.ts";
import { World } from "../world.ts";
import { errorText } from "./canonical.ts";
import { KvModel, type ModelRequest } from "./kv-model.ts";
import { replyText } from "./reply-text.ts";

/** Kinds of operations, and texts of refusals, with how often they came. */
function compare(seed: number, workload: Workload, count: number): Map<string, number> {
  const random = new World(seed).random("test");
  const maker = new HistoryMaker();
  const model = new KvModel();
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const operation = maker.history.call(0, "m0", workload.next(i % 3, random));
    const { kind, request } = operation;
    const before = model.revision;
    const expected = isLogged(operation)
      ? model.apply(request)
      : model.readAt(readOnly(request), model);
    const { bytes, error } = maker.answer(operation);
    const real = bytes === null ? null : replyText(kind, bytes);
    assert.equal(real?.text ?? errorText(error), expected, `seed ${seed} operation ${i}`);
    assert.equal(real?.changed ?? false, model.revision > before, `operation ${i}`);
    const name = real === null ? expected : String(kind);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (bytes === null) continue;
    maker.history.ok(operation, bytes);
    workload.heard(operation);
  }
  assert.equal(model.revision, maker.kv.revision);
  return seen;
}

function readOnly(request: ModelRequest): RangeRequest | TxnRequest {
  assert.ok(request instanceof RangeRequest || request instanceof TxnRequest);
  return request;
}

test("registers: 20 seeds of 500 operations, all kinds among them, and refusals", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    for (const name of compare(seed, new Registers(), 500).keys()) seen.add(name);
  }
  assert.deepEqual([...seen].toSorted(), ["1", "16", "17", "18", "19", "error Compacted"]);
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
