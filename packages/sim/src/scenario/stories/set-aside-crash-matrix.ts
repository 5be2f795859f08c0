// ADR 12: a directory that is being set aside survives a death at every step of it. Both manifests are
// damaged; the process dies, or the power goes, at each mark from the decision to the end. The next
// start goes on: all files stand in one quarantine, and the member votes again under another raft id. A
// disk that fails again within minutes ends it: 72, at every start, and says so.
import { must } from "@quorate/base";
import { ExitCode } from "@quorate/storage";
import { directoryOf } from "../../cluster-options.ts";
import { EndKind } from "../../sim-env.ts";
import { MembershipActs } from "../membership-acts.ts";
import { Loss } from "../rejoin-acts.ts";
import type { Scenario } from "../scenario.ts";
import { type Story, stories } from "../story.ts";

const marks = ["write", "written", "move", "moved", "succeeded", "done"] as const;

/** Names of the member's files, wherever in its directory they are. */
function filesOf(s: Scenario, name: string): string[] {
  const below = s.member(name).disk.filesBelow(directoryOf(name));
  return below.map((path) => must(path.split("/").at(-1), "a path has a name"));
}

function diesAt(s: Scenario, mark: string, how: EndKind): void {
  const [victim] = s.others(s.found()) as [string];
  s.fill(victim, 10, 1_000);
  const before = filesOf(s, victim).filter((name) => /^(wal-0|rows-|tables-)/.test(name));
  const crash = s.crashAt(victim, `aside.${mark}`, how);
  const loss = new Loss(s, victim, "both manifests lost");
  loss.now();
  s.waitFor("it dies", 5_000, () => crash.crashed === victim);
  s.start(victim);
  new MembershipActs(s).waitUntilItIsBack(victim);
  loss.waitUntilBack();
  const kept = s.disk(victim).quarantined();
  const wanted = [...before, "IDENTITY-1", "IDENTITY-2", "MANIFEST-1", "MANIFEST-2"];
  const missing = wanted.filter((file) => !kept.includes(file));
  s.expect("all its files are kept", missing.length === 0, () => missing.join(" "));
}

export const setAsideCrashMatrix: Story = stories("set-aside-crash-matrix", (stage) => {
  for (const mark of marks) {
    for (const how of [EndKind.Killed, EndKind.PowerLost]) {
      const what = how === EndKind.Killed ? "killed" : "power lost";
      stage.play(`${what} at ${mark}`, {}, (s) => diesAt(s, mark, how));
    }
  }

  stage.play("again within minutes", {}, (s) => {
    const leader = s.found();
    const [victim] = s.others(leader) as [string];
    const loss = new Loss(s, victim, "both manifests lost");
    loss.now();
    loss.waitUntilBack();
    s.giveUp(victim);
    loss.now();
    s.waitForExit(victim, ExitCode.Damaged, 5_000);
    s.start(victim);
    s.waitForExit(victim, ExitCode.Damaged, 5_000);
    const { reason } = s.member(victim).incarnation!;
    s.expect("it says why", reason.includes("not set aside again"), () => reason);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(victim)));
  });
});
