// Digests at applied indexes, of this member and of the others, to be compared at equal index all the
// time (DESIGN.md 14). A point is taken where all members take it: at the first entry of each second of
// the log's own stamps, so that a slow load is compared as well, and at each multiple of 1024; an idle
// member takes one where it stands. What follows from a difference is digest-duty.ts's.
import type { KvApi } from "@quorate/kv";
import type { ConfState, Entry, NodeId } from "@quorate/raft";
import type { DigestPoint } from "../peers/peers-api.ts";
import { judge, type Judgement, Verdict } from "./digest-votes.ts";

const pointEveryEntries = 1024;
const pointEveryStampMs = 1000;
/** Indexes of which points are kept. */
const indexesMax = 64;

type Points = Map<NodeId, DigestPoint>;

export class Digests {
  readonly #kv: Pick<KvApi, "liveDigest" | "applyDigest">;
  readonly #selfId: NodeId;
  /** Index → by whom; the indexes ascend. At most indexesMax. */
  #points: Map<number, Points>;
  /** Own points that nobody was told yet, ascending. */
  #untold: DigestPoint[];
  /** Of the entry applied before; 0: unknown, as after a start. */
  #stampMs: number;
  #idleIndex: number;
  #idleTicks: number;
  readonly #idleTicksMax: number;

  constructor(kv: Pick<KvApi, "liveDigest" | "applyDigest">, selfId: NodeId, idleTicksMax: number) {
    this.#kv = kv;
    this.#selfId = selfId;
    this.#points = new Map();
    this.#untold = [];
    this.#stampMs = 0;
    this.#idleIndex = 0;
    this.#idleTicks = 0;
    this.#idleTicksMax = idleTicksMax;
  }

  onApplied({ index, wallMs }: Pick<Entry, "index" | "wallMs">): void {
    const before = this.#stampMs;
    this.#stampMs = wallMs;
    const second = Math.floor(wallMs / pointEveryStampMs);
    const begins = before > 0 && second > Math.floor(before / pointEveryStampMs);
    if (begins || index % pointEveryEntries === 0) this.#take(index);
  }

  /** An idle member takes a point where it stands, and repeats it: others may have arrived since. */
  tick(ticks: number, applied: number): void {
    if (applied !== this.#idleIndex) {
      this.#idleIndex = applied;
      this.#idleTicks = 0;
      return;
    }
    this.#idleTicks += ticks;
    if (applied === 0 || this.#idleTicks < this.#idleTicksMax) return;
    this.#idleTicks = 0;
    this.#take(applied);
  }

  /** Own points that the others are to be told now. */
  takeUntold(): readonly DigestPoint[] {
    const untold = this.#untold;
    if (untold.length > 0) this.#untold = [];
    return untold;
  }

  told(from: NodeId, point: DigestPoint): void {
    this.#put(from, point);
  }

  /** Of this member at one of its indexes. */
  judge(conf: ConfState, index: number): Judgement {
    return judge(conf, this.#points.get(index) ?? noPoints, this.#selfId);
  }

  own(index: number): DigestPoint | null {
    return this.#points.get(index)?.get(this.#selfId) ?? null;
  }

  /** Where that member's newest point was told that a majority has decided on, it was the odd one. */
  isOdd(conf: ConfState, id: NodeId): boolean {
    for (const points of [...this.#points.values()].reverse()) {
      const { verdict } = judge(conf, points, id);
      if (verdict === Verdict.Agreed) return false;
      if (verdict === Verdict.Odd) return true;
    }
    return false;
  }

  /** The state that they were taken of is gone; what the others told stays true. */
  forgetOwn(): void {
    for (const [index, points] of this.#points) {
      points.delete(this.#selfId);
      if (points.size === 0) this.#points.delete(index);
    }
    this.#untold = [];
    this.#stampMs = 0;
    this.#idleIndex = 0;
    this.#idleTicks = 0;
  }

  #take(index: number): void {
    const live = this.#kv.liveDigest();
    const apply = this.#kv.applyDigest();
    const point = {
      index,
      liveLow: live.low,
      liveHigh: live.high,
      applyLow: apply.low,
      applyHigh: apply.high,
    };
    this.#put(this.#selfId, point);
    this.#untold.push(point);
    if (this.#untold.length > indexesMax) this.#untold.shift();
  }

  #put(from: NodeId, point: DigestPoint): void {
    const known = this.#points.get(point.index);
    if (known !== undefined) {
      known.set(from, point);
      return;
    }
    const indexes = [...this.#points, [point.index, new Map([[from, point]])] as const];
    indexes.sort(([a], [b]) => a - b);
    this.#points = new Map(indexes);
    if (this.#points.size > indexesMax) this.#points.delete(this.#leastWanted());
  }

  /** A great load fills all room with multiples within a second, and members lag more than that. */
  #leastWanted(): number {
    const [oldest] = this.#points.keys();
    for (const index of this.#points.keys()) if (index % pointEveryEntries === 0) return index;
    return oldest!;
  }
}

const noPoints: Points = new Map();
