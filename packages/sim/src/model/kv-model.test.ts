// The naive twin against the real state machine: thousands of random operations of every workload,
// every reply compared. Each finds the other's errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Decode } from "@quorate/base";
import { KvError, type OperationKind, RangeRequest, TxnRequest } from "@quorate/kv";
import { HistoryMaker, limits } from "../../test/history-maker.ts";
import { isLogged } from "../checkers/evidence.ts";
import type { ClientOperation } from "../client/history.ts";
import { makeWorkload, type WorkloadName, workloadNames } from "../workloads/workloads.ts";
import type { Workload } from "../workloads/workload.ts";
import { World } from "../world.ts";
import { errorText } from "./canonical.ts";
import { KvModel } from "./kv-model.ts";
import type { ModelRequest } from "./request-parts.ts";
import { replyText } from "./reply-text.ts";
import { isUnique } from "./request-parts.ts";

/** Kinds of operations, and texts of refusals, with how often they came. */
function compare(seed: number, workload: Workload, count: number): Map<string, number> {
  const random = new World(seed).random("test");
  const maker = new HistoryMaker();
  const model = new KvModel();
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const operation = maker.history.call(0, "m0", workload.next(i % 3, random));
    const { kind, request } = operation;
    const refusal = isLogged(operation) ? edgeRefusal(maker, operation) : KvError.None;
    if (refusal !== KvError.None || operation.bytes.length > limits.requestBytesMax) continue;
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

/** Such a request comes to no state machine. */
function edgeRefusal(maker: HistoryMaker, { kind, bytes }: ClientOperation): KvError {
  return maker.kv.check(kind as OperationKind, bytes);
}

function readOnly(request: ModelRequest): RangeRequest | TxnRequest {
  assert.ok(request instanceof RangeRequest || request instanceof TxnRequest);
  return request;
}

test("every workload: 5 seeds of 400 operations, the twin and the state machine agree", (t) => {
  for (const name of workloadNames) {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 5; seed++) {
      for (const [kind, count] of compare(seed, makeWorkload(name, limits), 400)) {
        seen.set(kind, (seen.get(kind) ?? 0) + count);
      }
    }
    t.diagnostic(`${name}: ${[...seen].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
    for (const kind of expected[name]) assert.ok(seen.has(kind), `${name}: no ${kind}`);
  }
});

/** Kinds of operations (put 16, delete 17, txn 18, compact 19, range 1), and refusals. */
const expected: Readonly<Record<WorkloadName, readonly string[]>> = {
  registers: ["1", "16", "17", "18", "19", "error Compacted"],
  "unique-puts": ["1", "16"],
  transactions: ["1", "18", "error FutureRevision"],
  ranges: ["1", "16", "17", "19", "error Compacted", "error FutureRevision"],
  compactions: ["1", "16", "17", "18", "19", "error Compacted", "error FutureRevision"],
  "large-values": ["1", "16", "17", "19"],
  transfers: ["1", "16", "17", "18", "19", "error Compacted"],
  mixed: ["1", "16", "17", "18", "19", "error Compacted", "error FutureRevision"],
};

test("no workload gives two puts the same bytes", () => {
  for (const name of workloadNames) {
    const random = new World(1).random("test");
    const workload = makeWorkload(name, limits);
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const { request, bytes } = workload.next(0, random);
      if (!isUnique(request)) continue;
      const text = latin1Decode(bytes);
      assert.ok(!seen.has(text), `${name}: twice ${text}`);
      seen.add(text);
    }
    assert.ok(seen.size > 100, name);
  }
});
