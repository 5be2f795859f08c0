// Joint majorities: properties against naive definitions, and drawings of the commit rule in
// testdata/joint-commit.txt. A drawing shows who has acknowledged how far (`?`: nothing known) and
// what each half and both together commit.
import { equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ConfState } from "../types.ts";
import type { Index, NodeId } from "../types.ts";
import { jointAcked, jointCommittedIndex, jointQuorumNewest, jointVoteResult } from "./joint.ts";
import { committedIndex, VoteResult } from "./majority.ts";

const half = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const outgoingHalf = fc.oneof(fc.constant([]), half);

function confOf(voters: readonly NodeId[], outgoing: readonly NodeId[]): ConfState {
  return new ConfState(voters, outgoing, [], [], false);
}

function isMajority(voters: readonly NodeId[], has: (id: NodeId) => boolean): boolean {
  return voters.length === 0 || 2 * voters.filter(has).length > voters.length;
}

test("an index is committed exactly when a majority of each half has it", () => {
  fc.assert(
    fc.property(half, outgoingHalf, fc.array(fc.nat(9), { minLength: 10 }), (a, b, match) => {
      const committed = jointCommittedIndex(confOf(a, b), (id) => match[id]!);
      for (let index = 0; index <= 10; index++) {
        const has = (id: NodeId): boolean => match[id]! >= index;
        equal(index <= committed, isMajority(a, has) && isMajority(b, has), `index ${index}`);
        equal(jointAcked(confOf(a, b), has), index <= committed);
      }
      equal(
        jointQuorumNewest(confOf(a, b), (id) => match[id]!),
        committed,
      );
    }),
    { numRuns: 500 },
  );
});

test("joint commit is symmetric, and with one half twice it is that half's", () => {
  fc.assert(
    fc.property(half, half, fc.array(fc.nat(9), { minLength: 10 }), (a, b, indexes) => {
      const match = (id: NodeId): Index => indexes[id]!;
      equal(jointCommittedIndex(confOf(a, b), match), jointCommittedIndex(confOf(b, a), match));
      equal(jointCommittedIndex(confOf(a, a), match), committedIndex(a, match));
      equal(jointCommittedIndex(confOf(a, []), match), committedIndex(a, match));
    }),
  );
});

test("a joint vote is won or lost when every completion of it is, in both halves at once", () => {
  const drawn = fc.array(fc.constantFrom(true, false, null), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(half, outgoingHalf, drawn, (a, b, answers) => {
      const votes = new Map<NodeId, boolean>();
      answers.forEach((answer, id) => answer !== null && votes.set(id, answer));
      const missing = [...new Set([...a, ...b])].filter((id) => !votes.has(id));
      let won = 0;
      for (let mask = 0; mask < 1 << missing.length; mask++) {
        const grants = (id: NodeId): boolean =>
          votes.get(id) ?? (mask & (1 << missing.indexOf(id))) !== 0;
        if (isMajority(a, grants) && isMajority(b, grants)) won++;
      }
      const result =
        won === 1 << missing.length
          ? VoteResult.Won
          : won === 0
            ? VoteResult.Lost
            : VoteResult.Pending;
      equal(jointVoteResult(confOf(a, b), votes), result);
    }),
    { numRuns: 500 },
  );
});

test("joint commit as drawn in testdata/joint-commit.txt", () => {
  const text = readFileSync(new URL("testdata/joint-commit.txt", import.meta.url), "utf8");
  const blocks = text.split("\n\n").filter((block) => block.startsWith("commit"));
  equal(blocks.length, 9);
  for (const block of blocks) {
    const [command, expected] = block.split("\n----\n");
    equal(drawCommit(command!), expected!.trimEnd(), command);
  }
});

/** `commit (1 2 3)&&(2 3 4) 1=5 2=7 3=? …`: the answer as bars, one member a line. */
function drawCommit(command: string): string {
  const halves = [...command.matchAll(/\(([\d ]*)\)/g)].map((found) => numbers(found[1]!));
  const [voters, outgoing] = [halves[0]!, halves[1] ?? []];
  const match = new Map<NodeId, Index>();
  for (const [, id, index] of command.matchAll(/(\d+)=(\d+)/g)) {
    match.set(Number(id), Number(index));
  }
  const matchOf = (id: NodeId): Index => match.get(id) ?? 0;

  const all = [...new Set([...voters, ...outgoing])].toSorted((a, b) => a - b);
  const lines = all.map((id) => {
    const side = `${voters.includes(id) ? "in" : "  "} ${outgoing.includes(id) ? "out" : "   "}`;
    const bar = match.has(id) ? `${"=".repeat(matchOf(id))}> ${matchOf(id)}` : "?";
    return `${id}  ${side}  ${bar}`;
  });
  const told = (index: Index): string => (index === Number.MAX_SAFE_INTEGER ? "∞" : String(index));
  lines.push(`incoming ${told(committedIndex(voters, matchOf))}`);
  lines.push(`outgoing ${told(committedIndex(outgoing, matchOf))}`);
  lines.push(`both ${told(jointCommittedIndex(confOf(voters, outgoing), matchOf))}`);
  return lines.join("\n");
}

function numbers(text: string): number[] {
  return text.split(" ").filter(Boolean).map(Number);
}
