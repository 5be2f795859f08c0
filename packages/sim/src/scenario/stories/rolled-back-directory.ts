// etcd#13509, #20269, cockroachdb#124278 (reliability.md §8, 21 and 35; P4): a member comes back with
// an old copy of its directory, or from a disk that lied about its syncs. It acknowledged a write
// that it no longer has; together with a member that never had it, it could elect a leader without
// it. Its boot count shows what it is: it is told at the first handshake and stops for good (72).
import { ExitCode } from "@quorate/storage";
import { type Story, story } from "../story.ts";

export const rolledBackDirectory: Story = story("rolled-back-directory", {}, (s) => {
  const leader = s.found();
  const [rolled, other] = s.others(leader) as [string, string];
  const copy = s.disk(rolled).copy();
  s.kill(rolled);
  s.start(rolled);
  s.waitForLeader(20 * s.timeoutMs);

  s.cut([other], [leader, rolled]);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, rolled]));
  s.giveUp(rolled);
  s.kill(rolled);
  s.disk(rolled).restore(copy);
  s.kill(leader);
  s.heal();
  s.start(rolled);
  s.run(20 * s.timeoutMs);
  s.expect("no leader without the write", s.leader() === null);
  const { exitCode, reason } = s.member(rolled).incarnation!;
  s.expect("it was told, and stopped for good", exitCode === ExitCode.Damaged);
  s.expect("it says why", reason.includes("REGRESSED"));
  s.start(leader);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, other]));
});
