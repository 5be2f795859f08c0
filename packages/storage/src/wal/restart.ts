// The part of recovery that writes, in P8's order: remove left-overs, write anew what the disk may
// have refused, zero what stands behind the end, sync whatever may be in the page cache only, write
// the boot batch; when that is durable the WAL is handed over. Each part may be done twice.
//
// What a start before has written and not known to be durable may be refused by the disk and shown by
// the page cache all the same. In the log that is everything above durableSeq; of the zeros behind
// its end those of a start that did not come to its boot batch; of segments those not yet named.
import { must } from "@quorate/base";
import { DiskError } from "../env.ts";
import type { DiskFile, Env } from "../env.ts";
import type { WalIdentity } from "./batch-header.ts";
import { DurableFile, durableFileBytes, durableName } from "./durable-file.ts";
import type { DurableSlot } from "./durable-file.ts";
import type { Replayed } from "./log-replay.ts";
import { collectRewrite, encodeRewrite, rewriteName } from "./rewrite.ts";
import type { RewriteRange } from "./rewrite.ts";
import { Segment } from "./segment.ts";
import type { ListedSegment, SegmentList } from "./segment-list.ts";
import { encodeSegmentHeader } from "./segment-header.ts";
import { inTurn } from "./steps.ts";
import type { Step } from "./steps.ts";
import type { Survey } from "./survey.ts";
import { Sweep } from "./sweep.ts";
import type { RecoverWal, WalRecovery } from "./wal-api.ts";
import { failWal } from "./wal-failure.ts";
import { firstBatchOffset } from "./wal-format.ts";
import { Wal } from "./wal.ts";

export type Outcome = Parameters<RecoverWal>[2];
export type Log = Replayed & { readonly ok: true };

/** Makes the good log durable and the rest zero, then starts the WAL on it. */
export class Restart {
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
    const { segments, orphans } = list;
    const { segmentAt, offset } = survey.end;
    const unsynced = segments.findIndex(({ lastSeq }) => lastSeq > survey.durableSeq);
    const unsyncedFrom = unsynced < 0 ? segmentAt : unsynced;
    const unfinished = (survey.last?.bootCount ?? 0) < this.#recovery.bootCount - 1;
    const steps = orphans.map((path) => this.#removing(path));
    for (const segment of segments) if (!segment.named) steps.push(this.#heading(segment));
    steps.push(...this.#rewriting(segments, survey.durableSeq));
    for (const [at, segment] of segments.slice(segmentAt).entries()) {
      const all = unfinished || !segment.named;
      steps.push(this.#sweeping(segment, at === 0 ? offset : firstBatchOffset, all));
    }
    steps.push(this.#marking("wal.restart.zeroed"));
    for (const segment of segments.slice(unsyncedFrom)) steps.push(this.#syncing(segment));
    steps.push(this.#syncingNames());
    steps.push((next) => this.#nameSegments(segments, next));
    steps.push(this.#marking("wal.restart.synced"));
    inTurn(steps, () =>
      this.#openDurableFile(slot, (file) => this.#start(segments, survey, log, file)),
    );
  }

  /** A failure ends the process: nothing has been promised, the next start finds the same. */
  #then(next: () => void): (error: DiskError | null) => void {
    return (error) => {
      if (error !== null) failWal(this.#env, error);
      next();
    };
  }

  #marking(point: string): Step {
    return (next) => {
      this.#env.trace.mark(point);
      next();
    };
  }

  #removing(path: string): Step {
    return (next) => this.#env.disk.remove(path, this.#then(next));
  }

  #syncing(segment: ListedSegment): Step {
    return (next) => opened(segment).sync(this.#then(next));
  }

  #syncingNames(): Step {
    return (next) => this.#env.disk.syncDirectory(this.#recovery.directory, this.#then(next));
  }

  /** `all`: the zeros that the cache shows may be zeros that the disk refused. */
  #sweeping(segment: ListedSegment, offset: number, all: boolean): Step {
    return (next) => {
      const range = { offset, end: segment.bytes, all };
      new Sweep(this.#env, opened(segment), range, (error, zeroedBytes) => {
        if (error !== null) failWal(this.#env, error);
        this.#zeroedBytes += zeroedBytes;
        next();
      }).run();
    };
  }

  /** It was being made: not named, so not needed yet. */
  #heading(segment: ListedSegment): Step {
    const { id, nonce, previousNonce, bytes } = segment;
    const header = { id, nonce, previousNonce, segmentBytes: bytes };
    const block = encodeSegmentHeader(this.#identity, header);
    return (next) => opened(segment).write(0, block, this.#then(next));
  }

  /** Every batch above what is known to be durable goes to the disk anew, by way of a copy. */
  #rewriting(segments: readonly ListedSegment[], durableSeq: number): Step[] {
    const { directory } = this.#recovery;
    const path = `${directory}/${rewriteName}`;
    const ranges = segments.flatMap((segment) => rangeAbove(segment, durableSeq));
    if (ranges.length === 0) return [];
    const fileOf = (segmentId: number): DiskFile =>
      opened(
        must(
          segments.find(({ id }) => id === segmentId),
          "wal: a range without segment",
        ),
      );
    const rewrite = collectRewrite(ranges, fileOf);
    if (rewrite instanceof DiskError) failWal(this.#env, rewrite);
    const copy = this.#env.disk.openNow(path, this.#env.disk.sizeNow(path) === null);
    if (copy instanceof DiskError) failWal(this.#env, copy);
    const content = encodeRewrite(this.#identity, rewrite);
    const steps: Step[] = [
      (next) => copy.truncate(content.length, this.#then(next)),
      (next) => copy.write(0, content, this.#then(next)),
      (next) => copy.sync(this.#then(next)),
      this.#syncingNames(),
    ];
    let at = 0;
    for (const { segmentId, offset, length } of ranges) {
      const bytes = rewrite.bytes.subarray(at, at + length);
      at += length;
      steps.push((next) => fileOf(segmentId).write(offset, bytes, this.#then(next)));
    }
    steps.push((next) => {
      copy.close();
      next();
    });
    return steps;
  }

  /** The boot batch is durable: the copy has served. */
  #forgetRewrite(done: () => void): void {
    const path = `${this.#recovery.directory}/${rewriteName}`;
    if (this.#env.disk.sizeNow(path) === null) done();
    else inTurn([this.#removing(path)], done);
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
    const fail = (error: DiskError): never => failWal(this.#env, error);
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
    const { hardState, startIndex, startTerm, entries, gapped, lastIndex, lastTerm } = log;
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
      gapped: gapped?.points() ?? null,
      hardState,
      peers,
      durableFile,
    });
    const zeroedBytes = this.#zeroedBytes;
    const promised = gapped === null ? null : { index: lastIndex, term: lastTerm };
    const ends = { startIndex, startTerm, promised };
    const left = { behind: gapped?.behind() ?? [], names: gapped?.names() ?? [] };
    const recovered = { hardState, entries, ...ends, ...left, peers, zeroedBytes };
    const restartedAt = log.restarted ? { index: lastIndex, term: lastTerm } : null;
    wal.boot(log.voidMarks, restartedAt, () => {
      this.#env.trace.mark("wal.restart.booted");
      this.#forgetRewrite(() => this.#done({ ok: true, wal, recovered }));
    });
  }
}

/** The blocks of a segment whose batches are above `durableSeq`. */
function rangeAbove(segment: ListedSegment, durableSeq: number): RewriteRange[] {
  const { id, nonce, batches, endOffset } = segment;
  const first = batches.find(({ seq }) => seq > durableSeq);
  if (first === undefined) return [];
  const { offset } = first;
  return [{ segmentId: id, nonce, offset, length: endOffset - offset }];
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
  segment.damaged = listed.damaged;
  return segment;
}
