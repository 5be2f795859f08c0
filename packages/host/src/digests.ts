// Members compare digests at equal applied index all the time (DESIGN.md 14): every member keeps its
// own points and tells them; a point of another member at an index of ours must be equal.
import type { KvApi } from "@quorate/kv";
import type { DigestPoint } from "./peers/peers-api.ts";

/** A point is taken at each multiple of this, equal on all members. */
const pointEveryEntries = 1024;
const pointsMax = 64;

export class Digests {
  readonly #kv: KvApi;
  /** Own points, ascending by index, the newest pointsMax. */
  #points: DigestPoint[];
  #told: number;
  #idleIndex: number;
  #idleTicks: number;
  readonly #idleTicksMax: number;

  constructor(kv: KvApi, idleTicksMax: number) {
    this.#kv = kv;
    this.#points = [];
    this.#told = 0;
    this.#idleIndex = 0;
    this.#idleTicks = 0;
    this.#idleTicksMax = idleTicksMax;
  }

  onApplied(index: number): void {
    if (index % pointEveryEntries === 0) {
      this.#add(index);
    }
  }

  /** The next own point not yet told, or null. */
  takeNew(): DigestPoint | null {
    const newest = this.#points[this.#points.length - 1];
    if (newest === undefined || newest.index <= this.#told) {
      return null;
    }
    this.#told = newest.index;
    return newest;
  }

  /** An idle member takes a point where it stands, and repeats it: others may have arrived since. */
  tick(ticks: number, applied: number): DigestPoint | null {
    if (applied !== this.#idleIndex) {
      this.#idleIndex = applied;
      this.#idleTicks = 0;
      return null;
    }
    this.#idleTicks += ticks;
    if (applied === 0 || this.#idleTicks < this.#idleTicksMax) {
      return null;
    }
    this.#idleTicks = 0;
    this.#add(applied);
    this.#told = applied;
    return this.#points[this.#points.length - 1]!;
  }

  /** Null when equal or not comparable; else a line that names the difference. */
  difference(theirs: DigestPoint): string | null {
    const ours = this.#points.find((p) => p.index === theirs.index);
    if (ours === undefined) {
      return null;
    }
    if (ours.liveLow !== theirs.liveLow || ours.liveHigh !== theirs.liveHigh) {
      return `live digest differs at applied index ${ours.index}`;
    }
    if (ours.applyLow !== theirs.applyLow || ours.applyHigh !== theirs.applyHigh) {
      return `apply digest differs at applied index ${ours.index}`;
    }
    return null;
  }

  /** Another history of applying begins here: points of before stay true, nothing else is known. */
  reset(): void {
    this.#points = [];
    this.#told = 0;
    this.#idleTicks = 0;
  }

  #add(index: number): void {
    const last = this.#points[this.#points.length - 1];
    if (last !== undefined && last.index === index) {
      return;
    }
    const live = this.#kv.liveDigest();
    const apply = this.#kv.applyDigest();
    this.#points.push({
      index,
      liveLow: live.low,
      liveHigh: live.high,
      applyLow: apply.low,
      applyHigh: apply.high,
    });
    if (this.#points.length > pointsMax) {
      this.#points.shift();
    }
  }
}
