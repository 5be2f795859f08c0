// etcd #20221: a watcher from a revision that its member has not reached is told of events before it.
// The member is behind; the client knows a newer revision from another one.
import { type Story, story } from "../story.ts";
import { Watching } from "../watching.ts";

export const futureWatchOnALateMember: Story = story("future-watch-on-a-late-member", {}, (s) => {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  s.fill(leader, 5, 10);
  s.cut([late], s.others(late));
  s.fill(leader, 10, 10);
  const start = s.status(leader).revision + 3;
  const watching = new Watching(s, late, "a", start);
  s.waitFor("it watches", 500, () => watching.created);
  watching.askProgress();
  s.heal();
  s.waitFor("the member has caught up", 2_000, () => s.status(late).revision >= start - 3);
  s.expect(
    "nothing was told, not even progress",
    watching.revisions.length === 0 && watching.progress === null,
    () => watching.describe(),
  );
  s.fill(leader, 6, 10);
  const last = s.status(leader).revision;
  s.waitFor("it is told from its revision on", 1_000, () => watching.revisions.at(-1) === last);
  s.expect("and of nothing before", watching.revisions[0] === start, () => watching.describe());
  s.waitFor("now there is progress", 500, () => watching.progress !== null);
});
