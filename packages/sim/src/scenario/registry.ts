// All scenarios by name. A new one is one file in stories/ and one row here.
import { assert } from "@quorate/base";
import { ackOnDuplicateAppend } from "./stories/ack-on-duplicate-append.ts";
import { acksOfADiskSetAside } from "./stories/acks-of-a-disk-set-aside.ts";
import { acksOfRolledBackEntries } from "./stories/acks-of-rolled-back-entries.ts";
import { alarmsOutliveRestarts } from "./stories/alarms-outlive-restarts.ts";
import { authAfterASnapshot } from "./stories/auth-after-a-snapshot.ts";
import { answerWithoutADataLink } from "./stories/answer-without-a-data-link.ts";
import { appliedIndexAheadOfData } from "./stories/applied-index-ahead-of-data.ts";
import { bitFlipOnAMinority } from "./stories/bit-flip-on-a-minority.ts";
import { blinkingProxy } from "./stories/blinking-proxy.ts";
import { clockFarAhead } from "./stories/clock-far-ahead.ts";
import { commitBeyondTheLog } from "./stories/commit-beyond-the-log.ts";
import { commitOnARefusal } from "./stories/commit-on-a-refusal.ts";
import { compactedRangeInTxn } from "./stories/compacted-range-in-txn.ts";
import { crashInReclaim } from "./stories/crash-in-reclaim.ts";
import { damagedSends } from "./stories/damaged-sends.ts";
import { digestsOfIdleMembers } from "./stories/digests-of-idle-members.ts";
import { figure8 } from "./stories/figure-8.ts";
import { forgottenConnections } from "./stories/forgotten-connections.ts";
import { fsyncFailsOnce } from "./stories/fsync-fails-once.ts";
import { fullWindowLostPackets } from "./stories/full-window-lost-packets.ts";
import { fullDisk5 } from "./stories/full-disk-5.ts";
import { futureWatchOnALateMember } from "./stories/future-watch-on-a-late-member.ts";
import { genesisFounderWiped } from "./stories/genesis-founder-wiped.ts";
import { genesisTwoWipes } from "./stories/genesis-two-wipes.ts";
import { heartbeatOfANewerTerm } from "./stories/heartbeat-of-a-newer-term.ts";
import { heartbeatOverDivergentTail } from "./stories/heartbeat-over-divergent-tail.ts";
import { helloBeforeTheGenesis } from "./stories/hello-before-the-genesis.ts";
import { helloBehindTheLog } from "./stories/hello-behind-the-log.ts";
import { helloOfTheDead } from "./stories/hello-of-the-dead.ts";
import { holeInTheLog } from "./stories/hole-in-the-log.ts";
import { joinedAndUnreadable } from "./stories/joined-and-unreadable.ts";
import { joint3To5 } from "./stories/joint-3-to-5.ts";
import { killThenPowerLoss } from "./stories/kill-then-power-loss.ts";
import { lateAnswerOfTheLastLeader } from "./stories/late-answer-of-the-last-leader.ts";
import { lateAppendTruncates } from "./stories/late-append-truncates.ts";
import { latePrevoteGrant } from "./stories/late-prevote-grant.ts";
import { lateWordOfAReplacedBatch } from "./stories/late-word-of-a-replaced-batch.ts";
import { leaderLeavesInJoint } from "./stories/leader-leaves-in-joint.ts";
import { leaderProcessDies } from "./stories/leader-process-dies.ts";
import { leaseOfALostLeader } from "./stories/lease-of-a-lost-leader.ts";
import { leaseOfAStalledLeader } from "./stories/lease-of-a-stalled-leader.ts";
import { leaseRenewedAfterACheckpoint } from "./stories/lease-renewed-after-a-checkpoint.ts";
import { livelock9 } from "./stories/livelock-9.ts";
import { lostSnapshotChunks } from "./stories/lost-snapshot-chunks.ts";
import { manifestCopyDamaged } from "./stories/manifest-copy-damaged.ts";
import { membersAskedAtOnce } from "./stories/members-asked-at-once.ts";
import { membersCrashAtEveryStage } from "./stories/members-crash-at-every-stage.ts";
import { membersOneByOne } from "./stories/members-one-by-one.ts";
import { membersLeaveTogether } from "./stories/members-leave-together.ts";
import { membersTwoAtOnce } from "./stories/members-two-at-once.ts";
import { oddStateOut } from "./stories/odd-state-out.ts";
import { oldAnswerNewQuestion } from "./stories/old-answer-new-question.ts";
import { oldGroundSentAnew } from "./stories/old-ground-sent-anew.ts";
import { outOfOrderCompletions } from "./stories/out-of-order-completions.ts";
import { partition23 } from "./stories/partition-2-3.ts";
import { passwordChangedWhileCompared } from "./stories/password-changed-while-compared.ts";
import { peerMetDuringAnInstall } from "./stories/peer-met-during-an-install.ts";
import { powerLossInANewSegment } from "./stories/power-loss-in-a-new-segment.ts";
import { prevoteHigherTermNode } from "./stories/prevote-higher-term-node.ts";
import { progressBehindItsEvents } from "./stories/progress-behind-its-events.ts";
import { quietStartOfAnOldCopy } from "./stories/quiet-start-of-an-old-copy.ts";
import { rangesOfEveryKind } from "./stories/ranges-of-every-kind.ts";
import { readBeforeFirstCommit } from "./stories/read-before-first-commit.ts";
import { readWaitsForApply } from "./stories/read-waits-for-apply.ts";
import { readsDuringTransfers } from "./stories/reads-during-transfers.ts";
import { reclaimJudgedByTheCheckpoint } from "./stories/reclaim-judged-by-the-checkpoint.ts";
import { removedMemberStillVotes } from "./stories/removed-member-still-votes.ts";
import { restartKnowsItIsJoint } from "./stories/restart-knows-it-is-joint.ts";
import { revisionAfterCompactionCrash } from "./stories/revision-after-compaction-crash.ts";
import { rolledBackDirectory } from "./stories/rolled-back-directory.ts";
import { rottenDisk5 } from "./stories/rotten-disk-5.ts";
import { rottenSnapshot } from "./stories/rotten-snapshot.ts";
import { rowDamagedAtStart } from "./stories/row-damaged-at-start.ts";
import { rowRotsUnderAReader } from "./stories/row-rots-under-a-reader.ts";
import { scrubFindsRot } from "./stories/scrub-finds-rot.ts";
import { sessionOnRecordFirst } from "./stories/session-on-record-first.ts";
import { sentInVain } from "./stories/sent-in-vain.ts";
import { singleNodeAckBeforeFsync } from "./stories/single-node-ack-before-fsync.ts";
import { slowFollowers9 } from "./stories/slow-followers-9.ts";
import { snapshotGoesOn } from "./stories/snapshot-goes-on.ts";
import { snapshotInstallCrashMatrix } from "./stories/snapshot-install-crash-matrix.ts";
import { snapshotTransferAcrossTerms } from "./stories/snapshot-transfer-across-terms.ts";
import { snapshotUnderLoad } from "./stories/snapshot-under-load.ts";
import { snapshotWhileReclaimRuns } from "./stories/snapshot-while-reclaim-runs.ts";
import { snapshotWithItsConfiguration } from "./stories/snapshot-with-its-configuration.ts";
import { staleBytesOfARecycledSegment } from "./stories/stale-bytes-of-a-recycled-segment.ts";
import { staleReadAfterPause } from "./stories/stale-read-after-pause.ts";
import { stallsDeposeNobody } from "./stories/stalls-depose-nobody.ts";
import { stopDuringInstall } from "./stories/stop-during-install.ts";
import { strangersAtTheDoor } from "./stories/strangers-at-the-door.ts";
import { termAndVoteApart } from "./stories/term-and-vote-apart.ts";
import { termInflation } from "./stories/term-inflation.ts";
import { tombstoneOutlivesItsRows } from "./stories/tombstone-outlives-its-rows.ts";
import { tornTailIsNoDamage } from "./stories/torn-tail-is-no-damage.ts";
import { twoSnapshotsBackToBack } from "./stories/two-snapshots-back-to-back.ts";
import { unknownIsNotRemoved } from "./stories/unknown-is-not-removed.ts";
import { watchOfALostRight } from "./stories/watch-of-a-lost-right.ts";
import { wan7 } from "./stories/wan-7.ts";
import { secondProcessEvictsNobody } from "./stories/second-process-evicts-nobody.ts";
import { disksLostAgainAndAgain } from "./stories/disks-lost-again-and-again.ts";
import { guestAnswersNoLocalRead } from "./stories/guest-answers-no-local-read.ts";
import { removedWhileAway } from "./stories/removed-while-away.ts";
import { rolledBackMemberRejoins } from "./stories/rolled-back-member-rejoins.ts";
import { setAsideCrashMatrix } from "./stories/set-aside-crash-matrix.ts";
import { wipedMemberRejoins } from "./stories/wiped-member-rejoins.ts";
import { writeBelowASnapshot } from "./stories/write-below-a-snapshot.ts";
import { writeOfADeposedLeader } from "./stories/write-of-a-deposed-leader.ts";
import { movedWhileAway } from "./stories/moved-while-away.ts";
import { newcomerBehindTheLog } from "./stories/newcomer-behind-the-log.ts";
import { watchAcrossASnapshot } from "./stories/watch-across-a-snapshot.ts";
import { Stage, type StageOptions, type Story } from "./story.ts";

const all: readonly Story[] = [
  // The six that the product is for.
  partition23,
  livelock9,
  slowFollowers9,
  wan7,
  joint3To5,
  rottenDisk5,
  // Disks and crashes.
  singleNodeAckBeforeFsync,
  appliedIndexAheadOfData,
  crashInReclaim,
  revisionAfterCompactionCrash,
  reclaimJudgedByTheCheckpoint,
  tombstoneOutlivesItsRows,
  tornTailIsNoDamage,
  killThenPowerLoss,
  staleBytesOfARecycledSegment,
  powerLossInANewSegment,
  fsyncFailsOnce,
  fullDisk5,
  futureWatchOnALateMember,
  termAndVoteApart,
  ackOnDuplicateAppend,
  outOfOrderCompletions,
  lateWordOfAReplacedBatch,
  // Damage, and members that forgot.
  bitFlipOnAMinority,
  scrubFindsRot,
  commitBeyondTheLog,
  manifestCopyDamaged,
  rowDamagedAtStart,
  rowRotsUnderAReader,
  rolledBackDirectory,
  wipedMemberRejoins,
  rolledBackMemberRejoins,
  setAsideCrashMatrix,
  disksLostAgainAndAgain,
  guestAnswersNoLocalRead,
  secondProcessEvictsNobody,
  quietStartOfAnOldCopy,
  genesisTwoWipes,
  genesisFounderWiped,
  helloOfTheDead,
  // Snapshots.
  twoSnapshotsBackToBack,
  snapshotTransferAcrossTerms,
  snapshotUnderLoad,
  stopDuringInstall,
  peerMetDuringAnInstall,
  snapshotGoesOn,
  snapshotInstallCrashMatrix,
  snapshotWhileReclaimRuns,
  lostSnapshotChunks,
  sentInVain,
  snapshotWithItsConfiguration,
  writeBelowASnapshot,
  // Elections.
  prevoteHigherTermNode,
  termInflation,
  leaderProcessDies,
  blinkingProxy,
  stallsDeposeNobody,
  heartbeatOfANewerTerm,
  latePrevoteGrant,
  leaderLeavesInJoint,
  restartKnowsItIsJoint,
  // Members come and go.
  membersOneByOne,
  membersTwoAtOnce,
  membersLeaveTogether,
  membersAskedAtOnce,
  movedWhileAway,
  newcomerBehindTheLog,
  rottenSnapshot,
  holeInTheLog,
  joinedAndUnreadable,
  membersCrashAtEveryStage,
  removedMemberStillVotes,
  removedWhileAway,
  unknownIsNotRemoved,
  // Reads.
  staleReadAfterPause,
  readBeforeFirstCommit,
  readWaitsForApply,
  readsDuringTransfers,
  oddStateOut,
  oldAnswerNewQuestion,
  // Replication and commit.
  figure8,
  heartbeatOverDivergentTail,
  helloBehindTheLog,
  acksOfADiskSetAside,
  acksOfRolledBackEntries,
  commitOnARefusal,
  lateAppendTruncates,
  oldGroundSentAnew,
  lateAnswerOfTheLastLeader,
  writeOfADeposedLeader,
  fullWindowLostPackets,
  // Links between members.
  damagedSends,
  forgottenConnections,
  answerWithoutADataLink,
  helloBeforeTheGenesis,
  strangersAtTheDoor,
  sessionOnRecordFirst,
  // The state machine and its clocks.
  clockFarAhead,
  alarmsOutliveRestarts,
  digestsOfIdleMembers,
  rangesOfEveryKind,
  compactedRangeInTxn,
  // Leases.
  leaseOfALostLeader,
  leaseOfAStalledLeader,
  leaseRenewedAfterACheckpoint,
  // Users and rights.
  authAfterASnapshot,
  passwordChangedWhileCompared,
  watchOfALostRight,
  // Watchers.
  watchAcrossASnapshot,
  progressBehindItsEvents,
  futureWatchOnALateMember,
];

export const scenarioNames: readonly string[] = all.map(({ name }) => name);

export interface ScenarioResult {
  readonly name: string;
  readonly seed: number;
  readonly virtualMs: number;
  readonly events: number;
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
    events: stage.events,
    unseed: stage.unseeds.join("-"),
  };
}
