// All scenarios by name. A new one is one file in stories/ and one row here.
import { assert } from "@quorate/base";
import { ackOnDuplicateAppend } from "./stories/ack-on-duplicate-append.ts";
import { appliedIndexAheadOfData } from "./stories/applied-index-ahead-of-data.ts";
import { bitFlipOnAMinority } from "./stories/bit-flip-on-a-minority.ts";
import { commitBeyondTheLog } from "./stories/commit-beyond-the-log.ts";
import { crashInReclaim } from "./stories/crash-in-reclaim.ts";
import { fsyncFailsOnce } from "./stories/fsync-fails-once.ts";
import { killThenPowerLoss } from "./stories/kill-then-power-loss.ts";
import { manifestCopyDamaged } from "./stories/manifest-copy-damaged.ts";
import { outOfOrderCompletions } from "./stories/out-of-order-completions.ts";
import { partition23 } from "./stories/partition-2-3.ts";
import { reclaimJudgedByTheCheckpoint } from "./stories/reclaim-judged-by-the-checkpoint.ts";
import { revisionAfterCompactionCrash } from "./stories/revision-after-compaction-crash.ts";
import { rolledBackDirectory } from "./stories/rolled-back-directory.ts";
import { rowDamagedAtStart } from "./stories/row-damaged-at-start.ts";
import { singleNodeAckBeforeFsync } from "./stories/single-node-ack-before-fsync.ts";
import { snapshotInstallCrashMatrix } from "./stories/snapshot-install-crash-matrix.ts";
import { snapshotTransferAcrossTerms } from "./stories/snapshot-transfer-across-terms.ts";
import { snapshotWhileReclaimRuns } from "./stories/snapshot-while-reclaim-runs.ts";
import { staleBytesOfARecycledSegment } from "./stories/stale-bytes-of-a-recycled-segment.ts";
import { stopDuringInstall } from "./stories/stop-during-install.ts";
import { termAndVoteApart } from "./stories/term-and-vote-apart.ts";
import { tornTailIsNoDamage } from "./stories/torn-tail-is-no-damage.ts";
import { twoSnapshotsBackToBack } from "./stories/two-snapshots-back-to-back.ts";
import { wipedMemberStandsAside } from "./stories/wiped-member-stands-aside.ts";
import { Stage, type StageOptions, type Story } from "./story.ts";

const all: readonly Story[] = [
  partition23,
  // Disks and crashes.
  singleNodeAckBeforeFsync,
  appliedIndexAheadOfData,
  crashInReclaim,
  revisionAfterCompactionCrash,
  reclaimJudgedByTheCheckpoint,
  tornTailIsNoDamage,
  killThenPowerLoss,
  staleBytesOfARecycledSegment,
  fsyncFailsOnce,
  termAndVoteApart,
  ackOnDuplicateAppend,
  outOfOrderCompletions,
  // Damage, and members that forgot.
  bitFlipOnAMinority,
  commitBeyondTheLog,
  manifestCopyDamaged,
  rowDamagedAtStart,
  rolledBackDirectory,
  wipedMemberStandsAside,
  // Snapshots.
  twoSnapshotsBackToBack,
  snapshotTransferAcrossTerms,
  stopDuringInstall,
  snapshotInstallCrashMatrix,
  snapshotWhileReclaimRuns,
];

export const scenarioNames: readonly string[] = all.map(({ name }) => name);

export interface ScenarioResult {
  readonly name: string;
  readonly seed: number;
  readonly virtualMs: number;
  /** Of every cluster of the story, in order. */
  readonly unseed: string;
}

/** Throws a ScenarioFailure, whose message is the whole report. */
export function runScenario(name: string, options: StageOptions): ScenarioResult {
  const found = all.find((story) => story.name === name);
  assert(found !== undefined, () => `no scenario ${name}`);
  const stage = new Stage(name, options);
  found.run(stage);
  return {
    name,
    seed: options.seed,
    virtualMs: stage.virtualMs,
    unseed: stage.unseeds.join("-"),
  };
}
