// Rows 3 and 9 of §3.3: entries that a member had acknowledged are damaged while it is down. It starts,
// its vote counts for as far as it had promised, it leads nobody, and the log is made whole again: by the
// leader; from its own disk and by others where nobody leads (§3.5); or by a leader whose log has
// something else there, because what was lost was never committed.
import { storageDefaults } from "@quorate/storage";
import type { Scenario } from "../scenario.ts";
import { type Stage, type Story, stories } from "../story.ts";

/** Room for what comes again in more than one message. */
const longLog = {
  requestBytesMax: 1_500_000,
  checkpointBytes: 67_108_864,
  storage: { ...storageDefaults, walSegmentBytes: 4_194_304 },
};
const filling = "a hole in the log is being filled";

export const holeInTheLog: Story = stories("hole-in-the-log", (stage) => {
  stage.play("the leader gives what is lost", {}, (s) => {
    const leader = s.found();
    const [victim, other] = s.others(leader) as [string, string];
    write(s, leader, 12);
    damage(s, victim, leader, 4);
    s.cut([victim], [leader, other]);
    s.start(victim);
    s.waitFor("it says so", 5000, () => s.status(victim).reason.startsWith(filling));
    s.heal();
    whole(s, victim);
    s.kill(leader);
    s.waitForLeader(20 * s.timeoutMs, [victim, other]);
    s.start(leader);
    // The damaged bytes are still there, and are nothing to speak of any more.
    s.kill(victim);
    s.start(victim);
    s.waitFor("its next start finds nothing missing", 5000, () => s.status(victim).reason === "");
  });

  killedMeanwhile(stage);

  stage.play("its vote counts for what it had promised", {}, (s) => {
    const leader = s.found();
    const [victim, other] = s.others(leader) as [string, string];
    write(s, leader, 3);
    s.cutForGood([other], [leader, victim]);
    write(s, leader, 6, 3);
    damage(s, victim, leader, 4);
    s.kill(leader);
    s.heal();
    s.start(victim);
    s.run(20 * s.timeoutMs);
    s.expect("who lacks what it had acknowledged is not elected", s.leader() === null);
    s.expect("nor is it itself", s.status(victim).reason.startsWith(filling));
    s.start(leader);
    s.waitFor("who has it is", 20 * s.timeoutMs, () => s.leader() === leader);
    whole(s, victim);
  });

  withoutLeader(stage, "each has what the other lacks", [4], [14]);
  withoutLeader(stage, "one hole begins where the other ends", [4, 5], [7, 8]);

  stage.play("what was lost was never committed", { members: 5 }, (s) => {
    const leader = s.found();
    const [victim, ...others] = s.others(leader) as [string, string, string, string];
    write(s, leader, 12);
    s.cutForGood([leader, victim], others);
    s.puts(leader, 3);
    s.run(20);
    damage(s, victim, leader, 4);
    s.kill(leader);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, others));
    s.heal();
    s.start(victim);
    whole(s, victim);
    s.start(leader);
  });
});

function killedMeanwhile(stage: Stage): void {
  stage.play("it is killed while it is being filled", { host: longLog }, (s) => {
    const leader = s.found();
    const [victim, other] = s.others(leader) as [string, string];
    write(s, leader, 20, 0, 500_000);
    // More than one message of the leader brings, or one answer of another.
    damage(s, victim, leader, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    s.start(victim);
    s.waitFor("it has lost entries", 5000, () => promised(s, victim) > 0);
    const { durableIndex } = s.status(victim);
    const end = promised(s, victim);
    s.waitFor("a part is durable again", 5000, () => s.status(victim).durableIndex > durableIndex);
    s.expect("and not all of it", promised(s, victim) === end);
    s.kill(victim);
    s.cut([victim], [leader, other]);
    s.start(victim);
    s.waitFor("what stands behind it still counts", 5000, () => promised(s, victim) === end);
    s.heal();
    whole(s, victim);
  });
}

/** The entry before a lost one counts as lost: it may have been cut off by what is gone. */
function withoutLeader(
  stage: Stage,
  title: string,
  lostOfFirst: readonly number[],
  lostOfSecond: readonly number[],
): void {
  stage.play(`without a leader, ${title}`, {}, (s) => {
    const leader = s.found();
    const [first, second] = s.others(leader) as [string, string];
    write(s, leader, 20);
    s.run(200);
    damage(s, first, leader, ...lostOfFirst);
    damage(s, second, leader, ...lostOfSecond);
    s.kill(leader);
    s.start(first, second);
    s.waitFor("one of them leads", 60 * s.timeoutMs, () => s.leader() !== null);
    s.mustWrite(s.leader()!);
    for (const name of [first, second]) whole(s, name);
    s.start(leader);
  });
}

/** One after the other: each is a batch of the log. */
function write(s: Scenario, leader: string, count: number, from: number = 0, bytes = 0): void {
  for (let n = from; n < from + count; n++) {
    const ask = s.put(leader, keyOf(leader, n), bytes);
    s.waitFor(`${leader} acknowledges ${n}`, 5000, () => ask.acknowledged);
  }
}

/** Where its log ended before entries of it were lost; 0: none is. */
function promised(s: Scenario, victim: string): number {
  return s.inside(victim)?.raft.promised()?.index ?? 0;
}

function keyOf(leader: string, n: number): string {
  return `story/${leader}/hole-${n}-`;
}

/** It is killed, and the blocks of its log with these writes are lost. */
function damage(s: Scenario, victim: string, leader: string, ...writes: readonly number[]): void {
  s.kill(victim);
  for (const n of writes) s.disk(victim).loseBlockOf("wal-0", keyOf(leader, n));
}

function whole(s: Scenario, victim: string): void {
  s.waitFor("it is whole again", 20 * s.timeoutMs, () => s.status(victim).reason === "");
  s.waitFor("and has caught up", 20 * s.timeoutMs, () => {
    return s.status(victim).applied === s.status(s.leader()!).applied;
  });
  s.expect("it keeps its disk and its place", s.disk(victim).quarantines === 0);
}
