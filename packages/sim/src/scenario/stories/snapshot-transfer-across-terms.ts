// scylladb#29264 (reliability.md §8, 43): a snapshot transfer of an old term went on beside the new
// leader's. The transfer is slow, leadership is handed over in the middle; the follower ends with one
// snapshot, of a leader that still leads, and with the state of the others.
import { JournalKind } from "@quorate/host";
import { ProgressKind } from "@quorate/raft";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const snapshotTransferAcrossTerms: Story = story(
  "snapshot-transfer-across-terms",
  { members: 3, host: { ...shortLog, snapshotBytesPerSecond: 200_000 } },
  (s) => {
    const first = s.found();
    const [late, second] = s.others(first) as [string, string];
    s.fill(first, 60, 10_000);
    s.fallBehind(late);
    s.heal();
    const sending = (): boolean =>
      s.status(first).progress.some(({ kind }) => kind === ProgressKind.Snapshot);
    s.waitFor("a snapshot is on its way", 5000, sending);
    s.run(200);
    s.transfer(second);
    s.waitFor("the other one leads", 5000, () => s.leads(second));
    const counted = (): number => s.member(late).host!.counters().snapshotsReceived;
    s.waitFor("a snapshot is in force", 20_000, () => counted() === 1);
    s.run(2 * s.timeoutMs);
    s.expect("one snapshot was enough", counted() === 1);
    const sent = s.journal(second, JournalKind.SnapshotSent);
    s.expect("the new leader sent it", sent.length === 1 && sent[0]!.value === 1);
  },
);
