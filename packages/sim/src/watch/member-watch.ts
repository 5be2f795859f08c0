// Looks into the members that ran in an event: new leaders and what they do, frontiers, digests. Only
// what has changed since the last look is judged.
import { Role } from "@quorate/raft";
import type { Frontiers } from "../checkers/frontiers.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcess } from "./watched-process.ts";

export class MemberWatch {
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;

  constructor(checkers: StateCheckers, disks: DurableDisks) {
    this.#checkers = checkers;
    this.#disks = disks;
  }

  look(watched: WatchedProcess): void {
    const { raft } = watched.inside;
    const leads = raft.isLeader();
    const led = leads && raft.term() === watched.leaderTerm;
    const ledBefore = watched.led;
    watched.led = leads;
    if (leads && !led) this.#elected(watched);
    this.#lookAtCommit(watched, led || (ledBefore && !leads));
    if (!watched.alive) return;
    if (leads) this.#lookAtLeader(watched);
    this.#lookAtFrontiers(watched);
    this.#compareDigests(watched);
  }

  gone(incarnation: string): void {
    this.#checkers.frontiers.gone(incarnation);
    this.#checkers.appendOnly.gone(incarnation);
    this.#checkers.appliedOnce.gone(incarnation);
    this.#checkers.wastedWork.gone(incarnation);
  }

  #elected(watched: WatchedProcess): void {
    const { core, inside } = watched;
    const { elections, completeness, voteQuorum } = this.#checkers;
    watched.leaderTerm = core.term;
    watched.matches.clear();
    elections.leaderSeen(core.term, core.id);
    voteQuorum.elected(core.id, core.term, core.conf);
    completeness.elected(core.id, core.term, {
      firstIndex: core.log.firstIndex,
      lastIndex: core.log.lastIndex,
      termAt: (index) => inside.raft.termAt(index),
    });
  }

  /**
   * `led`: it did so at the last look, so it has moved the index as a leader; or, if it leads no more,
   * in the same turn as a follower of the next one, who has then committed it before.
   */
  #lookAtCommit(watched: WatchedProcess, led: boolean): void {
    const { core, incarnation } = watched;
    const { commits } = this.#checkers;
    const index = core.log.committed;
    if (index === watched.committed) return;
    watched.committed = index;
    const { tail } = core.log;
    const followed = core.term > watched.leaderTerm && index <= commits.committed;
    if (!led || followed) return commits.seen(incarnation.name, index, tail.termAt(index));
    const { conf } = core;
    const term = watched.leaderTerm;
    const leader = incarnation.name;
    commits.leads(
      { leader, leaderTerm: term, index, conf, termAt: (at) => tail.termAt(at) },
      this.#disks.holders(conf, index, term),
    );
  }

  #lookAtLeader(watched: WatchedProcess): void {
    const { core, incarnation, matches } = watched;
    const { state } = core;
    if (state.role !== Role.Leader) return;
    this.#checkers.appendOnly.leads(incarnation.name, core.term, core.log.tail);
    for (const { id, match, session } of state.tracker.all) {
      if (match === (matches.get(id) ?? 0)) continue;
      matches.set(id, match);
      const own = id === core.id ? core.config.session : session;
      const seen = { leader: incarnation.name, follower: id, session: own, match };
      this.#checkers.sessions.matched(seen, match === 0 ? 0 : this.#disks.lastIndexMax(own));
    }
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
    if (this.#checkers.twisted.has(watched.member.name)) return;
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
