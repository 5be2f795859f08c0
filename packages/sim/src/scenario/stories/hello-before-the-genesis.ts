// Seed 10: a member that restarts says hello before it has recovered and knows the genesis, and again
// afterwards, because the answer takes long. All that is said on one link must agree, or one end takes
// it for a link that carries Raft and the other one for talk of the genesis only, and what is forwarded
// on it vanishes for as long as it lives.
import { Phase } from "@quorate/host";
import { type Story, story } from "../story.ts";

export const helloBeforeTheGenesis: Story = story("hello-before-the-genesis", {}, (s) => {
  const leader = s.found();
  const fresh = s.others(leader)[0]!;
  s.kill(fresh);
  s.delay(leader, fresh, 600);
  s.start(fresh);
  s.waitFor("it recovers", 500, () => s.status(fresh).phase === Phase.Recovering);
  s.disk(fresh).stall(900);
  s.waitFor("it has recovered", 2000, () => s.status(fresh).phase === Phase.Running);
  s.run(1000);
  s.delay(leader, fresh, 0);
  s.run(500);
  s.mustWrite(fresh);
});
