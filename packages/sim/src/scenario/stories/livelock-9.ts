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

/**
 * Leader after leader is cut off with a tail that only its own side has; the rest goes on, so that
 * the first side lags by so many ms of writes.
 */
function tangle(s: Scenario, lagMs: number): void {
  let rest = [...s.names];
  s.found();
  const deposed: string[] = [];
  for (const [side, tail] of [
    [2, 10],
    [2, 25],
    [1, 5],
  ] as const) {
    const leader = s.waitForLeader(bound * s.timeoutMs, rest);
    if (deposed.length === 1) {
      const stream = s.stream(20, 100);
      s.run(lagMs);
      stream.stop();
    }
    s.fill(leader, 20, 200);
    const cutOff = [leader, ...rest.filter((name) => name !== leader).slice(0, side - 1)];
    rest = rest.filter((name) => !cutOff.includes(name));
    s.cutForGood(cutOff, s.others(...cutOff));
    s.puts(leader, tail, 100);
    deposed.push(leader);
  }
  s.run(6 * s.timeoutMs);
  const terms = deposed.map((name) => s.inside(name)!.raft.termAt(s.status(name).lastIndex));
  const tails = deposed.every((name) => s.status(name).lastIndex > s.status(name).committed);
  s.expect("three tails, each of a term of its own", tails && new Set(terms).size === 3);
  const [first, , last] = deposed.map((name) => s.status(name).committed) as [
    number,
    number,
    number,
  ];
  s.expect("the first side lags", last - first >= lagMs / 40);
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

/** A leader within the bound, that stays: terms do not grow any more. Who, when, in which term. */
function expectCalm(s: Scenario, stage: Stage, names: readonly string[]): string {
  const ms = s.waitFor("a leader within 20 T", bound * s.timeoutMs, () => s.settled(names));
  const leader = s.leader()!;
  const { term } = s.status(leader);
  s.run(6 * s.timeoutMs);
  s.expect("it stays", s.leads(leader) && s.status(leader).term === term);
  const calm = `${leader} leads after ${(ms / s.timeoutMs).toFixed(2)} T, in term ${term}`;
  stage.print(calm);
  return calm;
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

/** Clocks step to and fro; `times` 0: the same run with steps of nothing. */
function clockSteps(s: Scenario, stage: Stage, times: 0 | 1): string {
  splitVotes(s);
  mendDisks(s);
  const random = s.world.random("steps");
  let steps = 0;
  const step = (): void => {
    if (steps++ === 40) return;
    const ms = random.pick([-1, 1]) * random.doublings(2_000, 1e10);
    s.jumpClock(random.pick(s.names), times * ms);
    s.world.after(100_000, step);
  };
  step();
  return expectCalm(s, stage, s.names);
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
  const ms = s.waitFor("a leader within 20 T", bound * s.timeoutMs, () => s.leader() !== null);
  stage.print(
    `under slow disks and stalls somebody leads after ${(ms / s.timeoutMs).toFixed(2)} T`,
  );
  s.mustWrite(s.leader()!, bound * s.timeoutMs);
  s.waitFor("the stalls are over", 60_000, () => stalls > 40);
  s.run(1000);
  mendDisks(s);
  expectCalm(s, stage, s.names);
  s.expect("the journal tells of slow disks", saying(s, JournalKind.SlowDisk).length > 0);
  s.expect("and of stalls", saying(s, JournalKind.Stall).length > 4);
}

export const livelock9: Story = stories("livelock-9", (stage) => {
  const lagMs = stage.full ? 10_000 : 2_000;
  const play = (title: string, tell: (s: Scenario) => void): void =>
    stage.play(title, options, (s) => {
      tangle(s, lagMs);
      tell(s);
    });
  let calm = "";
  play("the faults end", (s) => {
    calm = clockSteps(s, stage, 0);
  });
  play("clock steps", (s) => {
    const stepped = clockSteps(s, stage, 1);
    s.expect("the steps changed nothing", stepped === calm, () => `${calm}; ${stepped}`);
    s.expect("the journal tells of them", saying(s, JournalKind.ClockStepped).length > 4);
  });
  play("wrong peers", (s) => wrongPeers(s, stage));
  play("slow disks and stalls", (s) => slowDisksAndStalls(s, stage));
});
