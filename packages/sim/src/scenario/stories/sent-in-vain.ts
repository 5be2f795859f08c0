// A follower that gets no further, however much it is sent (reliability.md §3.7, S18). Its process ends
// soon after each start, and has taken nothing; or no snapshot reaches it. The leader soon sends one append
// a second, and snapshots at ever longer intervals; half a minute later an alarm says what was in vain. All
// of it ends by itself when the cause does.
import { AlarmType } from "@quorate/kv";
import { JournalKind } from "@quorate/host";
import { FrameParser, FrameType, frameBodyBytesMax } from "@quorate/host/internal";
import { MessageType, StallCause, type StallStatus } from "@quorate/raft";
import { ExitCode } from "@quorate/storage";
import { DiskOperation } from "../../disk/disk-operation.ts";
import { AlarmActs } from "../alarm-acts.ts";
import type { Scenario } from "../scenario.ts";
import { shortLog } from "../scenario-options.ts";
import { stories, type Story } from "../story.ts";

/** An operator is told after so long. */
const patienceMs = 30_000;
/** For a snapshot, at most. */
const newProcessWaitMs = 10_000;
/** Time is counted in ticks, by two sides. */
const twoTicksMs = 20;
/** A transfer that gets no further is given up then. */
const noProgressMs = 30_000;

export const sentInVain: Story = stories("sent-in-vain", (stage) => {
  stage.play("a process that ends before it has taken anything", {}, (s) => {
    const acts = new AlarmActs(s);
    const leader = s.found();
    const sick = s.others(leader)[0]!;
    const stall = (): StallStatus | null => stallOf(s, leader, sick);
    const session = (): number => peerOf(s, leader, sick).session;
    s.kill(sick);
    const lackBytes = 40_000;
    s.fill(leader, 40, lackBytes / 40);
    const endOfLoss = s.lose([MessageType.AppendEntries], leader, sick);
    let starts = 0;
    const startInVain = (): void => {
      const before = session();
      s.start(sick);
      s.waitFor(`${sick} is heard`, 5_000, () => session() !== before);
      s.disk(sick).refuse(DiskOperation.Write, "/wal-", "EIO");
      s.waitForExit(sick, ExitCode.WriteFailed, 5_000);
      s.disk(sick).mend();
      starts++;
    };
    while (stall()?.cause !== StallCause.Bytes) {
      s.expect("the breaker opens after a few starts", starts < 20);
      startInVain();
    }
    const openedMs = s.nowMs;
    const openedBytes = stall()!.count;
    starts = 0;
    while (s.nowMs - openedMs < patienceMs) {
      s.expect("no alarm before", !acts.isActive(leader, AlarmType.ReplicationStalled));
      startInVain();
    }
    const seconds = (s.nowMs - openedMs) / 1000;
    s.expect("it started more often than once a second", starts > 1.5 * seconds);
    const vain = stall()!.count - openedBytes;
    s.expect("an append a second", vain <= (seconds + 1) * 1.2 * lackBytes, () => `${vain}`);
    s.expect("it was tried", vain >= (seconds / 3) * lackBytes, () => `${vain}`);
    acts.waitUntil([leader], AlarmType.ReplicationStalled, true, 3_000);
    expectText(s, leader, /^it was sent \d+ bytes in vain and has /);
    endOfLoss();
    s.start(sick);
    // Where the log it lacks is cut off by now, snapshots were in vain too: a new process waits for one.
    s.waitFor("it has all", newProcessWaitMs + 5_000, () => s.settled(s.names) && stall() === null);
    acts.waitUntil(s.names, AlarmType.ReplicationStalled, false, 5_000);
  });

  stage.play("snapshots of which nothing arrives", { host: shortLog }, (s) => {
    const acts = new AlarmActs(s);
    const leader = s.found();
    const late = s.others(leader)[0]!;
    const stall = (): StallStatus | null => stallOf(s, leader, late);
    s.fallBehind(late);
    const endOfLoss = s.loseOnDialled(leader, late, isChunk);
    s.heal();
    s.waitFor("three were in vain", 120_000, () => stall()?.cause === StallCause.Snapshots);
    s.run(patienceMs);
    acts.waitUntil(s.others(late), AlarmType.ReplicationStalled, true, 5_000);
    expectText(s, leader, /^it was sent \d+ snapshots in vain and has /);
    const sent = s.journal(leader, JournalKind.SnapshotSent);
    const times = sent.map(({ monotonicMs }) => monotonicMs);
    const waits = times.slice(1).map((ms, i) => ms - times[i]!);
    stage.print(`from one snapshot to the next: ${waits.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    const longer = waits.every((ms, i) => ms + twoTicksMs >= noProgressMs + 1000 * 2 ** i);
    s.expect("ever longer waits", waits.length >= 2 && longer);
    endOfLoss();
    s.waitFor("it has all", 60_000, () => s.settled(s.names) && stall() === null);
    acts.waitUntil(s.names, AlarmType.ReplicationStalled, false, 5_000);
  });
});

function isChunk(bytes: Uint8Array): boolean {
  const parser = new FrameParser(frameBodyBytesMax);
  parser.feed(bytes);
  return parser.next()?.type === FrameType.SnapshotChunk;
}

function peerOf(s: Scenario, leader: string, name: string): { readonly session: number } {
  const { memberId } = s.member(name).config;
  return s.status(leader).peers.find((peer) => peer.memberId === memberId)!;
}

function stallOf(s: Scenario, leader: string, name: string): StallStatus | null {
  const id = s.raftId(name);
  return s.status(leader).progress.find((progress) => progress.id === id)?.stall ?? null;
}

function expectText(s: Scenario, name: string, pattern: RegExp): void {
  const { text } = s.status(name).alarms.find(({ type }) => type === AlarmType.ReplicationStalled)!;
  s.expect("the alarm says what was in vain", pattern.test(text), () => text);
}
