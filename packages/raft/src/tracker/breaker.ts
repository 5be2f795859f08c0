// The breaker of one follower (reliability.md §3.7): where the leader stops sending what leads nowhere.
// Progress, window and probes bound what one process is sent in vain; this bounds what all processes of
// a follower are sent in a term, and holds against mistakes in the others.
//
//   appends     open after more than `bytesMax`, and four times what is lacking, since the follower last
//               got further than where it was found; or after 100 refusals within 10 s that found
//               nothing out. While it is open one append a second goes. It closes when the follower
//               gets further.
//   snapshots   each doubles the wait for the next, from 1 s to 5 min, until one has helped: it is
//               installed, or the follower has got further. A new process waits 10 s at most: what ended
//               the old one may be over. From the third in vain on the follower counts as stalled.
//
// Only waits: nothing here decides what is true, so nothing here can make a log wrong.
import { StallCause } from "../status.ts";
import type { StallStatus } from "../status.ts";
import type { Index } from "../types.ts";

const refusalsMax = 100;
const refusalWindowMs = 10_000;
const probeMs = 1000;
const snapshotWaitMsMin = 1000;
const snapshotWaitMsMax = 300_000;
const newProcessWaitMsMax = 10_000;
const snapshotsInVain = 3;

export interface BreakerLimits {
  readonly bytesMax: number;
  readonly tickMs: number;
}

export class Breaker {
  readonly #limits: BreakerLimits;
  /**
   * Up to here the follower's present process had the log when it was found: as its hello told, or where
   * refusals ended; and what it has acknowledged since. An acknowledgement beyond it is of what was sent.
   */
  floor: Index;
  /** The highest of any of its processes, in this term. */
  #best: Index;
  /** Lowest `next` since, after a refusal: one that lowers it has found something out. */
  #lowest: Index;
  /** Of entries, since; and how many may be before what is lacking is to be told. */
  #bytes: number;
  #bytesAllowed: number;
  #refusals: number;
  #refusalsSinceTick: number;
  #snapshots: number;
  /** Of the last one. */
  #snapshotIndex: Index;
  #snapshotFromTick: number;
  /** Null: closed. */
  #cause: StallCause | null;
  #sinceTick: number;
  #appendFromTick: number;

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
    this.floor = 0;
    this.#best = 0;
    this.#lowest = Infinity;
    this.#bytes = 0;
    this.#bytesAllowed = limits.bytesMax;
    this.#refusals = 0;
    this.#refusalsSinceTick = 0;
    this.#snapshots = 0;
    this.#snapshotIndex = 0;
    this.#snapshotFromTick = 0;
    this.#cause = null;
    this.#sinceTick = 0;
    this.#appendFromTick = 0;
  }

  /** The follower has everything up to `match`. If it has got further, all is forgiven. */
  matched(match: Index): void {
    if (this.#snapshots > 0 && match >= this.#snapshotIndex) this.#snapshotHelped();
    if (match > this.floor) this.#gotTo(match);
  }

  #gotTo(index: Index): void {
    this.floor = index;
    this.#best = Math.max(this.#best, index);
    this.#lowest = Infinity;
    this.#bytes = 0;
    this.#bytesAllowed = this.#limits.bytesMax;
    this.#refusals = 0;
    this.#snapshotHelped();
    this.#cause = null;
    this.#appendFromTick = 0;
  }

  #snapshotHelped(): void {
    this.#snapshots = 0;
    this.#snapshotFromTick = 0;
    if (this.#cause === StallCause.Snapshots) this.#cause = null;
  }

  mayAppend(tick: number): boolean {
    return tick >= this.#appendFromTick;
  }

  /** An append with so many bytes of entries leaves. True: so much was sent that `lacks` is to be told. */
  sent(bytes: number, tick: number): boolean {
    this.#bytes += bytes;
    if (this.#isOpen) this.#appendFromTick = tick + this.#ticksIn(probeMs);
    return !this.#isOpen && this.#bytes > this.#bytesAllowed;
  }

  /** Bytes of all entries behind `floor`. */
  lacks(bytes: number, tick: number): void {
    this.#bytesAllowed = Math.max(this.#limits.bytesMax, 4 * bytes);
    if (this.#bytes > this.#bytesAllowed) this.#open(StallCause.Bytes, tick);
  }

  /** An append was refused; the next one begins at `next`. */
  refused(next: Index, tick: number): void {
    this.floor = Math.min(this.floor, next - 1);
    if (next < this.#lowest) {
      this.#lowest = next;
      return;
    }
    const isOld = tick - this.#refusalsSinceTick > this.#ticksIn(refusalWindowMs);
    if (isOld && !this.#isOpen) {
      this.#refusals = 0;
      this.#refusalsSinceTick = tick;
    }
    this.#refusals++;
    if (this.#refusals >= refusalsMax && !this.#isOpen) this.#open(StallCause.Refusals, tick);
  }

  maySendSnapshot(tick: number): boolean {
    return tick >= this.#snapshotFromTick;
  }

  /** A transfer has ended, well or not. What counts is whether the follower gets further. */
  snapshotSent(index: Index, tick: number): void {
    this.#snapshotIndex = index;
    const waitMs = Math.min(snapshotWaitMsMax, snapshotWaitMsMin * 2 ** this.#snapshots);
    this.#snapshots++;
    this.#snapshotFromTick = tick + this.#ticksIn(waitMs);
    if (this.#snapshots < snapshotsInVain || this.#cause !== null) return;
    this.#cause = StallCause.Snapshots;
    this.#sinceTick = tick;
  }

  /**
   * Another process speaks for the follower, whose log ends at `lastIndex`: the one before had got there,
   * without a word. What was sent in vain is counted over all of them.
   */
  newProcess(lastIndex: Index, tick: number): void {
    if (lastIndex > this.#best) this.#gotTo(lastIndex);
    this.floor = lastIndex;
    const latest = tick + this.#ticksIn(newProcessWaitMsMax);
    this.#snapshotFromTick = Math.min(this.#snapshotFromTick, latest);
  }

  status(tick: number): StallStatus | null {
    const cause = this.#cause;
    if (cause === null) return null;
    const counts: Record<StallCause, number> = {
      [StallCause.Bytes]: this.#bytes,
      [StallCause.Refusals]: this.#refusals,
      [StallCause.Snapshots]: this.#snapshots,
    };
    return { cause, ticks: tick - this.#sinceTick, count: counts[cause], index: this.floor };
  }

  get #isOpen(): boolean {
    return this.#cause === StallCause.Bytes || this.#cause === StallCause.Refusals;
  }

  #open(cause: StallCause, tick: number): void {
    if (this.#cause === null) this.#sinceTick = tick;
    this.#cause = cause;
    this.#appendFromTick = tick + this.#ticksIn(probeMs);
  }

  #ticksIn(ms: number): number {
    return Math.ceil(ms / this.#limits.tickMs);
  }
}
