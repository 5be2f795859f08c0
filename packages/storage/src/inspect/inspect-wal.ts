// Reads the whole write-ahead log of a data directory and classifies it by the table that recovery
// uses (damage.ts): what a start would find, without starting.
import { fromHex, must } from "@quorate/base";
import { ExitCode } from "../env.ts";
import type { Entry, HardState } from "@quorate/raft";
import { damageRows } from "../wal/damage.ts";
import type { Damage } from "../wal/damage.ts";
import type { BatchHeader } from "../wal/batch-header.ts";
import { readDurableFileNow } from "../wal/durable-file.ts";
import { listSegments } from "../wal/segment-list.ts";
import { scanWindow, SegmentScan } from "../wal/segment-scan.ts";
import { SegmentState, Survey } from "../wal/survey.ts";
import type { Finding, InspectedDirectory } from "./inspect-directory.ts";

export interface InspectedSegment {
  readonly name: string;
  readonly bytes: number;
  /** False: made, and no manifest knows it yet. */
  readonly named: boolean;
  /** Empty: as it should be. */
  readonly problem: string;
  /** Of the good log; 0: none of it stands here. */
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** One batch that stands in the log. */
export interface InspectedBatch {
  readonly segment: string;
  readonly header: BatchHeader;
  /** Its records check too. */
  readonly whole: boolean;
}

export interface InspectedWal {
  readonly segments: readonly InspectedSegment[];
  readonly batches: number;
  readonly unreadableBlocks: number;
  /** Last batch of the good log. */
  readonly last: BatchHeader | null;
  /** P8: the newest number that anything whole says is durable. */
  readonly durableSeq: number;
  /** Null: a start must not go on with it. */
  readonly log: {
    readonly hardState: HardState;
    readonly startIndex: number;
    readonly lastIndex: number;
    readonly lastTerm: number;
    readonly startTerm: number;
    /** Those below the first lost one. */
    readonly entries: readonly Entry[];
    /** Entries lost below `lastIndex`. */
    readonly missing: number;
  } | null;
  readonly damage: Damage;
  readonly row: number;
  readonly finding: Finding | null;
  readonly advice: string;
}

/** `each`: told of every batch in the order of the files. */
export function inspectWal(
  inspected: InspectedDirectory,
  each: (batch: InspectedBatch) => void = () => {},
): InspectedWal {
  const { disk, walDirectory, identity, manifest } = inspected;
  const clusterId = must(fromHex(identity.clusterId), "an identity that checks has a cluster id");
  const owner = { clusterId, raftId: identity.raftId };
  const { segments } = listSegments(disk, walDirectory, owner, manifest.walSegments);
  const durableSeqCopy = readDurableFileNow(disk, walDirectory, owner).durableSeq;
  const { checkpoint } = manifest;
  const survey = new Survey({ segments, checkpoint, durableSeqCopy, stateLost: false });
  let batches = 0;
  let unreadableBlocks = 0;
  const window = scanWindow(Math.max(0, ...segments.map(({ bytes }) => bytes)));
  for (const [at, { file, nonce, bytes, name }] of segments.entries()) {
    if (file === null) continue;
    const scan = new SegmentScan(file, nonce, Math.min(bytes, file.sizeNow()), owner, window, {
      batch: (header, payload) => {
        batches += 1;
        each({ segment: name, header, whole: payload !== null });
        survey.batch(at, header, payload);
      },
      foreign: (header, offset) => survey.foreign(at, header, offset),
      newer: (format, offset) => survey.newer(at, format, offset),
    });
    while (!scan.step());
    unreadableBlocks += scan.unreadableBlocks;
    file.close();
  }
  const rolledBack = startsRolledBack(inspected, survey);
  const damage = rolledBack ?? survey.classify();
  const log = rolledBack === null ? survey.log : null;
  const { row, action, exitCode, finding, advice } = damageRows[damage.class];
  // A member starts with lost entries, and takes them from others: what stands here is not whole.
  const isGapped = log !== null && log.gapped !== null;
  const code = action === "repair" && isGapped ? ExitCode.Damaged : exitCode;
  return {
    segments: segments.map(({ name, bytes, named, state, detail, firstSeq, lastSeq }) => {
      const problem = state === SegmentState.Good ? "" : detail;
      return { name, bytes, named, problem, firstSeq, lastSeq };
    }),
    batches,
    unreadableBlocks,
    last: survey.last,
    durableSeq: survey.durableSeq,
    log: log === null ? null : { ...log, missing: log.gapped?.missing ?? 0 },
    damage,
    row,
    finding: code === null ? null : { exitCode: code, what: `${damage.where}: ${finding}` },
    advice,
  };
}

/** The directory counts its starts apart from the log. */
function startsRolledBack({ identity, walDirectory }: InspectedDirectory, survey: Survey) {
  const { last } = survey;
  if (last === null || last.bootCount <= identity.bootCount) return null;
  const where =
    `${walDirectory}: batch ${last.seq} is of start ${last.bootCount}, ` +
    `the directory knows of ${identity.bootCount}`;
  return { class: "startsRolledBack", where } satisfies Damage;
}
