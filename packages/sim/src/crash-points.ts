// Every mark in the host and in storage at which a crash must be survived, and what a run needs so
// that it is passed often. Seeds go through this table; a mark that is passed and not listed fails
// the coverage test, and so does a listed one at which no process has crashed.
import { PartitionShape } from "./nemesis/partition-shapes.ts";
import type { RunOptions } from "./run-options.ts";

export interface CrashPoint {
  readonly mark: string;
  /** Changes the options so that the mark is passed; null: every run passes it. */
  readonly prepare: ((options: RunOptions) => void) | null;
}

export const crashPoints: readonly CrashPoint[] = [
  // Opening a directory and founding.
  { mark: "identity.write", prepare: founding },
  { mark: "genesis.write", prepare: founding },
  { mark: "genesis.written", prepare: founding },
  // Starting the log.
  { mark: "wal.recover.row1", prepare: restarting },
  { mark: "wal.recover.row2", prepare: tearing },
  { mark: "wal.restart.zeroed", prepare: restarting },
  { mark: "wal.restart.synced", prepare: restarting },
  { mark: "wal.restart.booted", prepare: restarting },
  // A directory sets itself aside.
  { mark: "aside.write", prepare: losing },
  { mark: "aside.written", prepare: losing },
  { mark: "aside.move", prepare: losing },
  { mark: "aside.moved", prepare: losing },
  { mark: "aside.succeeded", prepare: losing },
  { mark: "aside.done", prepare: losing },
  // The turn of the pump.
  { mark: "turn.begin", prepare: null },
  { mark: "turn.applied", prepare: null },
  { mark: "turn.flushed", prepare: null },
  { mark: "ready.taken", prepare: null },
  { mark: "ready.sent", prepare: null },
  { mark: "ready.persisting", prepare: null },
  { mark: "ready.done", prepare: null },
  { mark: "persist.durable", prepare: null },
  // Segments of the log.
  { mark: "wal.segment.made", prepare: growing },
  { mark: "wal.segment.named", prepare: growing },
  { mark: "wal.segments.unnamed", prepare: growing },
  // Checkpoints and reclaiming.
  { mark: "checkpoint.start", prepare: growing },
  { mark: "checkpoint.segments", prepare: growing },
  { mark: "checkpoint.synced", prepare: growing },
  { mark: "checkpoint.in-force", prepare: growing },
  { mark: "manifest.between-copies", prepare: growing },
  { mark: "reclaim.synced", prepare: compacting },
  { mark: "reclaim.in-force", prepare: compacting },
  { mark: "reclaim.dropped", prepare: compacting },
  // Snapshots to followers that lag behind the log.
  { mark: "staging.record", prepare: lagging },
  { mark: "staging.recorded", prepare: lagging },
  { mark: "snapshot.staged", prepare: lagging },
  { mark: "install.staged", prepare: lagging },
  { mark: "install.marked", prepare: lagging },
  { mark: "install.in-force", prepare: lagging },
  { mark: "snapshot.installed", prepare: lagging },
];

function founding(options: RunOptions): void {
  options.foundingMs = 3_000;
}

function restarting(options: RunOptions): void {
  if (options.faults.crashes === null) return;
  options.faults.crashes = {
    ...options.faults.crashes,
    kills: true,
    pauseMinMs: 50,
    pauseMaxMs: 1_000,
  };
}

/** Batches of several sectors, and nearly all crashes in the middle of one. */
function tearing(options: RunOptions): void {
  if (options.faults.crashes === null) return;
  options.faults.crashes = {
    ...options.faults.crashes,
    powerLosses: true,
    perMark: 0,
    perWrite: 0.05,
    pauseMinMs: 5_000,
    pauseMaxMs: 10_000,
  };
  options.members = 3;
  options.faults.partitions = null;
  options.faults.pauses = null;
  options.workload = "unique-puts";
  options.clients = 6;
  options.safetyMs = 15_000;
}

/** Older copies of directories are put back, as soon as the members have started often enough. */
function losing(options: RunOptions): void {
  restarting(options);
  options.members = 3;
  options.damage = "atlas";
  options.faults.lostDisks = { rollbacks: true, pauseMinMs: 100, pauseMaxMs: 1_000 };
  options.faults.rot = null;
  options.faults.brokenFiles = null;
  options.safetyMs = 12_000;
}

function growing(options: RunOptions): void {
  options.clients = 6;
  options.host = { ...options.host, checkpointBytes: 8_192, checkpointIntervalMs: 100 };
}

function compacting(options: RunOptions): void {
  growing(options);
  options.workload = "registers";
  options.safetyMs = 12_000;
  const { storage } = options.host;
  if (storage !== undefined) {
    options.host = { ...options.host, storage: { ...storage, rowSegmentBytes: 8_192 } };
  }
}

function lagging(options: RunOptions): void {
  growing(options);
  options.members = Math.max(3, options.members);
  options.host = { ...options.host, catchUpEntriesMax: 3, catchUpBytesMax: 4_096 };
  options.faults.partitions = {
    shapes: [PartitionShape.Split],
    oneWay: false,
    flapping: false,
    pauseMinMs: 100,
    pauseMaxMs: 3_000,
  };
  options.safetyMs = 12_000;
}
