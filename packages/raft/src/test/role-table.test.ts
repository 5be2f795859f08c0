// Method: every role is given every message type of an older, the same and a newer term. Goal: the
// whole behaviour on one screen, as a golden (UPDATE=1 rewrites it): outcome, new role and term,
// and what is sent.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { table } from "@quorate/base";
import { describeRole, nameOf } from "../describe.ts";
import type { Message } from "../message.ts";
import { MessageType } from "../message.ts";
import { StepOutcome } from "../raft-api.ts";
import { Role, SnapshotMeta } from "../types.ts";
import { Story } from "./story.ts";

const path = join(import.meta.dirname, "role-table.txt");
/** The member's term when the message comes; its log ends in 4/2. */
const own = 4;

function memberIn(role: Role): Story {
  const story = new Story([1, 2, 3]);
  const { core } = story.get(1).node;
  core.becomeFollower(own - 1, 0);
  if (role !== Role.Follower && role !== Role.PreCandidate) core.becomeCandidate();
  else core.becomeFollower(own, 2);
  if (role === Role.PreCandidate) story.get(1).node.campaign();
  story.ready(1);
  if (role === Role.Leader) {
    const grant = story.message(MessageType.VoteResponse, 2, 1, own);
    grant.number = core.voteRound;
    story.get(1).node.step(grant);
    story.ready(1);
  }
  story.drop();
  assert.equal(core.role, role);
  assert.equal(core.term, own);
  return story;
}

/** A message that would have its full effect if term and role allow it. */
function messageTo(story: Story, type: MessageType, term: number): Message {
  const { core } = story.get(1).node;
  const message = story.message(type, 3, 1, term);
  const { log } = core;
  const isAppend = type === MessageType.AppendEntries || type === MessageType.AppendResponse;
  const isVote = type === MessageType.Vote || type === MessageType.PreVote;
  if (isAppend || isVote) {
    message.index = log.lastIndex;
    message.logTerm = log.lastTerm;
  }
  const isRound = type === MessageType.PreVoteResponse || type === MessageType.VoteResponse;
  if (isRound) message.number = core.voteRound;
  if (type === MessageType.InstallSnapshot) {
    message.snapshot = new SnapshotMeta(9, 3, story.get(1).conf, 7);
    story.get(1).staged.set(7, { meta: message.snapshot, applied: [] });
  }
  return message;
}

function row(role: Role, type: MessageType, term: number): string[] {
  const story = memberIn(role);
  const { node } = story.get(1);
  const message = messageTo(story, type, term);
  const outcome = node.step(message);
  story.ready(1);
  const answers = story.cluster.network
    .map((item) => item.message)
    .filter((sent) => sent.from === 1 && sent.type % 2 === 0)
    .map((sent) => `${nameOf(MessageType, sent.type)}${sent.reject ? " reject" : ""}`);
  const { core } = node;
  const after = `${describeRole(core.role)} ${core.term}${core.leader === 0 ? "" : ` of ${core.leader}`}`;
  return [
    describeRole(role),
    `${nameOf(MessageType, type)} ${term}`,
    outcome === StepOutcome.Handled ? "handled" : "ignored",
    after,
    answers.join(", "),
  ];
}

test("every (role, message type, term) does what the table says", () => {
  const rows: string[][] = [["role (term 4)", "message", "outcome", "afterwards", "answers"]];
  for (const role of Object.values(Role)) {
    for (const type of Object.values(MessageType)) {
      for (const term of [own - 1, own, own + 1]) rows.push(row(role, type, term));
    }
  }
  const actual = `${table(rows)}\n`;
  if (process.env["UPDATE"] === "1") writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, "utf8"));
});
