// A snapshot takes seconds, writes go on, and the log is cut behind every checkpoint: what follows
// the snapshot must stay until the follower has it, or each snapshot ends before the log begins and
// the next one must be sent, for ever (reliability.md §3.7). One is enough here.
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const host = { ...shortLog, snapshotBytesPerSecond: 100_000 };

export const snapshotUnderLoad: Story = story("snapshot-under-load", { host }, (s) => {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  for (let round = 0; round < 20; round++) s.fill(leader, 10, 4_000);
  s.fallBehind(late);
  s.stream(20, 200);
  s.run(500);
  s.heal();
  const raftId = s.status(late).raftId;
  const follows = (): boolean => {
    const { progress, committed } = s.status(leader);
    return progress.some(({ id, match }) => id === raftId && match + 5 >= committed);
  };
  s.waitFor("the follower is in the log again", 10_000, follows);
  const { snapshotsReceived } = s.member(late).host!.counters();
  s.expect("one snapshot was enough", snapshotsReceived === 1, () => `${snapshotsReceived}`);
});
