// Virtual time: who takes something every now and then may go on, within ten minutes; who does not is let
// go after one.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { UntakenReplies } from "./untaken-replies.ts";

test("a reply that nobody takes ends its connection after a minute, a slow one after ten", () => {
  const replies = new UntakenReplies();
  const ended: string[] = [];
  const bytes = { stuck: 0, slow: 0, done: 0 };
  const names = ["stuck", "slow", "done"] as const;
  const made = names.map((name) => ({
    sent: () => bytes[name],
    letGo: () => void ended.push(name),
  }));
  for (const reply of made) replies.add(reply, 0);
  for (let now = 10_000; now < 60_000; now += 10_000) {
    bytes.slow += 1;
    replies.look(now);
  }
  replies.delete(made[2]!);
  deepEqual(ended, []);
  replies.look(60_000);
  deepEqual(ended, ["stuck"]);
  for (let now = 70_000; now < 600_000; now += 10_000) {
    bytes.slow += 1;
    replies.look(now);
  }
  deepEqual(ended, ["stuck"]);
  bytes.slow += 1;
  replies.look(600_000);
  deepEqual(ended, ["stuck", "slow"]);
  equal(replies.count, 0);
});
