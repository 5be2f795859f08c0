// What a long lease has left is written down, then it is renewed, and at once its leader dies: the next one
// must not go by what was written down before the renewal (T1). Without a renewal it must go by it: a
// lease that nobody renews ends although leaders change all the time (T2).
import { LeaseActs } from "../lease-acts.ts";
import { type Story, story } from "../story.ts";

const ttlSeconds = 6;
const host = { leaseCheckpointIntervalMs: 1_000 };

export const leaseRenewedAfterACheckpoint: Story = story(
  "lease-renewed-after-a-checkpoint",
  { host },
  (s) => {
    s.found();
    const leases = new LeaseActs(s);
    for (let round = 1; round <= 3; round++) {
      const leader = s.waitForLeader(10 * s.timeoutMs);
      const id = leases.grant(leader, round, ttlSeconds);
      s.waitFor(
        "little is left of it in the log",
        5_000,
        () => leases.owedSeconds(leader, id) <= 3,
      );
      leases.renew(s.others(leader)[0]!, id);
      const renewedMs = s.nowMs;
      s.kill(leader);
      const next = s.waitForLeader(10 * s.timeoutMs, s.others(leader));
      s.waitFor("it has ended", ttlSeconds * 1_000 + 1_000, () => !leases.has(next, id));
      const lastedMs = s.nowMs - renewedMs;
      s.expect("not before its time", lastedMs > ttlSeconds * 1_000 - 100, () => `${lastedMs} ms`);
      s.start(leader);
      s.waitFor("all serve", 5_000, () => s.settled(s.names));
    }
    const id = leases.grant(s.waitForLeader(10 * s.timeoutMs), 9, ttlSeconds);
    const grantedMs = s.nowMs;
    const ended = (): boolean => !leases.has(s.waitForLeader(10 * s.timeoutMs), id);
    while (!ended()) {
      const leader = s.waitForLeader(10 * s.timeoutMs);
      s.run(1_500);
      s.kill(leader);
      s.waitForLeader(10 * s.timeoutMs, s.others(leader));
      s.start(leader);
      s.waitFor("all serve", 5_000, () => s.settled(s.names));
      const lastedMs = s.nowMs - grantedMs;
      s.expect("it ends in the end", lastedMs < 3 * ttlSeconds * 1_000, () => `${lastedMs} ms`);
    }
    leases.judge();
  },
);
