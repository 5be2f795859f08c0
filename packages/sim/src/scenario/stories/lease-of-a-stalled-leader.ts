// etcd #12528, #15247: a leader stood still, or was cut off; the next one renews its leases; the old one
// comes back, finds that their time is up by its own clock, and must not revoke them. Nor may it renew
// while it is cut off: the next one has begun to count (T1, T3; #20616).
import { Outcome } from "../../client/history.ts";
import { LeaseActs } from "../lease-acts.ts";
import { type Story, story } from "../story.ts";

const ttlSeconds = 2;

export const leaseOfAStalledLeader: Story = story("lease-of-a-stalled-leader", {}, (s) => {
  s.found();
  const leases = new LeaseActs(s);
  for (const [at, how] of ["stalls", "is cut off", "stalls"].entries()) {
    const old = s.waitForLeader(10 * s.timeoutMs);
    const id = leases.grant(old, at + 1, ttlSeconds);
    const left = leases.grant(old, at + 11, ttlSeconds);
    if (how === "stalls") s.pause(old);
    else s.cutForGood([old], s.others(old));
    const next = s.waitForLeader(10 * s.timeoutMs, s.others(old));
    // Both ask for a renewal where it cannot be had any more.
    const inVain = [leases.keepAlive(old, left)];
    for (let round = 0; round < 5; round++) {
      leases.renew(next, id);
      inVain.push(leases.keepAlive(old, left));
      s.run(700);
    }
    s.expect("one lease is renewed, the other has ended", leases.has(next, id));
    s.expect("the other has ended", !leases.has(next, left));
    if (how === "stalls") s.resume(old);
    s.heal();
    for (let round = 0; round < 5; round++) {
      leases.renew(next, id);
      s.run(700);
    }
    s.expect("it is there as long as it is renewed", leases.has(next, id));
    const told = (): boolean => inVain.every(({ outcome }) => outcome !== Outcome.Pending);
    s.waitFor("who asked the old one has heard", 8_000, told);
    const renewed = inVain.filter(({ ttlSeconds: ttl }) => ttl > 0);
    s.expect("nobody was told that the other was renewed", renewed.length === 0);
    leases.judge();
  }
});
