// A firewall forgets the connections between two members: nothing comes through on them any more, no
// end is told, and the system would try for a quarter of an hour. New ones would work. Both sides
// take the silence for what it is and dial anew; the follower has the leader's writes again soon
// after the three seconds that a link may be silent.
import { type Story, story } from "../story.ts";

const quarterOfAnHourUs = 900_000_000;

export const forgottenConnections: Story = story(
  "forgotten-connections",
  { network: { linkTimeoutUs: quarterOfAnHourUs } },
  (s) => {
    const leader = s.found();
    const follower = s.others(leader)[0]!;
    s.freezeLinks(leader, follower, quarterOfAnHourUs);
    s.mustWrite(leader);
    const { committed } = s.status(leader);
    const hears = (): boolean => s.status(follower).applied >= committed;
    s.waitFor("the follower hears the leader again", 5_000, hears);
    s.mustWrite(s.waitForLeader(5 * s.timeoutMs));
    s.mustWrite(follower, 5 * s.timeoutMs);
  },
);
