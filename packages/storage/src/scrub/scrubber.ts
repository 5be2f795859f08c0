// Rereads everything durable once per interval, the log's sealed segments and then all row segments,
// within a budget of bytes and in short slices, so that rot is found while peers still have what it took
// (reliability.md §3.9). It stands still while the member has other things to do. What it finds it
// tells once, and goes on.
import type { Disk } from "../env.ts";
import type { RowLog } from "../rows/row-log.ts";
import type { WalIdentity } from "../wal/batch-header.ts";
import type { WalApi } from "../wal/wal-api.ts";
import { RowsTarget } from "./rows-target.ts";
import type { ScrubFinding, ScrubOptions, ScrubTarget } from "./scrub-api.ts";
import { WalTarget } from "./wal-target.ts";

/** Read and checked at once: at most about a third of a millisecond. */
const sliceBytesMax = 131_072;
const sliceBytesMin = 4096;

export interface ScrubberParts {
  readonly disk: Pick<Disk, "openNow">;
  readonly rows: RowLog;
  readonly wal: Pick<WalApi, "sealedSegments">;
  readonly identity: WalIdentity;
  readonly options: ScrubOptions;
  readonly found: (finding: ScrubFinding) => void;
}

export class Scrubber {
  readonly #parts: ScrubberParts;
  /** Of this pass, the one under scrub first. */
  #targets: ScrubTarget[];
  /** When the next pass is due; -1: not known before the first tick. */
  #dueMs: number;
  #budgetBytes: number;
  #lastMs: number;
  /** Reread by this process, for metrics. */
  bytes: number;

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
    this.#targets = [];
    this.#dueMs = -1;
    this.#budgetBytes = 0;
    this.#lastMs = 0;
    this.bytes = 0;
  }

  get running(): boolean {
    return this.#targets.length > 0;
  }

  tick(nowMs: number, busy: boolean): void {
    const { intervalMs, bytesPerSecond } = this.#parts.options;
    // A start has just read everything.
    if (this.#dueMs < 0) this.#dueMs = nowMs + intervalMs;
    const earned = (bytesPerSecond * Math.max(0, nowMs - this.#lastMs)) / 1000;
    this.#lastMs = nowMs;
    this.#budgetBytes = Math.min(sliceBytesMax, this.#budgetBytes + earned);
    if (busy) return;
    if (!this.running && nowMs >= this.#dueMs) {
      this.#dueMs = nowMs + intervalMs;
      this.#begin();
    }
    if (this.#budgetBytes >= sliceBytesMin) this.#slice();
  }

  /** Everything is different now, or nobody is to read any more: the pass is given up. */
  stop(): void {
    for (const target of this.#targets) target.close();
    this.#targets = [];
  }

  #begin(): void {
    const { disk, rows, wal, identity } = this.#parts;
    const log = wal.sealedSegments().map((segment): ScrubTarget => {
      const inForce = (): boolean =>
        wal.sealedSegments().some(({ nonce }) => nonce === segment.nonce);
      return new WalTarget(disk, segment, identity, inForce);
    });
    const saved = rows.segments.filter(({ savedBytes }) => savedBytes > 0);
    const stored = saved.map((segment): ScrubTarget => {
      const inForce = (): boolean => rows.segments.includes(segment);
      return new RowsTarget(disk, rows.files.pathOf(segment.name), segment, inForce);
    });
    this.#targets = [...log, ...stored];
  }

  #slice(): void {
    const target = this.#targets[0];
    if (target === undefined) return;
    const read = target.stands() ? target.step(Math.floor(this.#budgetBytes)) : 0;
    this.#budgetBytes -= read;
    this.bytes += read;
    // A file that went meanwhile may have been another one's by then.
    const finding = target.stands() ? target.finding : null;
    if (read > 0 && target.finding === null) return;
    target.close();
    this.#targets.shift();
    if (finding !== null) this.#parts.found(finding);
  }
}
