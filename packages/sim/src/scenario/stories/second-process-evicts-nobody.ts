// P3: a place is given to another disk only when nobody hears the old process. A second process with a
// member's identity, started by mistake on another machine, is never even considered: the leader asks at
// the address on record. And when that address leads to it, the old process alive elsewhere is heard, by
// the leader or by any other voter, and keeps its place. Cut off from all of them it counts as dead; when
// it comes back it is told who has replaced it, and ends with 73. One that is started on a copy of a living
// member's directory is told REGRESSED: it sets the copy aside, waits, and says for whom; the living
// member keeps its raft id and its directory.
import { MembershipActs } from "../membership-acts.ts";
import { oldCopy } from "../rejoin-acts.ts";
import type { Scenario } from "../scenario.ts";
import { type Story, stories } from "../story.ts";

function anotherDisk(s: Scenario): void {
  const acts = new MembershipActs(s);
  const leader = s.found();
  const [old, other] = s.others(leader, "m3") as [string, string];
  const lost = s.raftId(old);
  const { memberId, members } = s.member(old).config;
  acts.waitUntilHealthy();

  const second = "m3";
  s.configure(second, { memberId, members, join: false });
  acts.start(second);
  s.run(10 * s.timeoutMs);
  const keepsPlace = (): boolean => s.conf(leader).voters.includes(lost);
  s.expect("nobody asks at its address", keepsPlace());

  s.cut([leader], [old, second]);
  acts.must("the address on record leads to it", () =>
    acts.update(leader, old, [`http://${second}:2380`]),
  );
  s.heal();
  s.cut([leader, other], [second]);
  s.run(s.timeoutMs);
  s.heal();
  s.cut([leader], [old]);
  s.run(10 * s.timeoutMs);
  s.expect(`${other} hears the old process`, keepsPlace() && s.leads(leader));

  s.cut([leader, other, second], [old]);
  s.waitFor("the old process counts as dead", 10_000 + 10 * s.timeoutMs, () => !keepsPlace());
  s.waitFor("the second one votes", 10_000, () =>
    s.conf(leader).voters.includes(s.status(second).raftId),
  );
  s.giveUp(old);
  s.heal();
  s.waitForExit(old, 73, 10_000);
  const { reason } = s.member(old).incarnation!;
  s.expect("it is told by whom", reason.includes(`raft id ${s.status(second).raftId}`));
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, other]));
}

function copiedDirectory(s: Scenario): void {
  const acts = new MembershipActs(s);
  const [living] = s.others(s.found(), "m3") as [string];
  const { memberId, members } = s.member(living).config;
  const copy = oldCopy(s, living);
  oldCopy(s, living);
  const raftId = s.raftId(living);
  s.load();

  const second = "m3";
  s.configure(second, { memberId, members, join: false });
  s.giveCopy(second, copy);
  acts.start(second);
  s.waitFor("the copy is set aside", 10_000, () => s.disk(second).quarantines === 1);
  s.run(20 * s.timeoutMs);
  s.endLoad();
  const leader = s.waitForLeader(20 * s.timeoutMs, s.others(second));
  s.expect("the living one keeps its place", s.conf(leader).voters.includes(raftId));
  s.expect("and its directory", s.disk(living).quarantines === 0 && s.running(living));
  const { reason } = s.status(second);
  const says = reason.includes(`raft id ${raftId} has and keeps as long as it lives`);
  s.expect("the copy waits and says why", s.running(second) && says, () => reason);
  s.mustWrite(leader);
  s.kill(second);
  s.giveUp(second);
}

export const secondProcessEvictsNobody: Story = stories("second-process-evicts-nobody", (stage) => {
  stage.play("another disk", { members: 4, founders: 3 }, anotherDisk);
  stage.play("a copy of a living member's directory", { members: 4, founders: 3 }, copiedDirectory);
});
