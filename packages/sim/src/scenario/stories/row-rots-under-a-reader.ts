// DESIGN.md 12: rows are read where they stand, long after the scan at the start has found them whole.
// One rots under a member that serves; the first read of it ends that process with exit code 72, with
// the file's name, and gives no answer. The others serve the key, and so does it after its next start.
import { ExitCode } from "@quorate/storage";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const rowRotsUnderAReader: Story = story(
  "row-rots-under-a-reader",
  { host: shortLog },
  (s) => {
    const leader = s.found();
    const victim = s.others(leader)[0]!;
    s.fill(leader, 30, 1000);
    s.run(500);
    s.giveUp(victim);
    // The value of the seventh write.
    const segment = s.disk(victim).flipWord("rows-", "story 7 ");
    const read = s.read(victim, `story/${leader}/6`);
    s.waitFor("it answers or ends", 1000, () => read.acknowledged || !s.running(victim));
    s.expect("it gives no answer", !read.acknowledged);
    s.waitForExit(victim, ExitCode.Damaged, 1000);
    s.expect("it names the file", s.member(victim).incarnation!.reason.includes(segment));
    const other = s.read(leader, `story/${leader}/6`);
    s.waitFor("another one answers", 1000, () => other.acknowledged);
    s.start(victim);
    s.waitFor("it is whole again", 5000, () => s.status(victim).reason === "");
    const again = s.read(victim, `story/${leader}/6`);
    s.waitFor("it answers", 1000, () => again.acknowledged);
  },
);
