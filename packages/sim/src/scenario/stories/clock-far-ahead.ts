// P11, lesson 56: one wall clock jumps by years, the leader's or a follower's, to and fro. Nobody is
// elected for it, nothing is lost; the stamps of entries never go back, and never stand more than a
// second above the median of the voters' clocks.
import { wallStartMs } from "../../sim-clock.ts";
import { type Story, story } from "../story.ts";

const tenYearsMs = 315_360_000_000;
/** Clocks are wrong by half a second at most, unless they jump. */
const aheadMsMax = 1000 + 500;

export const clockFarAhead: Story = story("clock-far-ahead", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  const stamps = (): number[] => s.watch.committed.entries().map(({ wallMs }) => wallMs);
  s.load();
  for (const name of [leader, s.others(leader)[0]!]) {
    for (const byMs of [tenYearsMs, -tenYearsMs]) {
      s.jumpClock(name, byMs);
      s.run(2 * s.timeoutMs);
      const latest = wallStartMs + s.nowMs + aheadMsMax;
      s.expect(
        "no stamp is far ahead",
        stamps().every((ms) => ms <= latest),
      );
      s.jumpClock(name, -byMs);
      s.run(s.timeoutMs);
    }
  }
  s.expect("nobody was elected for it", s.leads(leader) && s.status(leader).term === term);
  const known = stamps().filter((ms) => ms > 0);
  s.expect(
    "stamps never go back",
    known.every((ms, at) => ms >= (known[at - 1] ?? 0)),
  );
});
