// Nine members that get nowhere: two deposed leaders with a follower and a tail each, a third one
// alone, four that are too few, all disks slow, seconds of lag, and votes that split in term after term.
// Once the faults end they converge. The same state, held under causes that are often blamed, ends as
// it should, and the journal says what it was: wrong peers are refused by name, steps of wall clocks
// have no effect, slow disks and stalls of memory leave a leader within the bound (L1, L5).
import { JournalKind } from "@quorate/host";
import { MessageType } from "@quorate/raft";
import type { Scenario } from "../scenario.ts";
import { type Stage, stories, type Story } from "../story.ts";

const bound = 20;
const options = { members: 9 };

/** Leader after leader is cut off with a tail that only its own side has; the rest goes on. */
function tangle(s: Scenario, lagMs: number): void {
  let rest = [...s.names];
  s.found();
  for (const [side, tail] of [
    [2, 10],
    [2, 25],
    [1, 5],
  ] as const) {
    const leader = s.waitForLeader(bound * s.timeoutMs, rest);
    s.fill(leader, 20, 200);
    const cutOff = [leader, ...rest.filter((name) => name !== leader).slice(0, side - 1)];
    rest = rest.filter((name) => !cutOff.includes(name));
    s.cutForGood(cutOff, s.others(...cutOff));
    s.puts(leader, tail, 100);
  }
  s.run(lagMs);
  for (const name of s.names) s.disk(name).slow(20);
}

/** All hear each other again, but no vote arrives: candidates beside each other, term after term. */
function splitVotes(s: Scenario): void {
  const endOfLoss = s.lose([MessageType.VoteResponse], null, null);
  s.heal();
  s.run(6 * s.timeoutMs);
  s.expect("nobody leads", s.leader() === null);
  endOfLoss();
}

function mendDisks(s: Scenario): void {
  for (const name of s.names) s.disk(name).mend();
}

/** A leader within the bound, that stays: terms do not grow any more. */
function expectCalm(s: Scenario, stage: Stage, names: readonly string[]): void {
  const ms = s.waitFor("a leader within 20 T", bound * s.timeoutMs, () => s.settled(names));
  const leader = s.leader()!;
  const { term } = s.status(leader);
  s.run(6 * s.timeoutMs);
  s.expect("it stays", s.leads(leader) && s.status(leader).term === term);
  stage.print(`a leader after ${(ms / s.timeoutMs).toFixed(1)} T, in term ${term}`);
}

function saying(s: Scenario, kind: JournalKind): string[] {
  return s.names.filter((name) => s.running(name) && s.journal(name, kind).length > 0);
}

function wrongPeers(s: Scenario, stage: Stage): void {
  const wrong = s.names.slice(0, 2);
  for (const name of wrong) {
    s.kill(name);
    s.configure(name, { token: "another" });
    s.start(name);
  }
  splitVotes(s);
  mendDisks(s);
  const right = s.others(...wrong);
  expectCalm(s, stage, right);
  for (const name of right) {
    const reasons = s.journal(name, JournalKind.PeerRefused).map(({ reason }) => reason);
    const named = wrong.every((odd) => reasons.some((text) => text.startsWith(`${odd}: `)));
    s.expect(`${name} says whom and why`, named && reasons.some((text) => text.includes("token")));
  }
  stage.print(
    `journal of ${right[0]}: ${s.journal(right[0]!, JournalKind.PeerRefused)[0]!.reason}`,
  );
  for (const name of wrong) {
    s.kill(name);
    s.configure(name, {});
    s.start(name);
  }
}

function clockSteps(s: Scenario, stage: Stage): void {
  splitVotes(s);
  mendDisks(s);
  const random = s.world.random("steps");
  let steps = 0;
  const step = (): void => {
    if (steps++ === 40) return;
    s.jumpClock(random.pick(s.names), random.pick([-1, 1]) * random.doublings(2_000, 1e10));
    s.world.after(100_000, step);
  };
  step();
  expectCalm(s, stage, s.names);
  s.expect("the journal tells of the steps", saying(s, JournalKind.ClockStepped).length > 4);
}

function slowDisksAndStalls(s: Scenario, stage: Stage): void {
  splitVotes(s);
  const random = s.world.random("stalls");
  let stalls = 0;
  const stall = (): void => {
    if (stalls++ === 40) return;
    const name = random.pick(s.names);
    if (!s.member(name).incarnation!.paused) {
      s.pause(name);
      s.world.after(random.between(40, 150) * 1000, () => s.resume(name));
    }
    s.world.after(random.between(50, 200) * 1000, stall);
  };
  stall();
  s.waitFor("a leader within 20 T", bound * s.timeoutMs, () => s.leader() !== null);
  s.mustWrite(s.leader()!, bound * s.timeoutMs);
  s.waitFor("the stalls are over", 60_000, () => stalls > 40);
  s.run(1000);
  mendDisks(s);
  expectCalm(s, stage, s.names);
  s.expect("the journal tells of slow disks", saying(s, JournalKind.SlowDisk).length > 0);
  s.expect("and of stalls", saying(s, JournalKind.Stall).length > 4);
}

const causes: readonly [string, (s: Scenario, stage: Stage) => void][] = [
  ["wrong peers", wrongPeers],
  ["clock steps", clockSteps],
  ["slow disks and stalls", slowDisksAndStalls],
];

export const livelock9: Story = stories("livelock-9", (stage) => {
  const lagMs = stage.full ? 10_000 : 2_000;
  stage.play("the faults end", options, (s) => {
    tangle(s, lagMs);
    splitVotes(s);
    mendDisks(s);
    expectCalm(s, stage, s.names);
  });
  for (const [cause, tell] of causes) {
    stage.play(cause, options, (s) => {
      tangle(s, lagMs);
      tell(s, stage);
    });
  }
});
