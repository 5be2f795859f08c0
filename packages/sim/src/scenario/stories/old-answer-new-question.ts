// P4, etcd#21387: request numbers begin anew with a process. A follower forwards a read and is killed;
// its next process asks again, with the same number, after a write. The leader's answer to the first
// question must not be taken for one to the second: it names an index from before the write.
import { Phase } from "@quorate/host";
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const oldAnswerNewQuestion: Story = story("old-answer-new-question", { members: 5 }, (s) => {
  const leader = s.found();
  const asker = s.others(leader)[0]!;
  s.stream(20);
  s.run(100);
  const losses = s
    .others(leader, asker)
    .map((other) => s.lose([MessageType.Heartbeat], leader, other));
  s.read(asker, "k");
  s.run(30);
  s.kill(asker);
  s.start(asker);
  const back = (): boolean => s.status(asker).phase === Phase.Running && !s.status(asker).quiet;
  s.waitFor("its next process is accepted", 2 * s.timeoutMs, back);
  const write = s.put(leader, "k");
  const late = s.lose([MessageType.AppendEntries], leader, asker);
  s.waitFor("a write is acknowledged", s.timeoutMs, () => write.acknowledged);
  const read = s.read(asker, "k");
  s.run(30);
  for (const end of losses) end();
  s.run(100);
  s.expect("the read waits for the write", read.pending);
  late();
  s.waitFor("it is answered", 3000, () => read.acknowledged);
});
