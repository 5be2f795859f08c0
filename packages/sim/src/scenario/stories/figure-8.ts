// logcabin#44, canonical/raft#220 (reliability.md §8, 28): entries of an earlier term committed by
// counting copies (Raft figure 8). An entry of the first leader comes to a majority in a later term,
// while that term's own entries reach nobody; then a member with a newer, shorter log is elected and
// overwrites it. Whoever had called it committed would have lied.
import { EntryKind, type Message, MessageType } from "@quorate/raft";
import { storageDefaults } from "@quorate/storage";
import { type Story, story } from "../story.ts";

const append = [MessageType.AppendEntries];
/** An entry that fills a message by itself, so that no other one comes with it. */
const largeBytes = 1_100_000;
const host = {
  requestBytesMax: 1_500_000,
  storage: { ...storageDefaults, walSegmentBytes: 2_097_152 },
};

function opensTerm(message: Message): boolean {
  return message.entries.some((entry) => entry.kind === EntryKind.Empty);
}

export const figure8: Story = story("figure-8", { members: 5, host }, (s) => {
  const first = s.found();
  const [second, ...rest] = s.others(first) as [string, ...string[]];
  s.cut([first, second], rest);
  const write = s.put(first, "large", largeBytes);
  const index = s.status(first).lastIndex + 1;
  s.waitFor("one more has the entry", 1000, () => s.status(second).durableIndex >= index);
  s.kill(first, second);

  const endOfLoss = s.lose(append, null, null);
  const usurper = s.waitForLeader(20 * s.timeoutMs, rest);
  const holds = (): boolean => s.status(usurper).durableIndex >= index;
  s.waitFor("the usurper has an entry of its own there", 1000, holds);
  s.kill(usurper);
  endOfLoss();

  // Those who lack the old entry get it; then nothing of the new term follows.
  const holdsOld = (id: number): boolean =>
    s.names.some((name) => s.status(name).raftId === id && s.status(name).lastIndex >= index);
  const endOfSilence = s.lose(append, null, null, (m) => opensTerm(m) && holdsOld(m.to));
  s.start(first, second);
  s.heal();
  const four = s.others(usurper);
  const heir = s.waitForLeader(30 * s.timeoutMs, four);
  const copies = (): number => four.filter((name) => s.status(name).durableIndex >= index).length;
  s.waitFor("the old entry is on a majority", 5000, () => copies() >= 3);
  s.run(s.timeoutMs);
  s.expect("and is not committed by that", s.status(heir).committed < index && !write.acknowledged);
  s.kill(first, second);
  endOfSilence();
  s.start(usurper);
  s.waitForLeader(30 * s.timeoutMs, s.others(first, second));
});
