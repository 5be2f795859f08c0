// Majority arithmetic against definitions that search instead of counting: the committed index is
// the highest that a majority has; a vote is won or lost when every completion of it is.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Index, NodeId } from "../types.ts";
import {
  committedIndex,
  quorumAcked,
  quorumNewest,
  quorumOf,
  VoteResult,
  voteResult,
} from "./majority.ts";

/** The highest candidate that more than half of the voters reach, tried one by one. */
function naiveCommitted(voters: readonly NodeId[], match: (id: NodeId) => Index): Index {
  let best = voters.length === 0 ? Number.MAX_SAFE_INTEGER : -1;
  for (const candidate of voters.map(match)) {
    const reached = voters.filter((id) => match(id) >= candidate).length;
    if (2 * reached > voters.length) best = Math.max(best, candidate);
  }
  return best;
}

/** All ways the missing votes may come in, each an election decided at once. */
function naiveVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const missing = voters.filter((id) => !votes.has(id));
  let won = 0;
  for (let mask = 0; mask < 1 << missing.length; mask++) {
    const grants = (id: NodeId): boolean =>
      votes.get(id) ?? (mask & (1 << missing.indexOf(id))) !== 0;
    if (voters.length === 0 || 2 * voters.filter(grants).length > voters.length) won++;
  }
  if (won === 1 << missing.length) return VoteResult.Won;
  return won === 0 ? VoteResult.Lost : VoteResult.Pending;
}

const voterSet = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 9 });

test("quorum size is the smallest majority", () => {
  const rows: readonly (readonly [number, number])[] = [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ];
  for (const [voters, quorum] of rows) equal(quorumOf(voters), quorum);
});

test("committed index of a set of voters: rows", () => {
  const rows: readonly (readonly [readonly Index[], Index])[] = [
    [[], Number.MAX_SAFE_INTEGER],
    [[7], 7],
    [[0], 0],
    [[3, 8], 3],
    [[2, 1, 2], 2],
    [[5, 9, 1], 5],
    [[4, 4, 1, 1], 1],
    [[4, 4, 4, 1], 4],
    [[1, 2, 3, 4, 5], 3],
    [[2 ** 40, 2 ** 41, 1], 2 ** 40],
  ];
  for (const [match, committed] of rows) {
    const voters = match.map((_, i) => i + 1);
    equal(
      committedIndex(voters, (id) => match[id - 1]!),
      committed,
      `match ${match.join(" ")}`,
    );
  }
});

test("committed index agrees with the naive search, whatever the order of the voters", () => {
  fc.assert(
    fc.property(voterSet, fc.array(fc.nat({ max: 12 }), { minLength: 31 }), (voters, indexes) => {
      const match = (id: NodeId): Index => indexes[id]!;
      equal(committedIndex(voters, match), naiveCommitted(voters, match));
      equal(committedIndex(voters.toReversed(), match), naiveCommitted(voters, match));
    }),
    { numRuns: 1000 },
  );
});

test("a large set after a small one and back: the scratch array grows and leaves nothing behind", () => {
  const large = Array.from({ length: 101 }, (_, i) => i + 1);
  equal(
    committedIndex([1, 2, 3], (id) => id),
    2,
  );
  equal(
    committedIndex(large, (id) => id),
    51,
  );
  equal(
    committedIndex([1, 2, 3], (id) => id),
    2,
  );
});

test("quorumNewest: a quorum has answered at or after the tick it names (P7)", () => {
  fc.assert(
    fc.property(
      voterSet,
      fc.array(fc.integer({ min: -5, max: 40 }), { minLength: 31 }),
      (voters, ticks) => {
        fc.pre(voters.length > 0);
        const newest = quorumNewest(voters, (id) => ticks[id]!);
        equal(
          quorumAcked(voters, (id) => ticks[id]! >= newest),
          true,
        );
        equal(
          quorumAcked(voters, (id) => ticks[id]! > newest),
          false,
        );
      },
    ),
  );
  equal(
    quorumNewest([], () => 0),
    Number.MAX_SAFE_INTEGER,
  );
});

test("vote result: rows", () => {
  const rows: readonly (readonly [string, VoteResult])[] = [
    ["", VoteResult.Won],
    ["_", VoteResult.Pending],
    ["n", VoteResult.Lost],
    ["y", VoteResult.Won],
    ["n_", VoteResult.Lost],
    ["y_", VoteResult.Pending],
    ["yn", VoteResult.Lost],
    ["yy", VoteResult.Won],
    ["y__", VoteResult.Pending],
    ["yn_", VoteResult.Pending],
    ["nn_", VoteResult.Lost],
    ["yny", VoteResult.Won],
    ["yy__", VoteResult.Pending],
    ["yynn", VoteResult.Lost],
    ["yyyn", VoteResult.Won],
    ["yy_nn", VoteResult.Pending],
  ];
  for (const [drawn, result] of rows) {
    const voters = [...drawn].map((_, i) => i + 1);
    const votes = new Map(voters.map((id) => [id, drawn[id - 1] === "y"]));
    for (const id of voters) if (drawn[id - 1] === "_") votes.delete(id);
    equal(voteResult(voters, votes), result, drawn);
  }
});

test("vote result agrees with trying every completion; votes of strangers count for nothing", () => {
  const drawn = fc.array(fc.constantFrom(true, false, null), { minLength: 31, maxLength: 31 });
  fc.assert(
    fc.property(voterSet, drawn, (voters, answers) => {
      const votes = new Map<NodeId, boolean>();
      answers.forEach((answer, id) => answer !== null && votes.set(id, answer));
      equal(voteResult(voters, votes), naiveVote(voters, votes));
    }),
    { numRuns: 500 },
  );
});
