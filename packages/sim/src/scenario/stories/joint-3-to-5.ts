// From three voters to five by the core's joint change (thesis §4.3, P2; lessons 28 to 32), with every
// partition and every crash at every step of it. Never two leaders of a term; while joint, nothing is
// acknowledged without a majority of the old voters and one of the new (watch/configurations.ts counts
// by itself); whoever died does not stop the change while both majorities live, and without both it
// does not end. The genesis has five voters, so two become learners first, by a joint change too.
import { ConfChangeType, isJoint } from "@quorate/raft";
import type { Scenario } from "../scenario.ts";
import { stories, type Story } from "../story.ts";
import { type Fault, otherFaults, tellingCuts } from "./joint-faults.ts";

/** When this member, by its place, passes the mark and is joint or not. */
const steps = [
  { name: "the change is in the leader's log", at: 0, mark: "ready.persisting", joint: false },
  { name: "the leader is joint", at: 0, mark: "turn.applied", joint: true },
  { name: "the end of it is in the leader's log", at: 0, mark: "ready.persisting", joint: true },
  { name: "an old follower is joint", at: 2, mark: "turn.applied", joint: true },
  { name: "a new voter is joint", at: 4, mark: "turn.applied", joint: true },
];
type Step = (typeof steps)[number];

/** Some member has it in force, and it is not joint. */
function voters(s: Scenario, count: number): boolean {
  const running = s.names.filter((name) => s.running(name) && s.inside(name) !== null);
  return running.some((name) => s.conf(name).voters.length === count && !isJoint(s.conf(name)));
}

/** The index of the change; 0: not taken. */
function proposeFive(s: Scenario): number {
  const leader = s.names.find((name) => s.leads(name) && s.conf(name).voters.length === 3);
  const grow = s.names.slice(3).map((name) => [ConfChangeType.AddVoter, name] as const);
  if (leader === undefined || !s.change(leader, grow)) return 0;
  return s.status(leader).lastIndex;
}

/** The leader may have died before anybody else had the change: then it is proposed anew. */
function reachFive(s: Scenario, what: string, names: readonly string[]): void {
  const until = s.nowMs + 30 * s.timeoutMs;
  while (s.nowMs < until && !(voters(s, 5) && s.settled(names))) {
    s.run(20);
    proposeFive(s);
  }
  s.expect(what, voters(s, 5) && s.settled(names));
}

function beginWithThree(s: Scenario): void {
  const leader = s.waitForLeader(20 * s.timeoutMs);
  const shrink = s.names.slice(3).map((name) => [ConfChangeType.AddLearner, name] as const);
  s.change(leader, shrink);
  s.waitFor("three voters", 20 * s.timeoutMs, () => {
    return s.names.every((name) => s.conf(name).voters.length === 3 && !isJoint(s.conf(name)));
  });
  const old = s.names[0]!;
  if (!s.leads(old)) s.transfer(old);
  s.waitFor("an old voter leads", 20 * s.timeoutMs, () => s.leads(old));
}

function tell(s: Scenario, step: Step, fault: Fault): void {
  beginWithThree(s);
  let struck = false;
  let index = 0;
  let endIsOnOneSide = false;
  const strike = (): void => {
    struck = true;
    const holders = s.names.filter((name) => index > 0 && s.status(name).durableIndex > index);
    const isUp = (name: string): boolean => fault.up.includes(name);
    endIsOnOneSide = holders.every(isUp) || !holders.some(isUp);
    s.timeline.tell("story", `when ${step.name}: ${fault.name}`);
    fault.strike(s);
  };
  const who = s.names[step.at]!;
  let growing = true;
  s.whenMarked(who, step.mark, strike, () => growing && isJoint(s.conf(who)) === step.joint);
  // A new leader takes a change only once it has committed in its term.
  for (let tries = 0; !struck && tries < 50; tries++) {
    if (s.names.every((name) => s.conf(name).voters.length === 5 && !isJoint(s.conf(name)))) {
      // Whoever applies beginning and end in one turn is not joint between two turns: once more.
      growing = false;
      beginWithThree(s);
      growing = true;
    }
    index = proposeFive(s) || index;
    s.run(5);
  }
  s.expect(step.name, struck);
  for (const name of s.names.filter((name) => s.running(name))) s.put(name);
  const oldUp = fault.up.filter((name) => s.names.indexOf(name) < 3).length;
  if (oldUp >= 2 && fault.up.length >= 3) {
    reachFive(s, "both majorities live: the change ends", fault.up);
  } else {
    s.run(3 * s.timeoutMs);
    // What the others had acknowledged before counts on.
    if (endIsOnOneSide) s.expect("one majority is missing: it does not", !voters(s, 5));
  }
  s.heal();
  s.start(...s.names.filter((name) => !s.running(name)));
  reachFive(s, "five voters in the end", s.names);
}

export const joint3To5: Story = stories("joint-3-to-5", (stage) => {
  for (const step of steps) {
    stage.play(step.name, { members: 5 }, (s) => {
      s.found();
      const rest = s.world.random("faults").shuffle(otherFaults(s.names));
      for (const fault of tellingCuts(s.names)) tell(s, step, fault);
      for (const fault of stage.full ? rest : rest.slice(0, 2)) tell(s, step, fault);
    });
  }
});
