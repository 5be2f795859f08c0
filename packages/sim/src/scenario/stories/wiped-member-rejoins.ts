// etcd#13509, #10817, redpanda#315 (reliability.md §8, 21 and 42; P3): a member whose directory was
// deleted was started again under its old identity, and panicked, or lost what it had acknowledged.
// It draws a new raft id and speaks as a guest; the leader gives it the place of the lost one, in one
// change: voter for voter, or learner first with an even number. Whoever crashes meanwhile, and whatever
// is wiped again, it votes in the end, and the lost raft ids are nobody's.
import { isJoint } from "@quorate/raft";
import { MembershipActs } from "../membership-acts.ts";
import type { Scenario } from "../scenario.ts";
import { type Story, stories } from "../story.ts";

function loseDisk(s: Scenario, name: string): void {
  if (s.running(name)) s.kill(name);
  s.wipe(name);
  s.start(name);
}

function waitUntilItVotes(s: Scenario, name: string): void {
  new MembershipActs(s).waitUntilItVotes(name);
}

function oneComesBack(s: Scenario, members: number): void {
  const leader = s.found();
  const [wiped] = s.others(leader) as [string];
  const lost = s.raftId(wiped);
  s.load();
  s.run(100);
  let learnt = false;
  s.whenMarked(
    leader,
    "turn.flushed",
    () => (learnt = true),
    () => s.conf(leader).learners.length > 0,
  );
  loseDisk(s, wiped);
  waitUntilItVotes(s, wiped);
  s.expect("learner first with an even number only", learnt === (members % 2 === 0));
  s.expect("the lost raft id is out", !s.conf(wiped).voters.includes(lost));
  s.expect("as many vote as before", s.conf(wiped).voters.length === members);
  s.endLoad();
  // It counts: with it, and without another one, writes go on.
  const [other] = s.others(leader, wiped) as [string];
  s.kill(other);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(other)), 5 * s.timeoutMs);
  s.start(other);
}

type Step = "proposed" | "joint" | "left";

function leaderDiesAt(s: Scenario, step: Step): void {
  const leader = s.found();
  const [wiped] = s.others(leader) as [string];
  const lost = s.raftId(wiped);
  const before = s.status(leader).lastIndex;
  let died = false;
  s.whenMarked(
    leader,
    "turn.flushed",
    () => {
      died = true;
      s.kill(leader);
    },
    () => {
      const conf = s.conf(leader);
      if (step === "joint") return isJoint(conf);
      if (step === "left") return !isJoint(conf) && !conf.voters.includes(lost);
      const { lastIndex, applied } = s.status(leader);
      return s.running(wiped) && lastIndex > before && lastIndex > applied;
    },
  );
  loseDisk(s, wiped);
  s.waitFor("the leader dies", 10_000, () => died);
  waitUntilItVotes(s, wiped);
  s.start(leader);
}

export const wipedMemberRejoins: Story = stories("wiped-member-rejoins", (stage) => {
  for (const members of [3, 4, 5]) {
    stage.play(`one of ${members}`, { members }, (s) => oneComesBack(s, members));
  }

  stage.play("the leader", {}, (s) => {
    const leader = s.found();
    s.load();
    s.run(100);
    loseDisk(s, leader);
    waitUntilItVotes(s, leader);
    s.endLoad();
  });

  stage.play("again, before and in the middle of the change", { members: 5 }, (s) => {
    const leader = s.found();
    const [wiped] = s.others(leader) as [string];
    loseDisk(s, wiped);
    s.waitFor("it speaks as a guest", 10_000, () => s.inside(wiped) !== null);
    loseDisk(s, wiped);
    s.waitFor("the change has begun", 10_000, () => isJoint(s.conf(leader)));
    loseDisk(s, wiped);
    waitUntilItVotes(s, wiped);
  });

  for (const step of ["proposed", "joint", "left"] as const) {
    stage.play(`the leader dies, ${step}`, { members: 5 }, (s) => leaderDiesAt(s, step));
  }
});
