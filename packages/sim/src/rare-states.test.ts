// Each rare state is seen when it comes about, and not otherwise: statuses made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RaftStatus, Role } from "@quorate/raft";
import { type RareState, RareStates } from "./rare-states.ts";

const plain: RaftStatus = {
  id: 1,
  role: Role.Follower,
  term: 5,
  vote: 0,
  leader: 0,
  committed: 10,
  applied: 10,
  firstIndex: 1,
  lastIndex: 10,
  lastTerm: 5,
  durableIndex: 10,
  attestedIndex: 10,
  promised: null,
  persistPending: 0,
  confState: {
    voters: [1, 2, 3],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    learnersOutgoing: [],
    autoLeave: false,
  },
  quiet: false,
  transferee: 0,
  level: 1,
  clockClamped: false,
  progress: [],
};

const leads = { role: Role.Leader } as const;
const asks = { role: Role.Candidate } as const;

/** Turns of a (its process a#1 unless told), b the same; what they make seen. */
function seen(turns: readonly (readonly ["a" | "b", Partial<RaftStatus>])[]): RareState[] {
  const rare = new RareStates();
  for (const [member, change] of turns) rare.turn(member, `${member}#1`, { ...plain, ...change });
  return rare.entries().flatMap(([state, count]) => (count > 0 ? [state] : []));
}

test("a quiet life shows nothing rare", () => {
  const calm = { committed: 12, applied: 12, lastIndex: 12, durableIndex: 12 };
  assert.deepEqual(
    seen([
      ["a", {}],
      ["b", {}],
      ["a", calm],
      ["b", calm],
    ]),
    [],
  );
});

const rows: readonly (readonly [
  RareState,
  readonly (readonly ["a" | "b", Partial<RaftStatus>])[],
])[] = [
  [
    "election.split-vote",
    [
      ["a", asks],
      ["b", asks],
    ],
  ],
  [
    "election.two-leaders",
    [
      ["a", leads],
      ["b", { ...leads, term: 6 }],
    ],
  ],
  [
    "election.won-with-old-tail",
    [
      ["a", { lastIndex: 12 }],
      ["a", { ...leads, lastIndex: 13 }],
    ],
  ],
  [
    "election.same-leader-again",
    [
      ["a", {}],
      ["a", leads],
      ["a", {}],
      ["a", leads],
    ],
  ],
  [
    "election.term-jump",
    [
      ["a", {}],
      ["a", { term: 8 }],
    ],
  ],
  [
    "leader.stepped-down",
    [
      ["a", leads],
      ["a", {}],
    ],
  ],
  [
    "leader.deposed-with-tail",
    [
      ["a", { ...leads, lastIndex: 11 }],
      ["a", { term: 6 }],
    ],
  ],
  ["leader.commits-before-disk", [["a", { ...leads, durableIndex: 9 }]]],
  ["leader.log-far-ahead", [["a", { ...leads, lastIndex: 50 }]]],
  ["leader.transfers", [["a", { ...leads, transferee: 2 }]]],
  [
    "follower.log-truncated",
    [
      ["a", { lastIndex: 14 }],
      ["a", { lastIndex: 12 }],
    ],
  ],
  [
    "follower.durable-tail-lost",
    [
      ["a", { lastIndex: 14, durableIndex: 14 }],
      ["a", { lastIndex: 12 }],
    ],
  ],
  [
    "follower.snapshot-over-tail",
    [
      ["a", { lastIndex: 14 }],
      ["a", { firstIndex: 21, lastIndex: 20, committed: 20 }],
    ],
  ],
  ["member.restart-with-tail", [["a", { lastIndex: 12 }]]],
  ["member.applies-late", [["a", { committed: 80, lastIndex: 80 }]]],
  [
    "cluster.all-quiet",
    [
      ["a", { quiet: true }],
      ["b", { quiet: true }],
    ],
  ],
];

for (const [state, turns] of rows) {
  test(`${state} is seen`, () => assert.ok(seen(turns).includes(state), seen(turns).join(" ")));
}

test("all members have died: all down", () => {
  const rare = new RareStates();
  rare.turn("a", "a#1", plain);
  rare.ended("a");
  assert.equal(new Map(rare.entries()).get("cluster.all-down"), 1);
});
