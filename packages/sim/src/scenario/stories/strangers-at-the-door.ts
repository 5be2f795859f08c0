// Somebody dials the peer ports all the time: of another cluster, token, genesis or protocol, not
// listed, under the receiver's own name, or talking nonsense. Each is refused with its reason, and
// the members work on as if nobody had come ("strangers are refused by name").
import { Strangers } from "../../nemesis/strangers.ts";
import { type Story, story } from "../story.ts";

export const strangersAtTheDoor: Story = story("strangers-at-the-door", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  const strangers = new Strangers(s.cluster, { pauseMinMs: 10, pauseMaxMs: 40 });
  strangers.start();
  s.load();
  s.run(4_000);
  strangers.stop();
  s.expect("a hundred have come", s.world.faults.of("network.stranger") >= 100);
  s.expect("the leader is the same", s.leads(leader) && s.status(leader).term === term);
});
