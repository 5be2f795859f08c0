// MongoDB 3.4.0-rc3, SERVER-16570 (reliability.md §8, 47): a leader counted acknowledgements of entries
// that had been rolled back since. A leader's tail is acknowledged by one follower, and both lose it to
// another leader. Then the first one leads again while that follower is cut off: what it said in the
// earlier term counts for nothing in this one.
import { type Story, story } from "../story.ts";

export const acksOfRolledBackEntries: Story = story(
  "acks-of-rolled-back-entries",
  { members: 5 },
  (s) => {
    const first = s.found();
    const [mate, ...rest] = s.others(first) as [string, ...string[]];
    const matchOf = (name: string): number =>
      s.status(first).progress.find(({ id }) => id === s.raftId(name))?.match ?? 0;
    s.cutForGood([first, mate], rest);
    s.puts(first, 20);
    const tail = s.status(first).committed + 20;
    s.waitFor("the mate has the tail", s.timeoutMs, () => matchOf(mate) >= tail);
    const second = s.waitForLeader(20 * s.timeoutMs, rest);
    s.heal();
    s.waitForLeader(20 * s.timeoutMs);
    const lost = (): boolean => [first, mate].every((name) => s.status(name).lastIndex < tail);
    s.waitFor("both have lost it", s.timeoutMs, lost);

    s.cutForGood([mate], [first, ...rest]);
    s.transfer(first);
    s.waitFor("the first one leads again", 5 * s.timeoutMs, () => s.leads(first));
    s.mustWrite(first);
    const witness = rest.find((name) => name !== second)!;
    s.cutForGood([first, witness], s.others(first, witness));
    const index = s.status(first).lastIndex + 1;
    const write = s.put(first);
    s.waitFor("one has the write", s.timeoutMs, () => matchOf(witness) >= index);
    s.waitFor("the first one steps down", 2 * s.timeoutMs, () => !s.leads(first));
    s.expect("two of five acknowledge nothing", !write.acknowledged);
  },
);
