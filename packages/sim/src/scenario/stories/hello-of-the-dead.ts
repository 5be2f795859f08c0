// Seed 471: before the founding a member dies and is wiped, and starts anew under another raft id. A
// hello that its first process had sent is slow to arrive; by then the founder speaks with the second
// one. Who answers its dial is the present one: the cluster is founded.
import { type Story, story } from "../story.ts";

export const helloOfTheDead: Story = story("hello-of-the-dead", {}, (s) => {
  const [founder, wiped] = s.names as [string, string];
  s.delay(wiped, founder, 200);
  s.start(founder, wiped);
  s.run(300);
  s.delay(wiped, founder, 0);
  s.cluster.network.closeDialled(founder, wiped);
  s.kill(wiped);
  s.wipe(wiped);
  s.start(wiped);
  s.run(400);
  s.mustWrite(s.found());
});
