// Reliability.md §3.8: a member's state is not the others'. It finds out by itself at the next index that
// they compare, within 10 s under load and 30 s at rest, serves nobody from then on, hands leadership
// over if it leads, and takes the state of a member of the majority. Where there is no majority nobody can
// tell who is right: an alarm, no writes, and an operator who decides.
import { MemberAim } from "@quorate/host";
import { AlarmType, KvError } from "@quorate/kv";
import { AlarmActs } from "../alarm-acts.ts";
import { MembershipActs } from "../membership-acts.ts";
import type { Scenario } from "../scenario.ts";
import { shortLog } from "../scenario-options.ts";
import { type Stage, stories, type Story } from "../story.ts";
import { digestsDiffer, twist } from "../twist.ts";

const underLoadMs = 10_000;
const atRestMs = 30_000;

function mustBeFenced(s: Scenario, name: string, withinMs: number): void {
  const isFenced = (): boolean => s.status(name).reason.includes("live digest differs at");
  s.waitFor(`${name} is fenced`, withinMs, isFenced);
  s.expect(`${name} is not promotable`, s.leads(name) || !s.inside(name)!.raft.core.isPromotable());
}

function mustBeWhole(s: Scenario, name: string): void {
  s.waitFor(`${name} has another state`, underLoadMs, () => {
    const { reason, snapshotsReceived } = { ...s.status(name), ...s.member(name).host!.counters() };
    return reason === "" && snapshotsReceived > 0;
  });
  mustAgree(s);
}

function mustAgree(s: Scenario): void {
  s.endLoad();
  s.waitFor("all agree", 5_000, () => {
    const first = s.status(s.names[0]!);
    return s.names.every((name) => {
      const { applied, lastIndex, liveDigest } = s.status(name);
      const equal = liveDigest.low === first.liveDigest.low;
      return applied === lastIndex && applied === first.applied && equal;
    });
  });
}

function followers(stage: Stage): void {
  stage.play("a follower under load", {}, (s) => {
    const leader = s.found();
    const odd = s.others(leader)[0]!;
    s.fill(leader, 30, 100);
    s.stream(50, 100);
    twist(s, odd);
    mustBeFenced(s, odd, underLoadMs);
    mustBeWhole(s, odd);
    s.expect("the leader has stayed", s.leads(leader));
  });

  stage.play("a follower at rest", {}, (s) => {
    const leader = s.found();
    const odd = s.others(leader)[0]!;
    twist(s, odd);
    s.waitFor("the digest sees it", 1_000, () => digestsDiffer(s, odd, leader));
    mustBeFenced(s, odd, atRestMs);
    mustBeWhole(s, odd);
  });

  stage.play("a follower that has it from its checkpoint", { host: shortLog }, (s) => {
    const leader = s.found();
    const odd = s.others(leader)[0]!;
    twist(s, odd);
    s.fill(leader, 30, 1_000);
    s.run(500);
    s.kill(odd);
    s.start(odd);
    mustBeFenced(s, odd, atRestMs);
    mustBeWhole(s, odd);
  });
}

function learner(s: Scenario): void {
  const acts = new MembershipActs(s);
  const leader = s.found();
  acts.waitUntilHealthy();
  acts.must("a learner is added", () => acts.add(leader, "m3", MemberAim.Learner));
  acts.start("m3");
  s.waitFor("it has caught up", 20_000, () => {
    return s.running("m3") && s.conf(leader).learners.length === 1 && s.settled(s.names);
  });
  s.stream(50, 100);
  twist(s, "m3");
  mustBeFenced(s, "m3", underLoadMs);
  mustBeWhole(s, "m3");
  s.expect("the leader has stayed", s.leads(leader));
}

function leaders(stage: Stage): void {
  stage.play("the leader", {}, (s) => {
    const odd = s.found();
    const { term } = s.status(odd);
    s.stream(50, 100);
    twist(s, odd);
    mustBeFenced(s, odd, underLoadMs);
    const next = s.waitForLeader(2 * s.timeoutMs, s.others(odd));
    s.expect("by one transfer", s.status(next).term === term + 1);
    mustBeWhole(s, odd);
  });

  stage.play("two of five, one of them the leader", { members: 5 }, (s) => {
    const leader = s.found();
    const other = s.others(leader)[0]!;
    s.stream(50, 100);
    twist(s, leader, 0);
    twist(s, other, 1);
    mustBeFenced(s, leader, underLoadMs);
    mustBeWhole(s, leader);
    mustBeWhole(s, other);
  });
}

function thirdIsAway(s: Scenario): void {
  const acts = new AlarmActs(s);
  const leader = s.found();
  const [odd, away] = s.others(leader) as [string, string];
  s.kill(away);
  twist(s, odd);
  acts.waitUntil([leader, odd], AlarmType.Corrupt, true, 2 * atRestMs);
  acts.mustRefuse([leader, odd], KvError.Corrupt);
  s.start(away);
  s.waitFor("the third decides", atRestMs, () => s.status(odd).reason !== "");
  mustBeWhole(s, odd);
  acts.deactivate(s.leader()!, AlarmType.Corrupt);
  acts.waitUntil(s.names, AlarmType.Corrupt, false, 5_000);
}

function noMajority(s: Scenario): void {
  const acts = new AlarmActs(s);
  const leader = s.found();
  const [first, second] = s.others(leader) as [string, string];
  twist(s, first, 0);
  twist(s, second, 1);
  acts.waitUntil(s.names, AlarmType.Corrupt, true, atRestMs);
  s.expect(
    "it says where and what",
    /live digest differs at applied index \d+: [0-9a-f]{16}, and [0-9a-f]{16} of /.test(
      s.status(leader).alarms[0]!.text,
    ),
  );
  acts.mustRefuse(s.names, KvError.Corrupt);
  s.expect(
    "nobody gave its state up",
    s.names.every((name) => s.status(name).reason === ""),
  );
  // The operator holds the leader for the one that is right.
  s.kill(first);
  s.wipe(first);
  s.start(first);
  s.waitFor("it is a member again", 20_000, () => s.settled(s.names));
  s.waitFor("the other one is outvoted", atRestMs, () => s.status(second).reason !== "");
  mustBeWhole(s, second);
  acts.deactivate(s.leader()!, AlarmType.Corrupt);
  acts.waitUntil(s.names, AlarmType.Corrupt, false, 5_000);
  s.mustWrite(s.leader()!);
}

export const oddStateOut: Story = stories("odd-state-out", (stage) => {
  followers(stage);
  leaders(stage);
  stage.play("a learner", { members: 4, founders: 3 }, learner);
  stage.play("no majority", {}, noMajority);
  stage.play("two that differ, and the third is away", {}, thirdIsAway);
});
