// Nine members; followers answer the leader after 10, 50, 100, 30, 30, 30 and 30 ms, and one is dead. A
// write commits with the fourth acknowledgement, not with the last, whose time shows what unanimity
// would cost (for ever, with the dead one). The dead one comes back after many entries and catches up
// without holding up anybody. A leader that dies right after a commit: its heir keeps the entry.
import { mean, quantile, tableLines } from "../figures.ts";
import type { Scenario } from "../scenario.ts";
import { type Stage, stories, type Story } from "../story.ts";

const roundTripsMs = [10, 50, 100, 30, 30, 30, 30];
const neededAcks = 4;

interface WriteTimes {
  readonly acksMs: readonly number[];
  readonly commitMs: number;
  /** Followers that had it when it was committed. */
  readonly acksAtCommit: number;
}

/** One write, until every live follower has acknowledged it. */
function writeOnce(s: Scenario, leader: string): WriteTimes {
  const ask = s.put(leader, "measured");
  const sinceMs = s.nowMs;
  const index = s.status(leader).lastIndex + 1;
  const acksMs: number[] = [];
  let commitMs = 0;
  let acksAtCommit = 0;
  s.world.runUntil(() => {
    const { progress, committed, raftId } = s.status(leader);
    const count = progress.filter(({ id, match }) => id !== raftId && match >= index).length;
    while (acksMs.length < count) acksMs.push(s.nowMs - sinceMs);
    if (commitMs === 0 && committed >= index) {
      commitMs = s.nowMs - sinceMs;
      acksAtCommit = count;
    }
    return count >= roundTripsMs.length && !ask.pending;
  }, 2000);
  return { acksMs, commitMs, acksAtCommit };
}

function printAcks(stage: Stage, writes: readonly WriteTimes[]): void {
  const rows = roundTripsMs.map((_, place) => {
    const ms = mean(writes.map(({ acksMs }) => acksMs[place]!));
    const role = place + 1 === neededAcks ? "commits" : "";
    return [`acknowledgement ${place + 1}`, `${ms.toFixed(1)} ms`, role];
  });
  const commit = mean(writes.map(({ commitMs }) => commitMs));
  rows.push(["commit", `${commit.toFixed(1)} ms`, `${writes.length} writes`]);
  for (const line of tableLines([["mean", "after", ""], ...rows])) stage.print(line);
  const last = mean(writes.map(({ acksMs }) => acksMs.at(-1)!));
  stage.print(
    `unanimity would cost ${last.toFixed(1)} ms a write, and wait for the dead one for ever`,
  );
}

/** So many entries while one is dead; then it catches up, and the others' writes take no longer. */
function catchUp(stage: Stage, s: Scenario, leader: string, dead: string): void {
  const entries = stage.full ? 100_000 : 1_000;
  const burst = 200;
  for (let written = 0; written < entries; written += burst) {
    s.puts(leader, burst, 40);
    s.run(40);
  }
  const stream = s.stream(5, 40);
  s.run(1000);
  const alone = stream.asks.splice(0);
  s.start(dead);
  const same = (): boolean => {
    return s.running(dead) && s.status(dead).applied >= s.status(leader).committed - 2;
  };
  const tookMs = s.waitFor(`it catches up with ${entries} entries`, 60_000, same);
  s.run(Math.max(0, 1000 - tookMs));
  const beside = stream.asks.splice(0);
  stream.stop();
  const slow = (asks: typeof alone): number =>
    quantile(
      asks.map((ask) => ask.tookMs),
      0.99,
    );
  s.run(200);
  stage.print(
    `99 % of writes: ${slow(alone).toFixed(1)} ms without it, ${slow(beside).toFixed(1)} ms ` +
      `beside its catching up, which took ${tookMs.toFixed(0)} ms`,
  );
  s.expect("it holds up nobody", slow(beside) <= 1.2 * slow(alone) + 5);
}

export const slowFollowers9: Story = stories("slow-followers-9", (stage) => {
  const options = {
    members: 9,
    electionTimeoutMs: 1000,
    electionTimeoutRandomizationMs: 1000,
    network: { delayMinUs: 10, delayMaxUs: 100 },
  };
  stage.play("", options, (s) => {
    const leader = s.found();
    const followers = s.others(leader);
    const dead = followers.at(-1)!;
    s.kill(dead);
    for (const [place, ms] of roundTripsMs.entries()) {
      s.delay(leader, followers[place]!, ms / 2);
      s.delay(followers[place]!, leader, ms / 2);
    }
    s.run(500);
    const writes = Array.from({ length: stage.full ? 200 : 10 }, () => writeOnce(s, leader));
    printAcks(stage, writes);
    const fourth = writes.every(({ acksAtCommit }) => acksAtCommit === neededAcks);
    s.expect("every write commits with the fourth acknowledgement", fourth);
    catchUp(stage, s, leader, dead);

    const last = s.put(leader, "last");
    const index = s.status(leader).lastIndex + 1;
    s.waitFor("a write is acknowledged", 1000, () => last.acknowledged);
    const { term } = s.status(leader);
    s.kill(leader);
    const heir = s.waitForLeader(5 * s.timeoutMs, s.others(leader));
    s.expect("the heir has it", s.inside(heir)!.raft.termAt(index) === term);
    const read = s.read(heir, "last");
    s.waitFor("and it is read there", 1000, () => read.acknowledged);
  });
});
