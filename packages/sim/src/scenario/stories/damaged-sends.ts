// TCP's sum of 16 bits lets one damaged segment in 65,536 through, and a box that rewrites segments
// makes a new sum over damaged bytes. Up to three bits of every twentieth send turn around, in
// headers and in bodies: whoever takes such a frame ends its link before it reads on, and the work
// goes on over the next link ("damaged frames end their link", S3, S16).
import { type Story, story } from "../story.ts";

export const damagedSends: Story = story("damaged-sends", {}, (s) => {
  s.found();
  s.load({ workload: "mixed", clients: 4, thinkMaxMs: 10 });
  s.cluster.network.options.flipChance = 0.05;
  const flips = (): number => s.world.faults.of("network.flip");
  s.waitFor("fifty damaged sends have been taken in", 20_000, () => flips() >= 50);
});
