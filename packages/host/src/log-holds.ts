// Keeps log that the catch-up tail would let go: what follows a snapshot that is on its way to a
// follower, until the follower has come from there into the tail. Without it a follower of a large
// state under load is never done: each snapshot that it has installed ends before the log begins, and
// the next one must be sent.
import { ProgressKind, Role } from "@quorate/raft";
import type { RaftStatus } from "@quorate/raft";

export class LogHolds {
  /** Raft id of a follower → index of the snapshot that it was sent. */
  readonly #snapshots: Map<number, number>;
  readonly #silentTicksMax: number;

  /** A follower that has been silent for longer holds nothing. */
  constructor(silentTicksMax: number) {
    this.#snapshots = new Map();
    this.#silentTicksMax = silentTicksMax;
  }

  /** A snapshot up to `index` sets out for the follower. */
  hold(follower: number, index: number): void {
    this.#snapshots.set(follower, index);
  }

  /** Log above which index must stay, where `tail` is what the catch-up tail asks for. */
  keepFrom(tail: number, { role, progress }: RaftStatus): number {
    if (role !== Role.Leader) {
      this.#snapshots.clear();
    }
    let keep = tail;
    for (const [follower, snapshot] of this.#snapshots) {
      const state = progress.find(({ id }) => id === follower);
      const caughtUp = state?.kind !== ProgressKind.Snapshot && (state?.match ?? 0) >= tail;
      if (state === undefined || state.silentTicks > this.#silentTicksMax || caughtUp) {
        this.#snapshots.delete(follower);
      } else {
        keep = Math.min(keep, Math.max(snapshot, state.match));
      }
    }
    return keep;
  }
}
