// All others get new addresses while one member is away, and its table has the old ones only: they reach
// it, and it dials where nobody is. Their hellos say where they are; there it dials them, and whoever
// answers proves itself as anywhere (P4). With its disk, without, and when it was about to join.
import type { ListedMember } from "@quorate/host";
import { MembershipActs } from "../membership-acts.ts";
import type { Scenario } from "../scenario.ts";
import { type Story, stories } from "../story.ts";

function allMoveBut(s: Scenario, away: string): void {
  const acts = new MembershipActs(s);
  for (const name of s.others(away, "m3")) {
    acts.move(name, movedAddress(name));
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(away, "m3")));
  }
}

/** Writes go on with it and without one of those that moved. */
function itCounts(s: Scenario, name: string): void {
  const moved = s.others(name, "m3");
  s.kill(moved[0]!);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(moved[0]!, "m3")));
  s.start(moved[0]!);
}

const movedAddress = (name: string): string => `${name}-moved:2380`;

/** As its operator would tell a newcomer. */
function whereItIs(member: ListedMember): ListedMember {
  if (member.name === "m3") return member;
  const address = movedAddress(member.name);
  return { ...member, peerUrls: [`http://${address}`], peerAddresses: [address] };
}

export const movedWhileAway: Story = stories("moved-while-away", (stage) => {
  for (const wiped of [false, true]) {
    stage.play(wiped ? "and its disk is lost" : "it comes back", {}, (s) => {
      const [away] = s.others(s.found()) as [string];
      s.kill(away);
      allMoveBut(s, away);
      if (wiped) s.wipe(away);
      s.start(away);
      new MembershipActs(s).waitUntilItVotes(away);
      const { committed } = s.status(s.leader()!);
      s.waitFor("it has caught up", 10_000, () => s.status(away).applied >= committed);
      itCounts(s, away);
    });
  }

  stage.play("it dies while it joins", { members: 4, founders: 3 }, (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    for (const name of s.others("m3")) {
      acts.move(name, movedAddress(name));
    }
    s.waitForLeader(20 * s.timeoutMs, s.others("m3"));
    acts.waitUntilHealthy();
    acts.must("m3 is added", () => acts.add(leader, "m3"));
    s.configure("m3", { members: s.member("m3").config.members.map(whereItIs) });
    acts.start("m3");
    s.waitFor("it has joined, and waits", 10_000, () => s.inside("m3") !== null);
    s.kill("m3");
    s.start("m3");
    acts.waitUntilItVotes("m3");
  });
});
