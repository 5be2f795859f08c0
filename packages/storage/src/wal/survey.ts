// Takes in what the scans of all segments find, in order, and says where the log ends, what of it is
// lost and what that means (§3.3, P8). The log is a chain from the first batch. Where the chain breaks
// at a batch that was durable, it goes on at the next whole header, which attests what came before it;
// where it breaks at one that was not, it ends, and what follows is evidence only. Knows no files.
import type { Index } from "@quorate/raft";
import type { PeerRecord } from "../storage-api.ts";
import { batchBytes, lastEntryIndex } from "./batch-header.ts";
import type { BatchHeader } from "./batch-header.ts";
import { decodePayload } from "./batch-payload.ts";
import type { BatchPayload } from "./batch-payload.ts";
import type { Damage, DamageClass } from "./damage.ts";
import { LogReplay } from "./log-replay.ts";
import type { CheckpointPoint, LogProblem, Replayed } from "./log-replay.ts";
import { firstBatchOffset } from "./wal-format.ts";

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
  /** Where its batches start, by number, and where the last one ends. */
  readonly batches: SurveyedBatch[];
  endOffset: number;
  /** Something that was durable is lost of it. */
  damaged: boolean;
  /** A batch that checks stands in it, part of the good log or not. */
  inhabited: boolean;
}

export interface SurveyedBatch {
  readonly seq: number;
  readonly offset: number;
}

/** Where a batch stands. */
export interface Place {
  readonly segmentAt: number;
  readonly offset: number;
}

interface Found {
  readonly header: BatchHeader;
  readonly place: Place;
  /** Null: the records do not check. */
  readonly payload: Uint8Array | null;
}

const noRecords: BatchPayload = { entries: [], peers: [], voidMarks: [] };

export interface SurveyInput {
  readonly segments: readonly SurveyedSegment[];
  readonly checkpoint: (CheckpointPoint & { readonly durableSeq: number }) | null;
  /** From the second file; 0: none. */
  readonly durableSeqCopy: number;
  /** The checkpoint in force cannot be read: what the log holds is all there is (row 14). */
  readonly stateLost: boolean;
}

type SoundLog = Replayed & { readonly ok: true };

export class Survey {
  #segments: readonly SurveyedSegment[];
  #input: SurveyInput;
  #replay: LogReplay;
  #last: BatchHeader | null;
  /** Where the next good batch would have to start. */
  #end: Place;
  /** Boot counts and crcs of the log up to its first break, by seq − firstSeq: for row 12. */
  #boots: number[];
  #crcs: number[];
  /** What stands behind the first break, in order; so many of them are settled. */
  #strays: Found[];
  #settled: number;
  /** Ends of what is lost; and whether all of it is one batch that no entries follow. */
  #lostEnds: Index[];
  #lastOnly: boolean;
  #headerDurableSeq: number;
  /** Stands where the next batch of the good log was expected. */
  #foreign: BatchHeader | null;
  #damage: Damage | null;
  #log: SoundLog | null;

  constructor(input: SurveyInput) {
    this.#segments = input.segments;
    this.#input = input;
    this.#replay = new LogReplay();
    this.#last = null;
    this.#end = { segmentAt: 0, offset: firstBatchOffset };
    this.#boots = [];
    this.#crcs = [];
    this.#strays = [];
    this.#settled = 0;
    this.#lostEnds = [];
    this.#lastOnly = false;
    this.#headerDurableSeq = 0;
    this.#foreign = null;
    this.#damage = null;
    this.#log = null;
  }

  /** Last batch of the log. */
  get last(): BatchHeader | null {
    return this.#last;
  }

  get end(): Place {
    return this.#end;
  }

  /** Something that looks like a batch stands behind the end. */
  get torn(): boolean {
    const place = this.#strays.at(-1)?.place;
    if (place === undefined) return false;
    const { segmentAt, offset } = this.#end;
    return place.segmentAt > segmentAt || (place.segmentAt === segmentAt && place.offset >= offset);
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
    const isNext = this.#strays.length === 0 && this.#isNext(place) && this.#follows(header);
    if (isNext && payload !== null) this.#accept(header, payload, place);
    else this.#strays.push({ header, place, payload });
  }

  foreign(segmentAt: number, header: BatchHeader, offset: number): void {
    const place = { segmentAt, offset };
    if (this.#foreign === null && this.#isNext(place)) this.#foreign = header;
  }

  newer(segmentAt: number, format: number, offset: number): void {
    const { name } = this.#segments[segmentAt]!;
    this.#damage ??= { class: "newer", where: `${name} at offset ${offset}: format ${format}` };
  }

  #follows(header: BatchHeader): boolean {
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

  #accept(header: BatchHeader, payload: Uint8Array | null, place: Place): void {
    const segment = this.#segments[place.segmentAt]!;
    const records = payload === null ? noRecords : decodePayload(header, payload);
    if (records === null) {
      const where = `${segment.name} at offset ${place.offset}: batch ${header.seq} checks and cannot be read`;
      this.#damage ??= { class: "contradiction", where };
      return;
    }
    if (payload === null) this.#replay.lose(header);
    else this.#replay.apply(header, records);
    this.#last = header;
    this.#end = { segmentAt: place.segmentAt, offset: place.offset + batchBytes(header) };
    if (this.#strays.length === 0) {
      this.#boots.push(header.bootCount);
      this.#crcs.push(header.crc);
    }
    if (segment.firstSeq === 0) segment.firstSeq = header.seq;
    segment.lastSeq = header.seq;
    segment.batches.push({ seq: header.seq, offset: place.offset });
    segment.endOffset = this.#end.offset;
    const spokenOf = Math.max(header.entries > 0 ? lastEntryIndex(header) : 0, header.markIndex);
    segment.lastIndex = Math.max(segment.lastIndex, spokenOf);
  }

  // ---- over lost batches -------------------------------------------------------------------------

  /** Goes on behind every break at a batch that was durable. */
  #cross(): void {
    for (; this.#settled < this.#strays.length; this.#settled++) {
      const { header, place, payload } = this.#strays[this.#settled]!;
      const follows = this.#last === null ? this.#isFirst(header, place) : this.#follows(header);
      if (!follows && !this.#isLater(header)) continue;
      const breaks = !follows || payload === null;
      if (breaks && !this.#isDurable(this.#nextSeq)) return;
      if (!follows) this.#jump(header, place);
      if (payload === null) this.#lose(header, place);
      else if (header.entries > 0) this.#lastOnly = false;
      this.#accept(header, payload, place);
      if (this.#damage !== null) return;
    }
  }

  #isFirst(header: BatchHeader, { segmentAt, offset }: Place): boolean {
    return segmentAt === 0 && offset === firstBatchOffset && this.#follows(header);
  }

  /** Written after what is known of the log; number and start ascend with the place. */
  #isLater({ seq, bootCount }: BatchHeader): boolean {
    return seq > this.#nextSeq && bootCount >= (this.#last?.bootCount ?? 0);
  }

  get #nextSeq(): number {
    return (this.#last?.seq ?? 0) + 1;
  }

  /** A later segment becomes the first only when it has a durable batch. */
  #isDurable(seq: number): boolean {
    return seq <= this.durableSeq || (this.#last === null && (this.#segments[0]?.id ?? 1) > 1);
  }

  #jump(header: BatchHeader, place: Place): void {
    const end = { index: header.prevLastIndex, term: header.prevLastTerm };
    const booted = header.bootCount > (this.#last?.bootCount ?? 0);
    for (let at = this.#end.segmentAt; at <= place.segmentAt; at++) {
      const segment = this.#segments[at]!;
      const isWhole = at === place.segmentAt && place.offset === firstBatchOffset;
      segment.damaged ||= !isWhole;
      // It goes when what it has lost is covered, as if that stood in it.
      segment.lastIndex = Math.max(segment.lastIndex, end.index);
      if (segment.firstSeq === 0 && at < place.segmentAt) {
        segment.firstSeq = this.#nextSeq;
        segment.lastSeq = this.#nextSeq;
      }
    }
    this.#replay.cross(end, booted, this.#input.checkpoint);
    this.#lostEnds.push(end.index);
    this.#lastOnly = false;
  }

  #lose(header: BatchHeader, { segmentAt }: Place): void {
    this.#segments[segmentAt]!.damaged = true;
    this.#lastOnly = this.#lostEnds.length === 0;
    this.#lostEnds.push(Math.max(header.lastIndex, header.prevLastIndex));
  }

  // ---- classification ----------------------------------------------------------------------------

  /** The class of §3.3. Once, when everything was looked at. */
  classify(): Damage {
    const known = this.#misplacedSegment() ?? this.#damage ?? this.#contradiction();
    const lastInhabited = this.#segments.findLastIndex(({ inhabited }) => inhabited);
    const damage = known ?? this.#lastSegmentLost(lastInhabited);
    if (damage !== null) return damage;
    const where = this.#where();
    this.#cross();
    if (this.#damage !== null) return this.#damage;
    if (this.#isDurable(this.#nextSeq)) return { class: this.#lostEnd(), where };
    const unusable = this.#lastSegmentLost(this.#end.segmentAt);
    if (unusable !== null) return unusable;
    const log = this.#replay.finish(this.#input.checkpoint);
    if (!log.ok) return this.#misfit(log.problem);
    if (log.gapped !== null && this.#input.stateLost) return { class: "holeWithoutState", where };
    this.#log = log;
    return { class: this.#lost(log), where: log.gapped === null ? this.#where() : where };
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
    for (const { header, place, payload } of this.#strays) {
      if (payload === null) continue;
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

  /** Nothing behind it says what stood in it, or it would be written to. */
  #lastSegmentLost(from: number): Damage | null {
    const at = this.#segments.findLastIndex(({ state }) => state !== SegmentState.Good);
    if (at < 0 || at < from) return null;
    const { name, detail } = this.#segments[at]!;
    return {
      class: "lastSegmentLost",
      where: `${name}: ${detail}; good up to batch ${this.#last?.seq ?? 0}, durable up to ${this.durableSeq}`,
    };
  }

  /** The durable end is gone, or nothing whole is as new as it. */
  #lostEnd(): DamageClass {
    if (this.#strays.length > 0) return "promiseUnknown";
    return (this.#input.checkpoint?.durableSeq ?? 0) >= this.#nextSeq ? "rolledBack" : "tailLost";
  }

  #lost({ gapped }: SoundLog): DamageClass {
    const isFileLost = this.#segments.some(({ state }) => state !== SegmentState.Good);
    if (gapped !== null && isFileLost) return "segmentLost";
    if (this.#lastOnly && !isFileLost) return "lastBatchDamaged";
    if (gapped !== null) return "hole";
    if (this.#lostEnds.length === 0 && !isFileLost) return this.torn ? "tornTail" : "clean";
    const coveredTo = this.#input.checkpoint?.index ?? 0;
    const isCovered = this.#lostEnds.every((index) => index <= coveredTo);
    return isCovered && !isFileLost ? "harmlessHole" : "mended";
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

  /** What `classify` found, as the checkpoint makes it; null: it must not be gone on with. */
  get log(): SoundLog | null {
    return this.#log;
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
