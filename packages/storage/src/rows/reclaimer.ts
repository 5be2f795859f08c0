// Gives back the room of dead rows: drops segments in which nothing lives and rewrites others, a few
// hundred kilobytes a tick within a byte budget. Rows keep their refs. Which rows may go is judged
// by the checkpoint in force alone (P9).
import { assert, must } from "@quorate/base";
import type { ManifestApi, RowSegmentEntry } from "../manifest/manifest-api.ts";
import type { Medium } from "../medium.ts";
import type { HeldFiles } from "../snapshot/held-files.ts";
import { planReclaim } from "./reclaim-plan.ts";
import type { RowLog } from "./row-log.ts";
import type { RowSegment } from "./row-segment.ts";
import { SegmentRewrite } from "./segment-rewrite.ts";

export interface ReclaimerParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly rows: RowLog;
  readonly manifest: ManifestApi;
  readonly held: HeldFiles;
  readonly segmentBytes: number;
  readonly bytesPerSecond: number;
}

/** Written at once at most. */
const sliceBytesMax = 262_144;
/** What idle time saves up, in seconds of the budget: several late ticks, not a burst. */
const savedSecondsMax = 0.05;

export class Reclaimer {
  readonly #parts: ReclaimerParts;
  #budgetBytes: number;
  #lastMs: number;
  /** The checkpoint in force or the segments changed since the last plan found nothing. */
  #worthPlanning: boolean;
  #rewrite: SegmentRewrite | null;
  /** A slice, or the end of a rewrite or drop, is on its way to the disk. */
  #busy: boolean;
  #stopped: boolean;
  #whenIdle: (() => void) | null;

  constructor(parts: ReclaimerParts) {
    this.#parts = parts;
    this.#budgetBytes = 0;
    this.#lastMs = 0;
    this.#worthPlanning = true;
    this.#rewrite = null;
    this.#busy = false;
    this.#stopped = false;
    this.#whenIdle = null;
  }

  /** A checkpoint came into force: more rows may go. */
  checkpointed(): void {
    this.#worthPlanning = true;
  }

  tick(nowMs: number): void {
    const elapsedSeconds = Math.max(0, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const { bytesPerSecond } = this.#parts;
    const budgetMax = Math.min(sliceBytesMax, bytesPerSecond * savedSecondsMax);
    const earned = bytesPerSecond * elapsedSeconds;
    this.#budgetBytes = Math.min(this.#budgetBytes + earned, budgetMax);
    if (this.#busy || this.#stopped) return;
    if (this.#rewrite === null && this.#worthPlanning) this.#plan();
    if (this.#rewrite !== null && this.#budgetBytes > 0) this.#step(this.#rewrite);
  }

  /** No new work; `idle` when the disk is done with what was begun. Work half done is thrown away. */
  stop(idle: () => void): void {
    assert(this.#whenIdle === null, "a reclaimer is stopped once at a time");
    this.#stopped = true;
    if (this.#busy) this.#whenIdle = idle;
    else this.#abort(idle);
  }

  /** After a stop: everything is different now. */
  restart(): void {
    this.#stopped = false;
    this.#worthPlanning = true;
  }

  #plan(): void {
    const { rows, segmentBytes } = this.#parts;
    const plan = planReclaim(rows.segments, rows.captureInForce, segmentBytes);
    if (plan.drop.length > 0) {
      this.#drop(plan.drop);
    } else if (plan.merge.length > 0) {
      this.#rewrite = new SegmentRewrite(this.#parts, plan.merge);
    } else {
      this.#worthPlanning = false;
    }
  }

  #drop(segments: readonly RowSegment[]): void {
    this.#busy = true;
    const names = new Set(segments.map((segment) => segment.name));
    const { medium, manifest, rows } = this.#parts;
    manifest.change(
      (state) => ({
        ...state,
        rowSegments: state.rowSegments.filter((entry) => !names.has(entry.name)),
      }),
      () => {
        medium.env.trace.mark("reclaim.dropped");
        for (const segment of segments) {
          rows.replace(segment, segment, null);
          this.#parts.held.discard(segment.name);
        }
        this.#idle();
      },
    );
  }

  #step(rewrite: SegmentRewrite): void {
    this.#busy = true;
    rewrite.step(this.#budgetBytes, (copiedBytes, atEnd) => {
      this.#budgetBytes -= copiedBytes;
      if (atEnd && !this.#stopped) this.#finish(rewrite);
      else this.#idle();
    });
  }

  #finish(rewrite: SegmentRewrite): void {
    rewrite.finish((entry) => this.#putInForce(rewrite, entry));
  }

  #putInForce(rewrite: SegmentRewrite, entry: RowSegmentEntry | null): void {
    const { medium, manifest, rows, held } = this.#parts;
    const names = new Set(rewrite.sources.map((segment) => segment.name));
    const first = must(rewrite.sources[0], "a rewrite has sources");
    const last = must(rewrite.sources.at(-1), "a rewrite has sources");
    medium.env.trace.mark("reclaim.synced");
    manifest.change(
      (state) => {
        const rowSegments: RowSegmentEntry[] = [];
        for (const named of state.rowSegments) {
          if (named.name === first.name && entry !== null) rowSegments.push(entry);
          if (!names.has(named.name)) rowSegments.push(named);
        }
        return { ...state, rowSegments };
      },
      () => {
        medium.env.trace.mark("reclaim.in-force");
        rows.replace(first, last, entry === null ? null : rewrite.result(entry));
        for (const segment of rewrite.sources) held.discard(segment.name);
        this.#rewrite = null;
        this.#idle();
      },
    );
  }

  #idle(): void {
    this.#busy = false;
    const idle = this.#whenIdle;
    if (idle === null) return;
    this.#whenIdle = null;
    this.#abort(idle);
  }

  #abort(done: () => void): void {
    const rewrite = this.#rewrite;
    this.#rewrite = null;
    if (rewrite === null) done();
    else rewrite.abort(done);
  }
}
