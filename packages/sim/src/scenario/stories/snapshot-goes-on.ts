// A snapshot that takes seconds is interrupted three times: its link is cut, its receiver is killed, then
// loses its power. Each time it goes on with the files that had come whole, also where the leader offers a
// newer checkpoint by then: what was there before each end is in force at the end.
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

// The first burst of a transfer is larger than what a second brings at this rate.
const host = { ...shortLog, storage: smallFiles, snapshotBytesPerSecond: 200_000 };

export const snapshotGoesOn: Story = story("snapshot-goes-on", { host }, (s) => {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  s.fallBehind(late);
  for (let round = 0; round < 20; round++) s.fill(leader, 40, 1_500);
  const rows = (): string[] => s.disk(late).files("rows-");
  const before = new Set(rows());
  const came = (): string[] => rows().filter((path) => !before.has(path));
  s.heal();
  s.waitFor("files have come", 20_000, () => came().length > 40);
  s.cut([late], s.others(late));
  s.run(300);
  s.heal();
  for (const [end, count] of [
    ["killed", 60],
    ["without power", 80],
  ] as const) {
    s.waitFor("more files have come", 20_000, () => came().length > count);
    const whole = came().length;
    // A dozen may have come at this very moment: what is on its way to the disk may be lost.
    s.run(30);
    if (end === "killed") s.kill(late);
    else s.powerLoss(late);
    s.fill(leader, 10, 1_500);
    s.start(late);
    s.run(200);
    const kept = came().length;
    s.expect("files were kept", kept >= whole - 4, () => `${end}: ${kept} of ${whole}`);
  }
  const first = came().slice(0, 40);
  const received = (): number => s.member(late).host!.counters().snapshotsReceived;
  s.expect("no snapshot has come whole yet", received() === 0);
  s.waitFor("a snapshot is in force", 20_000, () => received() > 0);
  const inForce = rows();
  s.expect(
    "they are in force",
    first.every((path) => inForce.includes(path)),
  );
});
