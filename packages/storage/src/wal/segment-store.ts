// The segments in force, oldest first: older ones, the one being written, the one prepared ahead.
// Hands out the next one and lets the oldest go, the manifest first, then the file (P9); one file
// that went is kept as a spare for the next segment.
import { assert, must } from "@quorate/base";
import type { Index } from "@quorate/raft";
import type { Env } from "../env.ts";
import type { Segment } from "./segment.ts";
import { SegmentPreparer } from "./segment-preparer.ts";
import type { SegmentSetting, SpareFile } from "./segment-preparer.ts";

export class SegmentStore {
  #env: Env;
  #setting: SegmentSetting;
  #segments: Segment[];
  /** Index of the segment being written; −1 before the first one of a new directory is ready. */
  #currentAt: number;
  #preparer: SegmentPreparer;
  #spare: SpareFile | null;
  #ready: () => void;

  /** `ready`: a next segment has become available. */
  constructor(
    env: Env,
    setting: SegmentSetting,
    segments: Segment[],
    currentAt: number,
    ready: () => void,
  ) {
    this.#env = env;
    this.#setting = setting;
    this.#segments = segments;
    this.#currentAt = currentAt;
    this.#spare = null;
    this.#ready = ready;
    this.#preparer = new SegmentPreparer(env, setting, (segment) => {
      this.#segments.push(segment);
      this.#ready();
    });
  }

  get current(): Segment {
    return must(this.#segments[this.#currentAt], "wal: no segment is ready yet");
  }

  get hasCurrent(): boolean {
    return this.#currentAt >= 0;
  }

  get hasNext(): boolean {
    return this.#currentAt + 1 < this.#segments.length;
  }

  get count(): number {
    return this.#segments.length;
  }

  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.bytes;
    return bytes;
  }

  /** Whole ones that nothing more is written to, all of whose batches are durable. */
  sealed(durableSeq: number): readonly Segment[] {
    return this.#segments
      .slice(0, Math.max(0, this.#currentAt))
      .filter(({ firstSeq, lastSeq, damaged }) => {
        return !damaged && firstSeq > 0 && lastSeq <= durableSeq;
      });
  }

  /** Starts on the next segment; the one after it is prepared from now on. */
  advance(): Segment {
    assert(this.hasNext, "wal: the next segment is not ready");
    this.#currentAt++;
    this.prepare();
    return this.current;
  }

  /** Sees to it that a next segment exists or is being made. */
  prepare(): void {
    if (this.hasNext || this.#preparer.preparing) return;
    const last = this.#segments.at(-1) ?? null;
    const spare = this.#spare;
    this.#spare = null;
    this.#preparer.start((last?.id ?? 0) + 1, last?.nonce ?? 0, spare);
  }

  /** An append waits for the next segment. */
  hurry(): void {
    this.prepare();
    this.#preparer.hurry();
  }

  pay(bytes: number): void {
    this.#preparer.pay(bytes);
  }

  tick(): void {
    this.#preparer.tick();
  }

  /**
   * Lets whole segments go that hold nothing above `index`. Their successor must have a durable
   * batch: it carries the hard state, every peer and what is known to be durable.
   */
  dropBelow(index: Index, durableSeq: number, done: () => void): void {
    let count = 0;
    while (count < this.#currentAt && this.#droppable(count, index, durableSeq)) count++;
    if (count === 0) {
      this.#env.schedule(done);
      return;
    }
    const gone = this.#segments.splice(0, count);
    this.#currentAt -= count;
    const lastGone = gone.at(-1)!.id;
    this.#setting.manifest.change(
      (state) => ({
        ...state,
        walSegments: state.walSegments.filter((entry) => entry.id > lastGone),
      }),
      () => {
        this.#env.trace.mark("wal.segments.unnamed");
        for (const segment of gone) this.#release(segment);
        done();
      },
    );
  }

  #droppable(at: number, index: Index, durableSeq: number): boolean {
    const segment = this.#segments[at]!;
    const next = this.#segments[at + 1]!;
    const attested = next.firstSeq !== 0 && next.firstSeq <= durableSeq;
    return segment.lastIndex <= index && segment.lastSeq <= durableSeq && attested;
  }

  #release(segment: Segment): void {
    segment.close();
    if (this.#spare === null && segment.bytes === this.#setting.segmentBytes) {
      this.#spare = { path: segment.path, bytes: segment.bytes };
      return;
    }
    this.#env.disk.remove(segment.path, (error) => {
      if (error === null) return;
      // Not named any more: recovery removes it, so it only costs space until then.
      this.#env.trace.warn("wal.segment.kept", { path: error.path, code: error.code });
    });
  }

  close(done: () => void): void {
    this.#preparer.stop(() => {
      for (const segment of this.#segments) segment.close();
      done();
    });
  }
}
