// From the files of a stopped process to a running WAL (P8). Here: look at everything and classify
// it by §3.3, changing nothing. What may go on goes on in restart.ts; anything else is refused with
// the directory as it was.
import { assert, fromHex } from "@quorate/base";
import { checkAccessNow } from "../directory/access.ts";
import { ExitCode } from "../env.ts";
import type { DiskError, Env } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import type { WalIdentity } from "./batch-header.ts";
import { damageRows, refusal } from "./damage.ts";
import type { Damage } from "./damage.ts";
import { readDurableFileNow } from "./durable-file.ts";
import type { DurableSlot } from "./durable-file.ts";
import { Restart } from "./restart.ts";
import type { Log, Outcome } from "./restart.ts";
import { readRewrite, rewriteName } from "./rewrite.ts";
import type { Rewrite } from "./rewrite.ts";
import { listSegments } from "./segment-list.ts";
import type { SegmentList } from "./segment-list.ts";
import { scanWindow, SegmentScan } from "./segment-scan.ts";
import { inTurn } from "./steps.ts";
import type { Step } from "./steps.ts";
import { SegmentState, Survey } from "./survey.ts";
import type { RecoverWal, WalRecovery } from "./wal-api.ts";
import { failWal } from "./wal-failure.ts";
import { blockBytes } from "./wal-format.ts";

export const recoverWal: RecoverWal = (env, recovery, done) => {
  const clusterId = fromHex(recovery.clusterId);
  assert(clusterId?.length === 8, "wal: a cluster id has 16 hex digits");
  const { segmentBytes } = recovery.options;
  assert(segmentBytes % blockBytes === 0 && segmentBytes > blockBytes, "wal: size of a segment");
  if (env.disk.listNow(recovery.directory) === null) {
    const error = env.disk.makeDirectoryNow(recovery.directory);
    if (error !== null) {
      const reason = `${error.path}: the directory cannot be made (${error.code})`;
      done({ ok: false, exitCode: ExitCode.Usage, reason });
      return;
    }
  }
  const refused = checkAccessNow(env.disk, recovery.directory);
  if (refused !== null) {
    done(refused);
    return;
  }
  const identity = { clusterId, raftId: recovery.raftId };
  new Inspection(env, recovery, identity, done).run();
};

/** Reads and judges. The one thing it may write: bytes that a crash kept from being rewritten. */
class Inspection {
  #env: Env;
  #recovery: WalRecovery;
  #identity: WalIdentity;
  #done: Outcome;
  #list: SegmentList;
  #slot: DurableSlot;
  #survey: Survey;
  #window: Uint8Array;
  #unreadableBlocks: number;

  constructor(env: Env, recovery: WalRecovery, identity: WalIdentity, done: Outcome) {
    const { directory, manifest, checkpoint, stateLost } = recovery;
    this.#env = env;
    this.#recovery = recovery;
    this.#identity = identity;
    this.#done = done;
    this.#list = listSegments(env.disk, directory, identity, manifest.state.walSegments);
    this.#slot = readDurableFileNow(env.disk, directory, identity);
    const { segments } = this.#list;
    const durableSeqCopy = this.#slot.durableSeq;
    this.#survey = new Survey({ segments, checkpoint, durableSeqCopy, stateLost });
    this.#window = scanWindow(Math.max(0, ...segments.map(({ bytes }) => bytes)));
    this.#unreadableBlocks = 0;
  }

  run(): void {
    const { directory } = this.#recovery;
    const rewrite = readRewrite(this.#env.disk, `${directory}/${rewriteName}`, this.#identity);
    if (rewrite === null) this.#scanFrom(0);
    else inTurn(this.#redo(rewrite), () => this.#scanFrom(0));
  }

  /** Its ranges may be torn: they hold the very bytes that the file has (rewrite.ts). */
  #redo(rewrite: Rewrite): Step[] {
    const steps: Step[] = [];
    const then = (next: () => void) => (error: DiskError | null) => {
      if (error !== null) failWal(this.#env, error);
      next();
    };
    let at = 0;
    for (const { segmentId, nonce, offset, length } of rewrite.ranges) {
      const bytes = rewrite.bytes.subarray(at, at + length);
      at += length;
      const segment = this.#list.segments.find(({ id }) => id === segmentId);
      const same = segment?.nonce === nonce && segment.state === SegmentState.Good;
      const file = same && offset + length <= segment.bytes ? segment.file : null;
      if (file === null) continue;
      steps.push((next) => file.write(offset, bytes, then(next)));
      steps.push((next) => file.sync(then(next)));
    }
    return steps;
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
    const scan = new SegmentScan(segment.file, segment.nonce, bytes, this.#identity, this.#window, {
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
    const { log } = this.#survey;
    const { row, exitCode } = damageRows[damage.class];
    if (this.#unreadableBlocks > 0) this.#env.trace.mark("wal.recover.row16");
    const isMended = damage.class === "mended";
    this.#env.trace.mark(isMended ? "wal.recover.mended" : `wal.recover.row${row}`);
    // The table decides, and whoever goes on has a log to go on with.
    if (log === null || exitCode !== null) {
      this.#refuse(refusal(damage, { tables: [], peers: this.#survey.peers().length }));
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
    const where = `${directory}: batch ${last.seq} is of start ${last.bootCount}, this is start ${bootCount}`;
    return { class: "startsRolledBack", where };
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
    const { action, finding } = damageRows[damage.class];
    if (action !== "repair") return;
    const { where } = damage;
    const missing = log.gapped?.missing ?? 0;
    this.#env.trace.warn("wal.repairs", { where, finding, missing, lastIndex: log.lastIndex });
  }

  #refuse(outcome: Refusal): void {
    for (const { file } of this.#list.segments) file?.close();
    this.#done(outcome);
  }
}
