// kill -9 of the leader, at several moments in the life of a lease that nobody renews: it does not end
// before its time, and at most its time to live, the election and a second after the new leader could
// begin to count (T1, T2; etcd #9935, #10686: never).
import { LeaseActs } from "../lease-acts.ts";
import { type Story, story } from "../story.ts";

const ttlSeconds = 3;

export const leaseOfALostLeader: Story = story("lease-of-a-lost-leader", {}, (s) => {
  s.found();
  const leases = new LeaseActs(s);
  // After so long; the last ones with the revoke about to be proposed, or on its way.
  const momentsMs = [0, 1_500, 2_990, 3_005, 3_020];
  for (const [at, afterMs] of momentsMs.entries()) {
    const leader = s.waitForLeader(10 * s.timeoutMs);
    const id = leases.grant(leader, at + 1, ttlSeconds);
    const grantedMs = s.nowMs;
    s.run(afterMs);
    s.kill(leader);
    const next = s.waitForLeader(10 * s.timeoutMs, s.others(leader));
    const boundMs = ttlSeconds * 1_000 + 1_000;
    s.waitFor("it has ended", boundMs, () => !leases.has(next, id));
    const lastedMs = s.nowMs - grantedMs;
    s.expect("not before its time", lastedMs > ttlSeconds * 1_000 - 100, () => `${lastedMs} ms`);
    s.start(leader);
    s.waitFor("all serve", 5_000, () => s.settled(s.names));
  }
  leases.judge();
});
