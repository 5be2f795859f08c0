// Takes in what the scans of all segments find, in order, and says where the good log ends and what
// the rest means. The good log is the longest chain from the first batch; what stands behind its
// end is evidence only (§3.3, P8). Knows no files.
import type { PeerRecord } from "../storage-api.ts";
import { batchBytes } from "./batch-header.ts";
import type { BatchHeader } from "./batch-header.ts";
import { decodePayload } from "./batch-payload.ts";
import type { Damage } from "./damage.ts";
import { LogReplay } from "./log-replay.ts";
import type { CheckpointPoint, LogProblem, Replayed } from "./log-replay.ts";
import { BatchKind, firstBatchOffset } from "./wal-format.ts";

/** What the scan found of one segment as a file. */
export const SegmentState = {
  Good: 1,
  Missing: 2,
  WrongSize: 3,
  HeaderDamaged: 4,
  Foreign: 5,
  Newer: 6,
} as const;
export type SegmentState = (typeof SegmentState)[keyof typeof SegmentState];

/** One segment under survey: what ought to be there, and what the good log has in it. */
export interface SurveyedSegment {
  readonly id: number;
  readonly name: string;
  state: SegmentState;
  /** For the reason: size found, format found. */
  detail: string;
  firstSeq: number;
  lastSeq: number;
  lastIndex: number;
  /** Where the batches firstSeq, firstSeq + 1, … start, and where the last one ends. */
  readonly offsets: number[];
  endOffset: number;
  /** A batch that checks stands in it, part of the good log or not. */
  inhabited: boolean;
}

/** Where a batch stands. */
export interface Place {
  readonly segmentAt: number;
  readonly offset: number;
}

interface Found {
  readonly header: BatchHeader;
  readonly place: Place;
  /** The records check too. */
  readonly whole: boolean;
}

export interface SurveyInput {
  readonly segments: readonly SurveyedSegment[];
  readonly checkpoint: (CheckpointPoint & { readonly durableSeq: number }) | null;
  /** From the second file; 0: none. */
  readonly durableSeqCopy: number;
}

export class Survey {
  #segments: readonly SurveyedSegment[];
  #input: SurveyInput;
  #replay: LogReplay;
  #last: BatchHeader | null;
  /** Where the next good batch would have to start. */
  #end: Place;
  /** Boot counts and crcs of the good log, by seq − firstSeq: for row 12. */
  #boots: number[];
  #crcs: number[];
  /** Whole batches and headers that are not part of the good log. */
  #strays: Found[];
  /** The header at the end's very place, whose records do not check. */
  #broken: BatchHeader | null;
  #headerDurableSeq: number;
  /** Stands where the next batch of the good log was expected. */
  #foreign: BatchHeader | null;
  #damage: Damage | null;

  constructor(input: SurveyInput) {
    this.#segments = input.segments;
    this.#input = input;
    this.#replay = new LogReplay();
    this.#last = null;
    this.#end = { segmentAt: 0, offset: firstBatchOffset };
    this.#boots = [];
    this.#crcs = [];
    this.#strays = [];
    this.#broken = null;
    this.#headerDurableSeq = 0;
    this.#foreign = null;
    this.#damage = null;
  }

  /** Last batch of the good log. */
  get last(): BatchHeader | null {
    return this.#last;
  }

  get end(): Place {
    return this.#end;
  }

  /** Something that looks like a batch stands behind the end. */
  get torn(): boolean {
    return this.#strays.length > 0 || this.#broken !== null;
  }

  /** P8: the newest number that anything whole says is durable. */
  get durableSeq(): number {
    const { checkpoint, durableSeqCopy } = this.#input;
    return Math.max(this.#headerDurableSeq, durableSeqCopy, checkpoint?.durableSeq ?? 0);
  }

  peers(): readonly PeerRecord[] {
    return this.#replay.peers();
  }

  batch(segmentAt: number, header: BatchHeader, payload: Uint8Array | null): void {
    const place = { segmentAt, offset: header.offset };
    this.#headerDurableSeq = Math.max(this.#headerDurableSeq, header.durableSeq);
    if (payload !== null) this.#segments[segmentAt]!.inhabited = true;
    if (!this.#continues(header, place)) {
      this.#strays.push({ header, place, whole: payload !== null });
    } else if (payload === null) {
      this.#broken = header;
    } else {
      this.#accept(header, payload, place);
    }
  }

  foreign(segmentAt: number, header: BatchHeader, offset: number): void {
    const place = { segmentAt, offset };
    if (this.#foreign === null && this.#isNext(place)) this.#foreign = header;
  }

  newer(segmentAt: number, format: number, offset: number): void {
    const { name } = this.#segments[segmentAt]!;
    this.#damage ??= { class: "newer", where: `${name} at offset ${offset}: format ${format}` };
  }

  #continues(header: BatchHeader, place: Place): boolean {
    if (this.#broken !== null || this.#strays.length > 0 || !this.#isNext(place)) return false;
    const last = this.#last;
    // The first segment of a directory starts with the first batch; of a later one the manifest
    // vouches that what came before is no longer needed.
    if (last === null) return this.#segments[0]!.id > 1 || header.seq === 1;
    return (
      header.seq === last.seq + 1 &&
      header.prevChainCrc === last.crc &&
      header.prevLastIndex === last.lastIndex &&
      header.prevLastTerm === last.lastTerm &&
      header.bootCount >= last.bootCount
    );
  }

  /** Right behind the good log, or first in the segment after it. */
  #isNext(place: Place): boolean {
    const { segmentAt, offset } = this.#end;
    if (place.segmentAt === segmentAt) return place.offset === offset;
    const follows = place.segmentAt === segmentAt + 1 && place.offset === firstBatchOffset;
    return follows && this.#last !== null;
  }

  #accept(header: BatchHeader, payload: Uint8Array, place: Place): void {
    const segment = this.#segments[place.segmentAt]!;
    const records = decodePayload(header, payload);
    if (records === null) {
      const where = `${segment.name} at offset ${place.offset}: batch ${header.seq} checks and cannot be read`;
      this.#damage ??= { class: "contradiction", where };
      this.#broken = header;
      return;
    }
    this.#replay.apply(header, records);
    this.#last = header;
    this.#end = { segmentAt: place.segmentAt, offset: place.offset + batchBytes(header) };
    this.#boots.push(header.bootCount);
    this.#crcs.push(header.crc);
    if (segment.firstSeq === 0) segment.firstSeq = header.seq;
    segment.lastSeq = header.seq;
    segment.offsets.push(place.offset);
    segment.endOffset = this.#end.offset;
    const spokenOf = Math.max(header.entries > 0 ? header.lastIndex : 0, header.markIndex);
    segment.lastIndex = Math.max(segment.lastIndex, spokenOf);
  }

  // ---- classification ----------------------------------------------------------------------------

  /** The class of §3.3; only `clean` and `tornTail` may go on. */
  classify(): Damage {
    const lost = this.#lostSegment();
    const known = this.#misplacedSegment() ?? this.#damage ?? this.#contradiction() ?? lost;
    if (known !== null) return known;
    const firstBad = (this.#last?.seq ?? 0) + 1;
    // A later segment becomes the first only when it has a durable batch.
    const beheaded = this.#last === null && (this.#segments[0]?.id ?? 1) > 1;
    if (firstBad > this.durableSeq && !beheaded) {
      return { class: this.torn ? "tornTail" : "clean", where: this.#where() };
    }
    return { class: this.#hole(firstBad), where: this.#where() };
  }

  #misplacedSegment(): Damage | null {
    for (const { name, state, detail } of this.#segments) {
      if (state === SegmentState.Newer) return { class: "newer", where: `${name}: ${detail}` };
      if (state === SegmentState.Foreign) return { class: "foreign", where: `${name}: ${detail}` };
    }
    return null;
  }

  /** Row 12: two whole batches of one start with one number. */
  #contradiction(): Damage | null {
    const first = (this.#last?.seq ?? 0) - this.#boots.length + 1;
    const seen = new Map<string, number>();
    for (const { header, place, whole } of this.#strays) {
      if (!whole) continue;
      const key = `${header.bootCount} ${header.seq}`;
      const at = header.seq - first;
      const crc = this.#boots[at] === header.bootCount ? this.#crcs[at] : seen.get(key);
      if (crc !== undefined && crc !== header.crc) {
        const { name } = this.#segments[place.segmentAt]!;
        const where = `${name} at offset ${place.offset}: a second batch ${header.seq} of start ${header.bootCount}`;
        return { class: "contradiction", where };
      }
      seen.set(key, header.crc);
    }
    return null;
  }

  #lostSegment(): Damage | null {
    const at = this.#segments.findIndex(({ state }) => state !== SegmentState.Good);
    if (at < 0) return null;
    const { name, detail } = this.#segments[at]!;
    const followed = this.#segments.slice(at + 1).some(({ inhabited }) => inhabited);
    return {
      class: followed ? "segmentLost" : "lastSegmentLost",
      where: `${name}: ${detail}; good up to batch ${this.#last?.seq ?? 0}, durable up to ${this.durableSeq}`,
    };
  }

  #hole(firstBad: number): Damage["class"] {
    const { checkpoint } = this.#input;
    const attested = this.#strays.map(({ header }) => header);
    if (this.#broken !== null) attested.push(this.#broken);
    const newest = attested.reduce((seq, header) => Math.max(seq, header.seq), 0);
    if (newest === 0) return (checkpoint?.durableSeq ?? 0) >= firstBad ? "rolledBack" : "tailLost";
    if (newest < this.durableSeq) return "promiseUnknown";
    const next = attested.find(({ seq }) => seq > firstBad);
    if (this.#broken !== null && (next === undefined || next.kind === BatchKind.Seal)) {
      return "lastBatchDamaged";
    }
    const covered = next !== undefined && next.prevLastIndex <= (checkpoint?.index ?? 0);
    return covered ? "harmlessHole" : "hole";
  }

  /** File, offset, batch, entries. */
  #where(): string {
    const { segmentAt, offset } = this.#end;
    const { name } = this.#segments[segmentAt] ?? { name: "an empty log" };
    const next = `batch ${(this.#last?.seq ?? 0) + 1}, entry ${(this.#last?.lastIndex ?? 0) + 1}`;
    const foreign = this.#foreign;
    const misplaced =
      foreign === null
        ? ""
        : `, where a batch of raft id ${foreign.raftId} for offset ${foreign.offset} stands`;
    return `${name} at offset ${offset}: expected ${next}${misplaced}; durable up to batch ${this.durableSeq}`;
  }

  // ---- the log -----------------------------------------------------------------------------------

  /** The log up to the good end, as the checkpoint makes it; or why they do not fit. */
  finish(): (Replayed & { readonly ok: true }) | Damage {
    const replayed = this.#replay.finish(this.#input.checkpoint);
    return replayed.ok ? replayed : this.#misfit(replayed.problem);
  }

  #misfit(problem: LogProblem): Damage {
    const log = `the log up to batch ${this.#last?.seq ?? 0}`;
    switch (problem.what) {
      case "gap": {
        const { seq, firstIndex, last } = problem;
        const where = `batch ${seq} starts at entry ${firstIndex} where ${last} is the last`;
        return { class: "contradiction", where };
      }
      case "uncovered": {
        const { startIndex, checkpoint } = problem;
        const where = `${log} starts behind entry ${startIndex}, the checkpoint ends at ${checkpoint}`;
        return { class: "stateBehindLog", where };
      }
      case "commit": {
        const where = `${log} ends at entry ${problem.last}, below the commit index ${problem.commit}`;
        return { class: "rolledBack", where };
      }
    }
  }
}
