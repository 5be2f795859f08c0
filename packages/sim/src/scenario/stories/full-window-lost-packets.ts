// etcd#14633 (reliability.md §8, 24; lesson 41): the window to a follower was full of messages that had
// been lost, and nothing was sent to it any more. Here every append to it is lost until the window of
// 256 is full; once the network is whole it has everything within two timeouts (L5).
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const fullWindowLostPackets: Story = story("full-window-lost-packets", {}, (s) => {
  const leader = s.found();
  const follower = s.others(leader)[0]!;
  const id = s.status(follower).raftId;
  const endOfLoss = s.lose([MessageType.AppendEntries], leader, follower);
  const stream = s.stream(1);
  const inFlight = (): number =>
    s.status(leader).progress.find((progress) => progress.id === id)?.inflightMessages ?? 0;
  s.waitFor("the window is full", 5000, () => inFlight() >= 256);
  stream.stop();
  // Until there is nothing new to tell it.
  s.run(100);
  endOfLoss();
  const caughtUp = (): boolean => s.status(follower).applied === s.status(leader).lastIndex;
  s.waitFor("it has caught up", 2 * s.timeoutMs, caughtUp);
});
