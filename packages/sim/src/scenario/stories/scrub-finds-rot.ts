// Rot that nobody reads (reliability.md §3.9): a member rereads what it holds and finds it, long before a
// start or a client would have come across it. Damaged rows come anew from another member. A damaged log
// ends the process, with 72, file and offset; a leader hands over first, so that no write waits for an
// election. A disk that refuses three ranges is said to fail, in an alarm.
import { AlarmType } from "@quorate/kv";
import { ExitCode } from "@quorate/storage";
import { AlarmActs } from "../alarm-acts.ts";
import type { Stream } from "../ask.ts";
import type { Scenario } from "../scenario.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { stories, type Story } from "../story.ts";

const scrubIntervalMs = 2_000;
const storage = { ...smallFiles, scrubIntervalMs, scrubBytesPerSecond: 1_048_576 };
/** The log is long enough for sealed segments that stay. */
const host = { ...shortLog, catchUpEntriesMax: 10_000, catchUpBytesMax: 1_048_576, storage };
const withinMs = 2 * scrubIntervalMs + 1_000;

/** Enough for several files of either kind, all of them in a checkpoint. */
function grow(s: Scenario, leader: string): void {
  for (let round = 0; round < 40; round++) s.fill(leader, 5, 400);
  s.run(500);
}

function mustEnd(s: Scenario, name: string, path: string): void {
  s.giveUp(name);
  s.waitForExit(name, ExitCode.Damaged, withinMs);
  const { reason } = s.member(name).incarnation!;
  s.expect("it says where", reason.startsWith(`${path}: offset `), () => reason);
}

function mustRebuild(s: Scenario, name: string): void {
  const received = (): number => s.member(name).host!.counters().snapshotsReceived;
  const before = received();
  s.waitFor(`${name} is sent its state anew`, withinMs, () => received() > before);
  s.waitFor("all serve", 5_000, () => s.settled(s.names));
}

/** The longest that a write was waited for. */
function slowestOf(stream: Stream): number {
  const answered = stream.asks.filter(({ answeredMs }) => answeredMs !== null);
  return Math.max(...answered.map(({ tookMs }) => tookMs));
}

export const scrubFindsRot: Story = stories("scrub-finds-rot", (stage) => {
  stage.play("nothing", { host }, (s) => {
    grow(s, s.found());
    s.load({ workload: "mixed", clients: 3, thinkMaxMs: 50 });
    s.run(4 * scrubIntervalMs);
    for (const name of s.names) {
      const scrubbed = s.status(name).usage!.scrubbedBytes;
      s.expect(`${name} has reread what it holds`, scrubbed > 2 * s.status(name).usage!.rowBytes);
    }
  });

  stage.play("in the log of a follower", { host }, (s) => {
    const leader = s.found();
    const rotten = s.others(leader)[0]!;
    grow(s, leader);
    const [path] = s.disk(rotten).files("wal-0");
    s.disk(rotten).flip(path!, 4096 + 30);
    mustEnd(s, rotten, path!);
    s.mustWrite(leader);
  });

  stage.play("in the log of the leader", { host }, (s) => {
    const leader = s.found();
    grow(s, leader);
    const stream = s.stream(10, 100);
    const [path] = s.disk(leader).files("wal-0");
    s.disk(leader).flip(path!, 4096 + 30);
    const { term } = s.status(leader);
    mustEnd(s, leader, path!);
    const next = s.leader();
    s.expect("somebody leads when it ends", next !== null && next !== leader);
    s.expect("one term further", s.status(next!).term === term + 1);
    s.run(1_000);
    s.expect("no write waited for an election", slowestOf(stream) < s.timeoutMs);
  });

  stage.play("in the rows of the leader", { host }, (s) => {
    const leader = s.found();
    grow(s, leader);
    const stream = s.stream(10, 100);
    const [path] = s.disk(leader).files("rows-");
    s.disk(leader).flip(path!, 500);
    mustRebuild(s, leader);
    s.expect("no write waited for an election", slowestOf(stream) < s.timeoutMs);
  });

  stage.play("a disk that refuses to read", { host }, (s) => {
    const acts = new AlarmActs(s);
    const leader = s.found();
    const failing = s.others(leader)[0]!;
    grow(s, leader);
    const paths = s.disk(failing).files("rows-").slice(0, 3);
    for (const path of paths) s.disk(failing).refusesReads(path, 128, 256);
    mustRebuild(s, failing);
    acts.waitUntil(s.others(failing), AlarmType.DiskFailing, true, 1_000);
    const [alarm] = s.status(leader).alarms;
    s.expect("of that member", alarm!.memberId === s.member(failing).config.memberId);
    s.mustWrite(leader);
  });

  stage.play("a single member goes on", { host, members: 1 }, (s) => {
    const only = s.found();
    grow(s, only);
    const [path] = s.disk(only).files("wal-0");
    s.disk(only).flip(path!, 4096 + 30);
    s.run(withinMs + scrubIntervalMs);
    s.expect("nobody could take its place", s.running(only));
    s.mustWrite(only);
    s.disk(only).heals();
  });
});
