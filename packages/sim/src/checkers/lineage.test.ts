// The checkers of configurations, raft ids, states and bounds (S10, S11, S15, S17, S18), each with a
// hand-made bad history for every way in which its property can break.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AppliedOnce } from "./applied-once.ts";
import { checkBounds } from "./bounds.ts";
import { ConfigurationLaw } from "./configuration-law.ts";
import { RaftIds } from "./raft-ids.ts";
import { Violation } from "./violation.ts";
import { WastedWork } from "./wasted-work.ts";

function rejects(run: () => void, message: RegExp): void {
  assert.throws(run, (error) => error instanceof Violation && message.test(error.message));
}

const conf = (voters: number[], votersOutgoing: number[] = []) => ({ voters, votersOutgoing });

test("S10 membership: two outcomes of one change, a change in a joint phase, apart quorums", () => {
  const law = new ConfigurationLaw();
  const old = conf([1, 2, 3]);
  const joint = conf([1, 2, 3, 4, 5], [1, 2, 3]);
  const wide = conf([1, 2, 3, 4, 5]);
  law.changed("a", 10, old, joint);
  law.changed("b", 10, old, conf([5, 4, 3, 2, 1], [1, 2, 3]));
  rejects(
    () => law.changed("c", 10, old, conf([1, 2, 3, 4], [1, 2, 3])),
    /others on \(1 2 3 4 5\)/,
  );
  law.changed("a", 11, joint, wide);
  law.changed("a", 12, wide, conf([1, 2, 3, 4]));
  rejects(
    () => law.changed("a", 13, joint, conf([1, 2, 3, 4, 5], [3, 4, 5])),
    /a change begins while \(1 2 3 4 5\)&&\(1 2 3\) is not left/,
  );
  rejects(() => law.changed("a", 14, old, wide), /decide without each other/);
  rejects(() => law.changed("a", 15, conf([1]), conf([2])), /decide without each other/);
});

test("S11 raft ids: another disk's, a wiped disk's, and two processes at once are rejected", () => {
  const ids = new RaftIds();
  const first = { name: "a#1", alive: true };
  ids.speaks(7, "a", first);
  ids.speaks(7, "a", first);
  rejects(() => ids.speaks(7, "b", { name: "b#1", alive: true }), /which a has drawn/);
  rejects(() => ids.speaks(7, "a", { name: "a#2", alive: true }), /at the same time/);
  first.alive = false;
  ids.speaks(7, "a", { name: "a#3", alive: true });
  ids.wiped(7);
  rejects(() => ids.speaks(7, "a", { name: "a#4", alive: true }), /whose disk was wiped/);
  ids.putBack("b");
  rejects(() => ids.speaks(7, "a", { name: "a#4", alive: true }), /whose disk was wiped/);
  ids.putBack("a");
  rejects(
    () => ids.speaks(7, "a", { name: "a#4", alive: true }),
    /a#4 and a#3 .* at the same time/,
  );
});

test("S15 applied once: an index left out, taken twice, or a state that goes back is rejected", () => {
  const states = new AppliedOnce();
  states.restored("a#1", 5);
  states.applied("a#1", 6);
  rejects(() => states.applied("a#1", 6), /applies 6 to a state .* up to 6/);
  rejects(() => states.applied("a#1", 8), /applies 8 to a state .* up to 6/);
  states.restored("a#1", 9);
  states.applied("a#1", 10);
  rejects(() => states.restored("a#1", 9), /state of 9 in the place of that of 10/);
  states.gone("a#1");
  states.applied("a#1", 1);
});

test("S17 bounded: whatever is above its bound is named", () => {
  const queue = (is: number) => [{ what: "queue", is, max: 3 }];
  checkBounds("a", queue(3));
  rejects(() => checkBounds("a", queue(4)), /a: queue 4, at most 3 are allowed/);
});

test("S18 no wasted work: repeats without end are rejected, whoever lacks much may be sent much", () => {
  const work = new WastedWork(100);
  const sent = (bytes: number, match: number, lack: number, session = 1): void =>
    work.sent("a", 2, {
      ...{ bytes, match, session, term: 3, nowMs: 0 },
      ...{ breakerBytes: 1000, lackBytes: () => lack },
    });
  sent(60, 5, 20);
  rejects(() => sent(60, 5, 20), /sent 120 bytes to 2, which lacks 20 and took nothing/);
  sent(60, 6, 20);
  sent(40, 6, 20);
  sent(100, 6, 50);
  rejects(() => sent(1, 6, 50), /sent 201 bytes/);
  sent(90, 6, 10, 2);
  work.gone("a");
  sent(90, 6, 10, 2);
});

test("S18 no wasted work: nor is one process after the other", () => {
  const work = new WastedWork(100);
  let session = 0;
  /** A process that is found at `match` when an append to it has been answered, and has ended by then. */
  const start = (nowMs: number, match: number, lack: number): void =>
    work.sent("a", 2, {
      ...{ bytes: 50, match: session % 2 === 0 ? match : 0, session: ++session, term: 3 },
      ...{ nowMs, breakerBytes: 200, lackBytes: () => lack },
    });
  // Allowed: 200 bytes, two messages, and one more a second.
  for (let n = 0; n < 6; n++) start(0, 5, 10);
  rejects(() => start(0, 5, 10), /processes of 2 3 messages in 0.0 s after 200 bytes, .* than 5/);
  start(3000, 5, 10);
  start(3000, 5, 10);
  rejects(() => start(3000, 5, 10), /6 messages in 3.3 s/);
  session = 0;
  for (let n = 0; n < 6; n++) start(3000, 6, 10);
  rejects(() => start(3000, 6, 10), /no further than 6/);
  session = 0;
  for (let n = 0; n < 10; n++) start(3000, 7, 100);
  rejects(() => start(3000, 7, 100), /3 messages in 0.0 s after 400 bytes/);
});
