// Redis-Raft (reliability.md §8, 48): mix-ups of snapshot and log lost everything at a failover. A
// member whose log ends in a tail that nobody committed gets a snapshot, and dies at every step of
// its installation: by kill -9, by power loss, and by a kill that a power loss follows.
import { EndKind } from "../../sim-env.ts";
import { shortLog } from "../scenario-options.ts";
import { stories, type Story } from "../story.ts";

const steps = [
  "snapshot.staged",
  "install.staged",
  "install.marked",
  "manifest.between-copies",
  "install.in-force",
  "snapshot.installed",
];

export const snapshotInstallCrashMatrix: Story = stories(
  "snapshot-install-crash-matrix",
  (stage) => {
    for (const how of [EndKind.Killed, EndKind.PowerLost]) {
      const title = how === EndKind.Killed ? "kill -9" : "power loss";
      stage.play(title, { host: shortLog }, (s) => {
        s.found();
        for (const step of steps) {
          const old = s.waitForLeader(20 * s.timeoutMs);
          s.cut([old], s.others(old));
          s.puts(old, 5, 300);
          s.fallBehind(old);
          const crash = s.crashAt(old, step, how);
          s.heal();
          s.waitFor(`death at ${step}`, 10_000, () => crash.crashed !== null);
          if (step === "install.marked") s.powerLoss(old);
          s.start(old);
        }
        s.waitForLeader(20 * s.timeoutMs);
      });
    }
  },
);
