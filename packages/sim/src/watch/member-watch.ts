// Looks into the members that ran in an event: new leaders, frontiers, digests. Only what has changed
// since the last look is judged.
import type { Frontiers } from "../checkers/frontiers.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcess } from "./watched-process.ts";

export class MemberWatch {
  readonly #checkers: StateCheckers;

  constructor(checkers: StateCheckers) {
    this.#checkers = checkers;
  }

  look(watched: WatchedProcess): void {
    const { raft } = watched.inside;
    if (raft.isLeader() && raft.term() !== watched.leaderTerm) {
      watched.leaderTerm = raft.term();
      this.#elected(watched);
    }
    this.#lookAtFrontiers(watched);
    this.#compareDigests(watched);
  }

  gone(incarnation: string): void {
    this.#checkers.frontiers.gone(incarnation);
  }

  #elected(watched: WatchedProcess): void {
    const { core, inside } = watched;
    const { elections, completeness } = this.#checkers;
    elections.leaderSeen(core.term, core.id);
    completeness.elected(core.id, core.term, {
      firstIndex: core.log.firstIndex,
      lastIndex: core.log.lastIndex,
      termAt: (index) => inside.raft.termAt(index),
    });
  }

  #lookAtFrontiers(watched: WatchedProcess): void {
    const before = watched.frontiers;
    if (before !== null && isUnchanged(before, watched)) return;
    const now = frontiersOf(watched);
    watched.frontiers = now;
    this.#checkers.frontiers.seen(watched.incarnation.name, now);
  }

  #compareDigests(watched: WatchedProcess): void {
    const { kv, pump } = watched.inside;
    // Until the rows are scanned the state machine does not hold what it counts as applied.
    if (pump.applied === watched.digestsAt || !pump.scanned) return;
    watched.digestsAt = pump.applied;
    const live = kv.liveDigest();
    const apply = kv.applyDigest();
    this.#checkers.digests.seen(watched.incarnation.name, pump.applied, {
      liveLow: live.low,
      liveHigh: live.high,
      applyLow: apply.low,
      applyHigh: apply.high,
    });
  }
}

function isUnchanged(before: Frontiers, { core, inside }: WatchedProcess): boolean {
  const { log } = core;
  return (
    before.term === core.term &&
    before.snapshotIndex === log.tail.baseIndex &&
    before.applied === inside.pump.applied &&
    before.committed === log.committed &&
    before.lastIndex === log.lastIndex &&
    before.durableIndex === log.persist.durableIndex &&
    before.installing === !inside.pump.scanned
  );
}

function frontiersOf({ core, inside }: WatchedProcess): Frontiers {
  const { log } = core;
  return {
    term: core.term,
    snapshotIndex: log.tail.baseIndex,
    applied: inside.pump.applied,
    committed: log.committed,
    lastIndex: log.lastIndex,
    durableIndex: log.persist.durableIndex,
    installing: !inside.pump.scanned,
  };
}
