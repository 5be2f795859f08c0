// The 2|3 partition of five members with writes on both sides (reliability.md §8, 53; P7). The old
// leader and one more are cut off: they acknowledge nothing, answer no linearizable read, and the
// leader steps down within T and two heartbeats. On heal their tail goes, and what every client heard
// of a write in flight is what happened to it.
import { type Story, story } from "../story.ts";

export const partition23: Story = story("partition-2-3", { members: 5 }, (s) => {
  const old = s.found();
  const [mate, ...majority] = s.others(old) as [string, ...string[]];
  const minority = [old, mate];
  s.load({ clients: 6 });
  s.run(500);

  s.cut(minority, majority);
  const writes = minority.flatMap((name) => s.puts(name, 5));
  const reads = minority.map((name) => s.read(name));
  const bound = s.timeoutMs + 2 * s.options.heartbeatIntervalMs;
  s.waitFor("the old leader steps down within T and two heartbeats", bound, () => !s.leads(old));
  const elected = s.waitForLeader(5 * s.timeoutMs, majority);
  s.mustWrite(elected);
  s.run(s.timeoutMs);

  const tail = s.status(old);
  s.expect("the cut-off leader has a tail", tail.lastIndex > tail.committed);
  s.expect("the minority acknowledges no write", !writes.some((ask) => ask.acknowledged));
  s.expect("the minority answers no read", !reads.some((ask) => ask.acknowledged));

  s.heal();
  s.waitForLeader(5 * s.timeoutMs);
  const term = s.status(elected).term;
  const gone = (): boolean => (s.inside(old)!.raft.termAt(tail.lastIndex) ?? term) > tail.term;
  s.waitFor("the tail is gone", 5 * s.timeoutMs, gone);
  const told = (): boolean => !writes.some((ask) => ask.pending || ask.acknowledged);
  s.waitFor("every write of the minority was answered: not committed, or unknown", 5000, told);
});
