// The core's invariants are really looked at: a core that is broken by hand is found within a few
// turns, an untouched one passes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RaftNode } from "@quorate/raft";
import { Run } from "../run.ts";
import { CoreInvariants } from "./core-invariants.ts";

/** The core of a running leader. */
function leader(): RaftNode {
  const run = new Run(1, (options) => {
    options.members = 3;
  });
  run.cluster.startAll();
  assert.ok(run.world.runUntil(() => run.cluster.leader() !== null, 60_000));
  const { raft } = run.cluster.leader()!.host!.inside()!;
  assert.ok(raft instanceof RaftNode);
  return raft;
}

test("a whole core passes, one whose term went back does not", () => {
  const raft = leader();
  const checker = new CoreInvariants();
  for (let turn = 0; turn < 20; turn++) checker.turn(raft);
  raft.core.term -= 1;
  assert.throws(() => {
    for (let turn = 0; turn < 20; turn++) checker.turn(raft);
  });
});
