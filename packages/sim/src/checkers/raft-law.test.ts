// The checkers of what a Raft member may do, each with a hand-made bad history for every way in which
// its property can break.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommitRule, type LeaderCommit } from "./commit-rule.ts";
import { LeaderAppendOnly, type LedLog } from "./leader-append-only.ts";
import { OneVote } from "./one-vote.ts";
import { isQuorum, quorumsIntersect } from "./quorum.ts";
import { SessionIsolation } from "./session-isolation.ts";
import { Violation } from "./violation.ts";
import { VoteQuorum } from "./vote-quorum.ts";

function rejects(run: () => void, message: RegExp): void {
  assert.throws(run, (error) => error instanceof Violation && message.test(error.message));
}

const conf = (voters: number[], votersOutgoing: number[] = []) => ({ voters, votersOutgoing });

test("a quorum is more than half of each half", () => {
  const has =
    (...ids: number[]) =>
    (id: number) =>
      ids.includes(id);
  assert.equal(isQuorum(conf([1, 2, 3]), has(1, 3)), true);
  assert.equal(isQuorum(conf([1, 2, 3, 4]), has(1, 3)), false);
  assert.equal(isQuorum(conf([1]), has(1)), true);
  assert.equal(isQuorum(conf([1, 2, 3], [3, 4, 5]), has(1, 2)), false);
  assert.equal(isQuorum(conf([1, 2, 3], [3, 4, 5]), has(1, 3, 5)), true);
});

test("quorums of configurations one voter apart intersect, of two apart not always", () => {
  assert.equal(quorumsIntersect(conf([1, 2, 3]), conf([1, 2, 3, 4])), true);
  assert.equal(quorumsIntersect(conf([1, 2, 3]), conf([2, 3, 4])), false);
  assert.equal(quorumsIntersect(conf([1, 2, 3]), conf([2, 3, 4], [1, 2, 3])), true);
  assert.equal(quorumsIntersect(conf([1, 2]), conf([3, 4])), false);
});

test("S2 leader append-only: a cut log, an overwritten end and a second write are rejected", () => {
  const logOf = (...terms: number[]): LedLog => ({
    lastIndex: terms.length,
    termAt: (index) => terms[index - 1] ?? null,
  });
  const checker = new LeaderAppendOnly();
  checker.leads("a", 5, logOf(1, 1, 5));
  checker.leads("a", 5, logOf(1, 1, 5, 5));
  rejects(() => checker.leads("a", 5, logOf(1, 1, 5)), /cut its log from 4 to 3/);
  rejects(() => checker.leads("a", 5, logOf(1, 1, 5, 4, 5)), /put term 4 over 5 at 4/);
  checker.writes("a", 5, 3, 4);
  checker.writes("a", 5, 5, 6);
  rejects(() => checker.writes("a", 5, 6, 7), /writes from 6 over 6/);
  // As a follower, or in a new term before it was seen to lead, it may.
  checker.writes("a", 0, 2, 2);
  checker.leads("a", 6, logOf(1, 1));
  checker.gone("a");
  checker.leads("a", 6, logOf(1));
});

test("S8 votes on disk: a second candidate in a term, a forgotten vote or term, is rejected", () => {
  const checker = new OneVote();
  checker.durable(1, 3, 0);
  checker.durable(1, 3, 7);
  checker.durable(1, 3, 7);
  checker.durable(2, 3, 8);
  checker.durable(1, 4, 0);
  checker.durable(1, 4, 8);
  rejects(() => checker.durable(1, 4, 7), /1 voted for 8 and then for 7 in term 4/);
  rejects(() => checker.durable(1, 4, 0), /and then for 0/);
  rejects(() => checker.durable(1, 3, 7), /went back on its disk from 4 to 3/);
  checker.forgets(1);
  checker.durable(1, 3, 9);
});

test("S8 grants: to a candidate with an older or shorter log, or to one that never asked, are rejected", () => {
  const checker = new OneVote();
  checker.asked(7, 5, { lastIndex: 10, lastTerm: 3 });
  checker.granted(1, 7, 5, { lastIndex: 10, lastTerm: 3 });
  checker.granted(1, 7, 5, { lastIndex: 20, lastTerm: 2 });
  // By now a leader of the new term has written to it.
  checker.granted(1, 7, 5, { lastIndex: 11, lastTerm: 5 });
  rejects(() => checker.granted(1, 7, 5, { lastIndex: 11, lastTerm: 3 }), /ends at 11 of term 3/);
  rejects(() => checker.granted(1, 7, 5, { lastIndex: 2, lastTerm: 4 }), /ends at 2 of term 4/);
  rejects(() => checker.granted(1, 7, 6, { lastIndex: 1, lastTerm: 1 }), /nobody has asked/);
});

const commitOf = (leaderTerm: number, ...terms: number[]): LeaderCommit => ({
  leader: "a",
  leaderTerm,
  index: terms.length,
  conf: conf([1, 2, 3]),
  termAt: (index) => terms[index - 1] ?? null,
});

test("S9 commit rule: an entry of an older term, or without a quorum of disks, is rejected", () => {
  const checker = new CommitRule();
  const commit = commitOf(5, 1, 1, 4, 5);
  checker.leads(commit, (id) => id !== 2);
  assert.equal(checker.committed, 4);
  rejects(() => checker.leads(commitOf(5, 1, 1, 4), () => true), /3 of term 4 in its term 5/);
  rejects(() => checker.leads({ ...commit, termAt: () => null }, () => true), /of term null/);
  rejects(() => checker.leads(commit, (id) => id === 2), /on the disks of \[2\] of \[1, 2, 3\]/);
  const joint = { ...commit, conf: conf([1, 2, 3], [4, 5, 6]) };
  rejects(() => checker.leads(joint, (id) => id <= 3), /S9/);
  checker.leads(joint, (id) => id !== 1 && id !== 6);
});

test("S6 commit: what no leader has committed by the rule is rejected, by index and by term", () => {
  const checker = new CommitRule();
  rejects(() => checker.seen("b", 1, 1), /takes 1 for committed, a quorum's disks hold 0/);
  checker.leads(commitOf(5, 1, 3, 5), () => true);
  checker.seen("b", 3, 5);
  checker.seen("b", 2, 3);
  checker.seen("b", 2, null);
  rejects(() => checker.seen("b", 4, null), /takes 4 for committed/);
  rejects(() => checker.seen("b", 2, 1), /takes 2 of term 1 for committed, that of term 3 was/);
  rejects(() => checker.leads(commitOf(6, 1, 3, 4, 6), () => true), /takes 3 of term 4/);
});

test("S13 sessions: a match that the session never had on its disk, or of no session, is rejected", () => {
  const checker = new SessionIsolation();
  const seen = { leader: "a", follower: 2, session: 99, match: 7 };
  checker.matched(seen, 7);
  checker.matched(seen, 8);
  rejects(() => checker.matched(seen, 6), /never had more than 6/);
  rejects(() => checker.matched(seen, null), /that nobody has/);
});

test("a leader without the votes of a quorum of voters is rejected", () => {
  const checker = new VoteQuorum();
  checker.elected(1, 1, conf([1]));
  rejects(() => checker.elected(1, 2, conf([1, 2, 3])), /1 leads in term 2 with the votes of \[\]/);
  checker.granted(2, 1, 2);
  checker.elected(1, 2, conf([1, 2, 3]));
  // Grants of another term, for another candidate, or of a learner.
  checker.granted(2, 1, 3);
  checker.granted(2, 3, 4);
  checker.granted(9, 1, 4);
  rejects(() => checker.elected(1, 4, conf([1, 2, 3])), /votes of \[9\]/);
  checker.granted(2, 1, 5);
  rejects(() => checker.elected(1, 5, conf([1, 2, 3], [4, 5, 6])), /S10/);
});
