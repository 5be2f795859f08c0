// etcd #15271: a member that was cut off takes a snapshot, and who watches on it is told of what it was
// told before, or never of what came meanwhile. The watcher goes on where it was; when its history was
// compacted meanwhile another is told so, and nothing in between.
import { CompactionRequest } from "@quorate/kv";
import { shortLog } from "../scenario-options.ts";
import type { Scenario } from "../scenario.ts";
import { type Stage, stories, type Story } from "../story.ts";
import { planned } from "../../workloads/workload.ts";
import { Watching } from "../watching.ts";

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at).join(" ");
}

/** A watcher of a follower that has been told of the first writes; then it falls behind. */
function behind(s: Scenario): { leader: string; late: string; watching: Watching } {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  const watching = new Watching(s, late, "a", 0);
  s.waitFor("it watches", 500, () => watching.created);
  s.fill(leader, 5, 10);
  s.waitFor("it is told of the first writes", 500, () => watching.revisions.length === 5);
  s.fallBehind(late);
  return { leader, late, watching };
}

function comeBack(s: Scenario, late: string): void {
  s.heal();
  const received = (): number => s.member(late).host!.counters().snapshotsReceived;
  s.waitFor("a snapshot is in force", 20_000, () => received() > 0);
}

function goesOn(s: Scenario): void {
  const { leader, late, watching } = behind(s);
  const { revision } = s.status(leader);
  comeBack(s, late);
  s.waitFor("it is told of everything", 2_000, () => watching.revisions.at(-1) === revision);
  s.expect(
    "each revision was told once, in order",
    watching.revisions.join(" ") === numbers(2, revision),
    () => watching.describe(),
  );
  watching.askProgress();
  s.waitFor("it hears how far it was told", 500, () => watching.progress !== null);
}

function isCompacted(s: Scenario): void {
  const { leader, late, watching } = behind(s);
  const { revision } = s.status(leader);
  const compaction = s.ask(leader, planned(new CompactionRequest({ revision })));
  s.waitFor("history is compacted", 1_000, () => compaction.acknowledged);
  // The snapshot is to know of it.
  s.fill(leader, 30, 500);
  s.run(300);
  comeBack(s, late);
  const isTold = (): boolean => watching.compactRevision === revision;
  s.waitFor("it is told that its history is gone", 2_000, isTold);
  const again = new Watching(s, late, "a", revision);
  s.waitFor("another begins where history does", 2_000, () => again.revisions.length > 30);
  s.expect(
    "the first was told of nothing more",
    watching.revisions.join(" ") === numbers(2, 6),
    () => watching.describe(),
  );
  s.expect("the second of everything", again.revisions[0] === revision, () => again.describe());
}

export const watchAcrossASnapshot: Story = stories("watch-across-a-snapshot", (stage: Stage) => {
  stage.play("it goes on", { host: shortLog }, goesOn);
  stage.play("its history is compacted", { host: shortLog }, isCompacted);
});
