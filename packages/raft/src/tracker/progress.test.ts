// Progress: rows for each transition, then a leader and a follower with real logs on a network that
// loses, repeats and reorders answers. Goal: `match` never claims more than the follower has, and
// probing always ends.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "@quorate/base";
import fc from "fast-check";
import { ProgressKind } from "../status.ts";
import { Breaker } from "./breaker.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

function progressAt(next: number): Progress {
  const breaker = new Breaker({ bytesMax: 1000, tickMs: 10 });
  return new Progress(2, false, next, 0, new Inflights(4, 1000), breaker);
}

function replicating(match: number, next: number): Progress {
  const progress = progressAt(1);
  progress.maybeUpdate(match);
  progress.becomeReplicate();
  if (next > match + 1) progress.sentEntries(next - 1, 10);
  return progress;
}

test("Probe pauses after one append until an answer moves it (lesson 39)", () => {
  const progress = progressAt(5);
  equal(progress.isPaused(), false);
  progress.sentEntries(6, 10);
  equal(progress.isPaused(), true);
  equal(progress.next, 5);
  equal(progress.maybeUpdate(6), true);
  equal(progress.isPaused(), false);
  equal(progress.next, 7);
});

test("an append without entries pauses Probe too, and does not enter Replicate's window", () => {
  const probing = progressAt(5);
  probing.sentEntries(4, 0);
  equal(probing.isPaused(), true);
  const streaming = replicating(4, 5);
  streaming.sentEntries(4, 0);
  equal(streaming.inflights.count, 0);
  equal(streaming.next, 5);
});

test("Replicate moves next with each send and pauses on a full window", () => {
  const progress = replicating(3, 4);
  for (let last = 4; last <= 7; last++) {
    equal(progress.isPaused(), false);
    progress.sentEntries(last, 10);
    equal(progress.next, last + 1);
  }
  equal(progress.isPaused(), true);
  progress.maybeUpdate(5);
  equal(progress.isPaused(), false);
  equal(progress.inflights.count, 2);
  equal(progress.next, 8);
});

test("maybeUpdate: an older or equal index changes nothing; a newer one carries next along", () => {
  const rows: readonly (readonly [number, boolean, number, number])[] = [
    [2, false, 3, 6],
    [3, false, 3, 6],
    [4, true, 4, 6],
    [5, true, 5, 6],
    [9, true, 9, 10],
  ];
  for (const [index, moved, match, next] of rows) {
    const progress = replicating(3, 6);
    equal(progress.maybeUpdate(index), moved, `index ${index}`);
    equal(progress.match, match);
    equal(progress.next, next);
  }
});

test("maybeDecrease: stale rejections are ignored (lesson 37)", () => {
  // kind, match, next, rejected, hint → decreased, next
  type Row = readonly ["P" | "R", number, number, number, number, boolean, number];
  const rows: readonly Row[] = [
    ["R", 5, 10, 5, 5, false, 10],
    ["R", 5, 10, 4, 4, false, 10],
    ["R", 5, 10, 9, 9, true, 6],
    ["R", 5, 10, 7, 1, true, 6],
    ["P", 0, 10, 8, 8, false, 10],
    ["P", 0, 10, 10, 3, false, 10],
    ["P", 0, 10, 9, 2, true, 3],
    ["P", 0, 10, 9, 8, true, 9],
    // A hint beyond the refused index is no help: at least one step back.
    ["P", 0, 10, 9, 50, true, 9],
    // Nothing is asked below match.
    ["P", 5, 10, 9, 2, true, 6],
    ["P", 0, 1, 0, 0, false, 1],
    ["P", 9, 10, 9, 2, false, 10],
  ];
  for (const [kind, match, next, rejected, hint, decreased, after] of rows) {
    const progress = kind === "R" ? replicating(match, next) : progressAt(next);
    if (kind === "P") progress.match = match;
    progress.probeSent = true;
    const row = `${kind} match ${match} next ${next}: rejected ${rejected} hint ${hint}`;
    equal(progress.maybeDecrease(rejected, hint), decreased, row);
    equal(progress.next, after, row);
    if (kind === "P") equal(progress.probeSent, !decreased, row);
  }
});

test("Snapshot sends nothing, ignores rejections, and the probe after it starts behind it", () => {
  const progress = replicating(3, 8);
  progress.becomeSnapshot(20);
  equal(progress.kind, ProgressKind.Snapshot);
  equal(progress.isPaused(), true);
  equal(progress.inflights.count, 0);
  equal(progress.maybeDecrease(20, 3), false);
  throws(() => progress.sentEntries(20, 1), AssertionError);
  progress.becomeProbe();
  equal(progress.next, 21);
  equal(progress.pendingSnapshot, 0);
  equal(progress.match, 3);
});

test("an acknowledgement short of the snapshot keeps Snapshot; Replicate then streams from match", () => {
  const progress = replicating(3, 8);
  progress.becomeSnapshot(20);
  equal(progress.maybeUpdate(12), true);
  equal(progress.kind, ProgressKind.Snapshot);
  equal(progress.next, 21);
  progress.becomeReplicate();
  equal(progress.next, 13);
});

test("a failed snapshot is not tried again before a heartbeat's answer (lesson 45)", () => {
  const progress = replicating(3, 8);
  progress.becomeSnapshot(20);
  progress.snapshotFailed();
  equal(progress.kind, ProgressKind.Probe);
  equal(progress.next, 4);
  equal(progress.isPaused(), true);
  throws(() => progress.snapshotFailed(), AssertionError);
  throws(() => progress.becomeSnapshot(3), AssertionError);
});

test("a new session proves nothing: Match 0, Probe, empty window; REGRESSED stays (P4)", () => {
  const progress = replicating(30, 34);
  progress.regressed = true;
  progress.lastAnswerTick = 7;
  progress.resetSession(99, 12);
  equal(progress.session, 99);
  equal(progress.match, 0);
  equal(progress.next, 13);
  equal(progress.kind, ProgressKind.Probe);
  equal(progress.isPaused(), false);
  equal(progress.inflights.count, 0);
  equal(progress.regressed, true);
  equal(progress.lastAnswerTick, 7);
});

test("the commit told is forgotten when messages may be lost, and kept when a stream begins", () => {
  const progress = replicating(5, 8);
  progress.sentCommit = 4;
  progress.becomeReplicate();
  equal(progress.sentCommit, 4);
  const forgetting: readonly ((of: Progress) => void)[] = [
    (of) => of.becomeProbe(),
    (of) => of.becomeSnapshot(20),
    (of) => of.resetSession(9, 5),
  ];
  for (const forget of forgetting) {
    const other = replicating(5, 8);
    other.sentCommit = 4;
    forget(other);
    equal(other.sentCommit, 0);
  }
});

test("sending below next is a bug", () => {
  throws(() => replicating(5, 9).sentEntries(7, 1), AssertionError);
});

// A log is its terms: entry i (from 1) has term log[i - 1].
type Log = readonly number[];

interface Answer {
  readonly session: number;
  readonly reject: boolean;
  readonly index: number;
  readonly hint: number;
}

const termAt = (log: Log, index: number): number => (index === 0 ? 0 : log[index - 1]!);

/** The highest index ≤ from whose term is ≤ term: what both sides skip to (lesson 38). */
function skipTo(log: Log, from: number, term: number): number {
  let index = Math.min(from, log.length);
  while (index > 0 && termAt(log, index) > term) index--;
  return index;
}

/** A follower that does what figure 2 says, whole entries at a time. */
class Follower {
  log: number[];
  session = 1;

  constructor(log: Log) {
    this.log = [...log];
  }

  append(index: number, term: number, entries: Log): Answer {
    if (index > this.log.length || termAt(this.log, index) !== term) {
      const hint = skipTo(this.log, Math.min(index, this.log.length), term);
      return { session: this.session, reject: true, index, hint };
    }
    entries.forEach((entryTerm, i) => {
      const at = index + i;
      if (this.log[at] !== entryTerm) this.log.length = Math.min(this.log.length, at);
      this.log[at] = entryTerm;
    });
    return { session: this.session, reject: false, index: index + entries.length, hint: 0 };
  }
}

function commonPrefix(a: Log, b: Log): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** The leader's side, as small as it can be. */
class Leader {
  readonly log: Log;
  readonly progress: Progress;
  sends = 0;

  constructor(log: Log) {
    this.log = log;
    this.progress = progressAt(log.length + 1);
    this.progress.session = 1;
  }

  sendTo(follower: Follower): Answer {
    const { progress, log } = this;
    const from = progress.next - 1;
    const entries = log.slice(from, from + 2);
    progress.sentEntries(from + entries.length, 10 * entries.length);
    this.sends++;
    return follower.append(from, termAt(log, from), entries);
  }

  hear(answer: Answer): void {
    const { progress, log } = this;
    if (answer.session !== progress.session) return;
    if (!answer.reject) {
      const connects = progress.maybeUpdate(answer.index) || progress.match === answer.index;
      if (connects && progress.kind === ProgressKind.Probe) progress.becomeReplicate();
      return;
    }
    const hint = skipTo(log, answer.hint, termAt(log, Math.min(answer.hint, log.length)));
    if (!progress.maybeDecrease(answer.index, hint)) return;
    if (progress.kind === ProgressKind.Replicate) progress.becomeProbe();
  }
}

const ascendingTerms = fc
  .array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 14 })
  .map((steps) => steps.map((_, i) => 1 + steps.slice(0, i + 1).reduce((a, b) => a + b)));

/** Equal (index, term) mean equal prefixes (log matching): the follower's tail has terms of its own. */
const logPair = fc
  .tuple(ascendingTerms, fc.nat(14), fc.array(fc.nat(1), { maxLength: 8 }))
  .map(([leader, keep, tail]) => {
    const kept = leader.slice(0, keep);
    let term = (kept.at(-1) ?? 0) + 0.5;
    return { leader, follower: [...kept, ...tail.map((step) => (term += step))] };
  });

test("on a perfect network probing ends and the follower gets the whole log", () => {
  fc.assert(
    fc.property(logPair, (logs) => {
      const leader = new Leader(logs.leader);
      const follower = new Follower(logs.follower);
      const sendsMax = 2 * logs.leader.length + 4;
      while (leader.progress.match < leader.log.length && leader.sends < sendsMax) {
        leader.hear(leader.sendTo(follower));
      }
      equal(leader.progress.match, leader.log.length);
      equal(commonPrefix(leader.log, follower.log), leader.log.length);
    }),
    { numRuns: 500 },
  );
});

test("lost, late, doubled answers and restarts: match never exceeds what is there, and it heals", () => {
  const event = fc.record({
    what: fc.constantFrom("send", "send", "hear", "hear", "repeat", "lose", "heartbeat", "restart"),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(logPair, fc.array(event, { maxLength: 80 }), (logs, events) => {
      const leader = new Leader(logs.leader);
      const follower = new Follower(logs.follower);
      const answers: Answer[] = [];
      const { progress } = leader;
      for (const { what, pick } of events) {
        const at = answers.length === 0 ? -1 : pick % answers.length;
        if (what === "send" && !progress.isPaused()) answers.push(leader.sendTo(follower));
        if (what === "hear" && at >= 0) leader.hear(answers.splice(at, 1)[0]!);
        if (what === "repeat" && at >= 0) leader.hear(answers[at]!);
        if (what === "lose" && at >= 0) answers.splice(at, 1);
        if (what === "heartbeat") progress.probeSent = false;
        if (what === "restart") {
          // What was never durable is gone: only the session tells the leader.
          follower.session++;
          follower.log.length = pick % (follower.log.length + 1);
          const last = Math.min(follower.log.length, leader.log.length);
          progress.resetSession(follower.session, last);
        }
        equal(progress.match < progress.next, true);
        equal(progress.next <= leader.log.length + 1, true);
        equal(progress.match <= commonPrefix(leader.log, follower.log), true);
      }
      for (let sends = 0; sends < 40 && progress.match < leader.log.length; sends++) {
        if (progress.isPaused()) progress.becomeProbe();
        leader.hear(leader.sendTo(follower));
      }
      equal(progress.match, leader.log.length);
    }),
    { numRuns: 500 },
  );
});
