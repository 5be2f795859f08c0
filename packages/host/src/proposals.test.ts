// What a waiting client hears (DESIGN.md 22): "not committed" only when that is certain.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureCode } from "./host-api.ts";
import type { Failure } from "./host-api.ts";
import { Proposals, Waiter } from "./proposals.ts";

function waiterOf(heard: string[], name: string, deadlineTick = 100): Waiter {
  return new Waiter(
    16,
    new Uint8Array(10),
    {
      reply: () => void heard.push(`${name} ok`),
      fail: (failure: Failure) => void heard.push(`${name} ${failure.code}`),
    },
    deadlineTick,
  );
}

test("a stop leaves everything that had left this member unknown, bound to an entry or not", () => {
  const heard: string[] = [];
  const proposals = new Proposals(10, 1000);
  const appended = waiterOf(heard, "appended");
  const forwarded = waiterOf(heard, "forwarded");
  const answered = waiterOf(heard, "answered");
  for (const waiter of [appended, forwarded, answered]) assert.ok(proposals.admit(waiter));
  proposals.bind(appended, 5, 1);
  proposals.bind(answered, 6, 1);
  proposals.reply(answered, new Uint8Array(0));
  proposals.abandon();
  const unknown = FailureCode.TimedOut;
  assert.deepEqual(heard, ["answered ok", `appended ${unknown}`, `forwarded ${unknown}`]);
  assert.equal(proposals.count, 0);
});

test("an entry of another term at its index, or its truncation, is certain: not committed", () => {
  const heard: string[] = [];
  const proposals = new Proposals(10, 1000);
  const replaced = waiterOf(heard, "replaced");
  const dropped = waiterOf(heard, "dropped");
  for (const waiter of [replaced, dropped]) assert.ok(proposals.admit(waiter));
  proposals.bind(replaced, 5, 1);
  proposals.bind(dropped, 6, 1);
  assert.equal(proposals.take(5, 2), null);
  proposals.dropped(6, 2);
  assert.equal(heard.length, 1);
  proposals.dropped(6, 1);
  const certain = FailureCode.LeaderChanged;
  assert.deepEqual(heard, [`replaced ${certain}`, `dropped ${certain}`]);
});

test("a time that runs out, or a snapshot that covers its entry, leaves it unknown", () => {
  const heard: string[] = [];
  const proposals = new Proposals(10, 1000);
  const late = waiterOf(heard, "late", 10);
  const covered = waiterOf(heard, "covered", 20);
  for (const waiter of [late, covered]) assert.ok(proposals.admit(waiter));
  proposals.bind(covered, 7, 1);
  proposals.expire(9);
  assert.deepEqual(heard, []);
  proposals.expire(10);
  proposals.coveredBySnapshot(6);
  proposals.coveredBySnapshot(7);
  const unknown = FailureCode.TimedOut;
  assert.deepEqual(heard, [`late ${unknown}`, `covered ${unknown}`]);
});
