// P2: a member is added and another one removed while the leader, the newcomer or an old member dies,
// by kill -9 or by power loss, at each stage of it. The dead one comes back, and the change ends as it
// was asked for: whoever was added votes, whoever was removed is gone, and nothing acknowledged is lost.
import { isJoint } from "@quorate/raft";
import { MembershipActs } from "../membership-acts.ts";
import type { Scenario } from "../scenario.ts";
import { stories, type Story } from "../story.ts";

interface Stage {
  readonly name: string;
  /** At whose mark. */
  readonly who: "leader" | "newcomer";
  readonly mark: string;
  readonly when: (s: Scenario, acts: MembershipActs, leader: string) => boolean;
}

function entered(s: Scenario, leader: string, count: number): boolean {
  const { voters, learners } = s.conf(leader);
  return voters.length + learners.length === count;
}

const isBorn = (s: Scenario): boolean => s.inside("m3") !== null;

const stages: readonly Stage[] = [
  {
    name: "the newcomer's directory is made",
    who: "newcomer",
    mark: "identity.write",
    when: () => true,
  },
  { name: "it says that it joins", who: "newcomer", mark: "joining.write", when: () => true },
  { name: "it has said so", who: "newcomer", mark: "joining.written", when: () => true },
  {
    name: "it is a learner for the leader",
    who: "leader",
    mark: "turn.applied",
    when: (s, _acts, leader) => s.conf(leader).learners.length === 1,
  },
  {
    name: "it knows itself a learner",
    who: "newcomer",
    mark: "turn.applied",
    when: (s) => isBorn(s) && s.conf("m3").learners.includes(s.raftId("m3")),
  },
  {
    name: "it votes for the leader",
    who: "leader",
    mark: "turn.applied",
    when: (_s, acts, leader) => acts.isVoter(leader, "m3"),
  },
  {
    name: "it knows itself a voter",
    who: "newcomer",
    mark: "turn.applied",
    when: (s, acts) => isBorn(s) && acts.isVoter("m3", "m3"),
  },
];

const victims = ["leader", "newcomer", "old"] as const;

/** Asked of whoever runs, until it is so: requests of dead members are never answered. */
function insist(s: Scenario, what: string, ask: (by: string) => void, holds: () => boolean): void {
  let askedMs = Number.NEGATIVE_INFINITY;
  s.waitFor(what, 60_000, () => {
    const by = s.leader();
    if (by !== null && s.nowMs - askedMs > 1_500) {
      askedMs = s.nowMs;
      ask(by);
    }
    return holds();
  });
}

function everywhere(s: Scenario, holds: (name: string) => boolean): boolean {
  return s.present().every((name) => s.running(name) && s.inside(name) !== null && holds(name));
}

function tell(s: Scenario, stage: Stage, victim: (typeof victims)[number], power: boolean): void {
  const acts = new MembershipActs(s);
  const leader = s.found();
  const [old] = s.others(leader, "m3") as [string];
  acts.waitUntilHealthy();
  const stream = s.stream(20);
  const dies = victim === "leader" ? leader : victim === "newcomer" ? "m3" : old;
  let struck = false;
  s.whenMarked(
    stage.who === "leader" ? leader : "m3",
    stage.mark,
    () => {
      struck = true;
      if (!s.running(dies)) return;
      if (power) s.powerLoss(dies);
      else s.kill(dies);
    },
    () => stage.when(s, acts, leader),
  );
  acts.must("adds m3", () => acts.add(leader, "m3"));
  acts.start("m3");
  s.waitFor(`stage: ${stage.name}`, 20_000, () => struck);
  s.run(s.timeoutMs);
  if (!s.running(dies)) s.start(dies);
  s.waitFor("it votes in the end", 30_000, () => everywhere(s, (name) => acts.isVoter(name, "m3")));
  acts.waitUntilHealthy();

  const goes = s.leader()!;
  acts.leaves(goes);
  insist(
    s,
    `${goes} is removed`,
    (by) => acts.remove(by, goes),
    () => everywhere(s, (name) => !isJoint(s.conf(name)) && entered(s, name, 3)),
  );
  if (s.running(goes)) s.waitForExit(goes, 73, 10_000);
  stream.stop();
}

export const membersCrashAtEveryStage: Story = stories("members-crash-at-every-stage", (stage) => {
  for (const at of stages) {
    for (const victim of victims) {
      // In the short form every other case, and power loss where it tells most.
      const powers = stage.full ? [false, true] : [victim === "newcomer"];
      for (const power of powers) {
        const how = power ? "loses power" : "is killed";
        stage.play(`${at.name}: the ${victim} ${how}`, { members: 4, founders: 3 }, (s) =>
          tell(s, at, victim, power),
        );
      }
    }
  }
});
