// Some of a snapshot's chunks are lost, and their link lives on. Its receiver takes none behind a gap
// and asks for what is missing: the transfer goes on from there, and one is enough.
import { JournalKind } from "@quorate/host";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const host = { ...shortLog, storage: smallFiles };

export const lostSnapshotChunks: Story = story("lost-snapshot-chunks", { host }, (s) => {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  for (let round = 0; round < 10; round++) s.fill(leader, 20, 2_000);
  s.fallBehind(late);
  const { chances } = s.cluster.network.way(leader, late);
  chances.lossChance = 0.1;
  s.heal();
  const received = (): number => s.member(late).host!.counters().snapshotsReceived;
  s.waitFor("a snapshot is in force", 20_000, () => received() > 0);
  chances.lossChance = 0;
  const sent = s.journal(leader, JournalKind.SnapshotSent);
  s.expect("one transfer was enough", sent.length === 1 && sent[0]!.value === 1);
});
