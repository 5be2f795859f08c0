// How fast a snapshot goes: at most as configured, and slower while this member's event loop is late.
// Whoever sends is the leader: what makes its loop late makes every write wait, and a snapshot has time.
// Additive increase, multiplicative decrease, from a floor at which it still gets done.
const mebibyte = 1_048_576;
const risePerSecond = 10 * mebibyte;

export interface PaceBounds {
  /** Also under load. */
  readonly floorBytesPerSecond: number;
  /** What may leave at once after a pause. */
  readonly burstBytesMax: number;
}

/** To a follower, which the cluster is weaker without: a gigabyte in about a minute. */
const toFollower: PaceBounds = {
  floorBytesPerSecond: 16 * mebibyte,
  burstBytesMax: mebibyte,
};

export class SnapshotPace {
  readonly #max: number;
  readonly #floor: number;
  readonly #burst: number;
  readonly #tickMs: number;
  readonly #chunkBytes: number;
  #tickedMs: number;
  #bytesPerSecond: number;
  #budgetBytes: number;

  /** `chunkBytes`: what leaves at a time, at any pace. */
  constructor(
    bytesPerSecondMax: number,
    tickMs: number,
    chunkBytes: number,
    nowMs: number,
    bounds: PaceBounds = toFollower,
  ) {
    this.#max = bytesPerSecondMax;
    this.#floor = Math.min(bytesPerSecondMax, bounds.floorBytesPerSecond);
    this.#burst = bounds.burstBytesMax;
    this.#tickMs = tickMs;
    this.#chunkBytes = chunkBytes;
    this.#tickedMs = nowMs;
    this.#bytesPerSecond = this.#floor;
    this.#budgetBytes = chunkBytes;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Once a tick. One that comes a whole tick late shows that the loop is. */
  tick(nowMs: number): void {
    const gapMs = nowMs - this.#tickedMs;
    this.#tickedMs = nowMs;
    const seconds = gapMs / 1000;
    const isLate = gapMs > 2 * this.#tickMs;
    const wanted = isLate
      ? this.#bytesPerSecond / 2
      : this.#bytesPerSecond + risePerSecond * seconds;
    this.#bytesPerSecond = Math.min(this.#max, Math.max(this.#floor, wanted));
    const budgetMax = Math.max(this.#chunkBytes, Math.min(this.#burst, this.#bytesPerSecond));
    this.#budgetBytes = Math.min(budgetMax, this.#budgetBytes + this.#bytesPerSecond * seconds);
  }

  /** False: not yet. */
  take(bytes: number): boolean {
    if (this.#budgetBytes < bytes) return false;
    this.#budgetBytes -= bytes;
    return true;
  }
}
