// etcd #15220: who asks how far it was told hears of a revision before its events. The watcher begins far
// in the past, is told in slices, and asks at once; what it hears of progress then holds for all of it.
import { type Story, story } from "../story.ts";
import { Watching } from "../watching.ts";

/** Rows: more than a member reads for those who are behind in one turn; and few bytes: nobody is held up. */
const writes = 2800;
const atOnce = 400;

export const progressBehindItsEvents: Story = story("progress-behind-its-events", {}, (s) => {
  const leader = s.found();
  for (let written = 0; written < writes; written += atOnce) s.fill(leader, atOnce, 10);
  const { revision } = s.status(leader);
  const watching = new Watching(s, leader, "a", 2);
  watching.askProgress();
  s.waitFor("it hears how far it was told", 5_000, () => watching.progress !== null);
  s.expect(
    "everything up to there was told before",
    watching.revisions.length === writes && watching.revisions.at(-1) === watching.progress,
    () => `${watching.describe()}, progress at ${watching.progress}`,
  );
  s.expect("and that is everything", watching.progress === revision, () => watching.describe());
});
