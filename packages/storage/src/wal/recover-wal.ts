// From the files of a stopped process to a running WAL, in P8's order: look at everything and
// classify it, changing nothing; zero what stands behind the end; sync whatever may be in the page
// cache only; write the boot batch; and only when that is durable hand the log over. A crash in
// between leaves a directory that recovers the same way.
import { assert, fromHex, must } from "@quorate/base";
import { DiskError, ExitCode } from "../env.ts";
import type { DiskFile, Env } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import type { WalIdentity } from "./batch-header.ts";
import { damageRows, refusal } from "./damage.ts";
import type { Damage } from "./damage.ts";
import { DurableFile, durableFileBytes, durableName, readDurableFile } from "./durable-file.ts";
import type { DurableSlot } from "./durable-file.ts";
import type { Replayed } from "./log-replay.ts";
import { Segment } from "./segment.ts";
import { listSegments } from "./segment-list.ts";
import type { ListedSegment, SegmentList } from "./segment-list.ts";
import { SegmentScan } from "./segment-scan.ts";
import { Survey } from "./survey.ts";
import { Sweep } from "./sweep.ts";
import type { RecoverWal, WalRecovery } from "./wal-api.ts";
import { failWal } from "./wal-failure.ts";
import { firstBatchOffset } from "./wal-format.ts";
import { Wal } from "./wal.ts";

type Outcome = Parameters<RecoverWal>[2];
type Log = Replayed & { readonly ok: true };

export const recoverWal: RecoverWal = (env, recovery, done) => {
  const clusterId = fromHex(recovery.clusterId);
  assert(clusterId?.length === 8, "wal: a cluster id has 16 hex digits");
  assert(recovery.options.segmentBytes % 4096 === 0, "wal: segments are whole blocks");
  if (env.disk.listNow(recovery.directory) === null) {
    const error = env.disk.makeDirectoryNow(recovery.directory);
    if (error !== null) {
      const reason = `${error.path}: the directory cannot be made (${error.code})`;
      done({ ok: false, exitCode: ExitCode.Usage, reason });
      return;
    }
  }
  const identity = { clusterId, raftId: recovery.raftId };
  new Inspection(env, recovery, identity, done).run();
};

/** Reads and judges; the directory stays as it is. */
class Inspection {
  #env: Env;
  #recovery: WalRecovery;
  #identity: WalIdentity;
  #done: Outcome;
  #list: SegmentList;
  #slot: DurableSlot;
  #survey: Survey;
  #unreadableBlocks: number;

  constructor(env: Env, recovery: WalRecovery, identity: WalIdentity, done: Outcome) {
    const { directory, manifest, checkpoint } = recovery;
    this.#env = env;
    this.#recovery = recovery;
    this.#identity = identity;
    this.#done = done;
    this.#list = listSegments(env, directory, identity, manifest.state.walSegments);
    this.#slot = readSlots(env, directory, identity);
    const { segments } = this.#list;
    this.#survey = new Survey({ segments, checkpoint, durableSeqCopy: this.#slot.durableSeq });
    this.#unreadableBlocks = 0;
  }

  run(): void {
    this.#scanFrom(0);
  }

  #scanFrom(at: number): void {
    const segment = this.#list.segments[at];
    if (segment === undefined) {
      this.#judge();
      return;
    }
    if (segment.file === null) {
      this.#scanFrom(at + 1);
      return;
    }
    const bytes = Math.min(segment.bytes, segment.file.sizeNow());
    const scan = new SegmentScan(segment.file, segment.nonce, bytes, this.#identity, {
      batch: (header, payload) => this.#survey.batch(at, header, payload),
      foreign: (header, offset) => this.#survey.foreign(at, header, offset),
      newer: (format, offset) => this.#survey.newer(at, format, offset),
    });
    const step = (): void => {
      if (!scan.step()) {
        this.#env.schedule(step);
        return;
      }
      this.#unreadableBlocks += scan.unreadableBlocks;
      this.#env.schedule(() => this.#scanFrom(at + 1));
    };
    step();
  }

  #judge(): void {
    const damage = this.#outlived() ?? this.#survey.classify();
    const row = damageRows[damage.class];
    this.#env.trace.mark(`wal.recover.row${row.row}`);
    if (row.exitCode !== null) {
      this.#refuse(refusal(damage));
      return;
    }
    const log = this.#survey.finish();
    if ("class" in log) {
      this.#env.trace.mark(`wal.recover.row${damageRows[log.class].row}`);
      this.#refuse(refusal(log));
      return;
    }
    this.#report(damage, log);
    const repair = new Restart(this.#env, this.#recovery, this.#identity, this.#done);
    repair.run(this.#list, this.#slot, this.#survey, log);
  }

  /** The directory counts its starts apart from the log: one of the two was put back. */
  #outlived(): Damage | null {
    const last = this.#survey.last;
    const { bootCount, directory } = this.#recovery;
    if (last === null || last.bootCount < bootCount) return null;
    const where = `${directory}: batch ${last.seq} is of start ${last.bootCount}, this is ${bootCount}`;
    return { class: "rolledBack", where };
  }

  #report(damage: Damage, log: Log): void {
    this.#env.trace.info("wal.recovered", {
      class: damage.class,
      seq: this.#survey.last?.seq ?? 0,
      lastIndex: log.lastIndex,
      entries: log.entries.length,
      durableSeq: this.#survey.durableSeq,
      unreadableBlocks: this.#unreadableBlocks,
    });
  }

  #refuse(outcome: Refusal): void {
    for (const { file } of this.#list.segments) file?.close();
    this.#done(outcome);
  }
}

function readSlots(env: Env, directory: string, identity: WalIdentity): DurableSlot {
  const content = new Uint8Array(durableFileBytes);
  const file = env.disk.openNow(`${directory}/${durableName}`, false);
  if (!(file instanceof DiskError)) {
    if (file.readNow(0, content) instanceof DiskError) content.fill(0);
    file.close();
  }
  return readDurableFile(content, identity);
}

/** Makes the good log durable and the rest zero, then starts the WAL on it. */
class Restart {
  #env: Env;
  #recovery: WalRecovery;
  #identity: WalIdentity;
  #done: Outcome;
  #zeroedBytes: number;

  constructor(env: Env, recovery: WalRecovery, identity: WalIdentity, done: Outcome) {
    this.#env = env;
    this.#recovery = recovery;
    this.#identity = identity;
    this.#done = done;
    this.#zeroedBytes = 0;
  }

  run(list: SegmentList, slot: DurableSlot, survey: Survey, log: Log): void {
    const { segments } = list;
    const { segmentAt, offset } = survey.end;
    const tail = segments.slice(segmentAt);
    const unsynced = segments.findIndex(({ lastSeq }) => lastSeq > survey.durableSeq);
    const syncFrom = unsynced < 0 ? segmentAt : unsynced;
    const sweep = (segment: ListedSegment, next: () => void): void => {
      this.#sweep(segment, segment === tail[0] ? offset : firstBatchOffset, next);
    };
    const start = (file: DurableFile): void => this.#start(segments, survey, log, file);
    inTurn(
      [
        (next) =>
          inTurn(
            list.orphans.map((path) => this.#removal(path)),
            next,
          ),
        (next) =>
          inTurn(
            tail.map((segment) => (then) => sweep(segment, then)),
            next,
          ),
        (next) =>
          inTurn(
            segments.slice(syncFrom).map((s) => this.#syncing(s)),
            next,
          ),
        (next) => this.#env.disk.syncDirectory(this.#recovery.directory, this.#then(next)),
        (next) => this.#nameSegments(segments, next),
      ],
      () => this.#openDurableFile(slot, start),
    );
  }

  /** A failure ends the process: nothing has been promised, the next start finds the same. */
  #then(next: () => void): (error: DiskError | null) => void {
    return (error) => {
      if (error !== null) failWal(this.#env, this.#recovery.directory, error);
      next();
    };
  }

  #removal(path: string): Step {
    return (next) => this.#env.disk.remove(path, this.#then(next));
  }

  #syncing(segment: ListedSegment): Step {
    return (next) => opened(segment).sync(this.#then(next));
  }

  #sweep(segment: ListedSegment, offset: number, next: () => void): void {
    const { file, bytes } = { file: opened(segment), bytes: segment.bytes };
    new Sweep(this.#env, file, offset, bytes, (error, zeroedBytes) => {
      if (error !== null) failWal(this.#env, this.#recovery.directory, error);
      this.#zeroedBytes += zeroedBytes;
      next();
    }).run();
  }

  #nameSegments(segments: readonly ListedSegment[], next: () => void): void {
    const unnamed = segments.filter(({ named }) => !named);
    if (unnamed.length === 0) {
      next();
      return;
    }
    const added = unnamed.map(({ id, nonce, bytes }) => ({ id, nonce, bytes }));
    this.#recovery.manifest.change(
      (state) => ({ ...state, walSegments: [...state.walSegments, ...added] }),
      next,
    );
  }

  #openDurableFile(slot: DurableSlot, next: (file: DurableFile) => void): void {
    const { directory } = this.#recovery;
    const path = `${directory}/${durableName}`;
    const fail = (error: DiskError): never => failWal(this.#env, directory, error);
    const size = this.#env.disk.sizeNow(path);
    const file = this.#env.disk.openNow(path, size === null);
    if (file instanceof DiskError) return fail(file);
    const ready = (): void => next(new DurableFile(file, this.#identity, slot, fail));
    if (size !== null && size >= durableFileBytes) {
      ready();
      return;
    }
    const blank = new Uint8Array(durableFileBytes);
    inTurn(
      [
        (then) => file.write(0, blank, this.#then(then)),
        (then) => file.sync(this.#then(then)),
        (then) => this.#env.disk.syncDirectory(directory, this.#then(then)),
      ],
      ready,
    );
  }

  #start(
    listed: readonly ListedSegment[],
    survey: Survey,
    log: Log,
    durableFile: DurableFile,
  ): void {
    const { directory, manifest, options, bootCount } = this.#recovery;
    const { segmentAt, offset } = survey.end;
    const { segmentBytes } = options;
    const { hardState, startIndex, startTerm, entries, lastIndex, lastTerm } = log;
    const peers = survey.peers();
    const wal = new Wal(this.#env, {
      setting: { directory, identity: this.#identity, manifest, segmentBytes },
      options,
      bootCount,
      segments: listed.map((segment, at) => inForce(segment, at >= segmentAt)),
      currentAt: listed.length === 0 ? -1 : segmentAt,
      offset,
      lastHeader: survey.last,
      last: { index: lastIndex, term: lastTerm },
      hardState,
      peers,
      durableFile,
    });
    const zeroedBytes = this.#zeroedBytes;
    const recovered = { hardState, entries, startIndex, startTerm, peers, zeroedBytes };
    const restartedAt = log.restarted ? { index: lastIndex, term: lastTerm } : null;
    wal.boot(log.voidMarks, restartedAt, () => this.#done({ ok: true, wal, recovered }));
  }
}

type Step = (next: () => void) => void;

/** One after the other: each step starts when the one before has called `next`. */
function inTurn(steps: readonly Step[], done: () => void): void {
  const go = (at: number): void => {
    const step = steps[at];
    if (step === undefined) done();
    else step(() => go(at + 1));
  };
  go(0);
}

function opened(segment: ListedSegment): DiskFile {
  return must(segment.file, "wal: a segment in force is not open");
}

/** Segments that are written up are closed; the others go on being used. */
function inForce(listed: ListedSegment, inUse: boolean): Segment {
  const { id, nonce, bytes, path, file } = listed;
  if (!inUse) file?.close();
  const segment = new Segment(id, nonce, bytes, path, inUse ? file : null);
  segment.firstSeq = listed.firstSeq;
  segment.lastSeq = listed.lastSeq;
  segment.lastIndex = listed.lastIndex;
  return segment;
}
