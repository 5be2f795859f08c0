// What the watch remembers of one process from the moment that Raft runs in it, between two looks.
import { must } from "@quorate/base";
import type { HostInside } from "@quorate/host";
import type { CommittedEntry } from "../checkers/committed-log.ts";
import type { Frontiers } from "../checkers/frontiers.ts";
import type { PersistContract } from "../checkers/persist-contract.ts";
import type { SimProcess } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";

export class WatchedProcess {
  readonly member: SimMember;
  readonly incarnation: SimProcess;
  readonly inside: HostInside;
  /** Read, never touched: a status costs too much for every event. */
  readonly core: HostInside["raft"]["core"];
  readonly raftId: number;
  readonly session: number;
  /** Applied in this event, to be judged at its end. */
  readonly applies: CommittedEntry[];
  /** A snapshot's state has been put in the place of its own in this event. */
  restored: boolean;
  /** The last term in which it was seen to lead; 0: none. */
  leaderTerm: number;
  /** At the last look. */
  led: boolean;
  /** Index at which digests were last compared. */
  digestsAt: number;
  /** As last seen. */
  frontiers: Frontiers | null;
  committed: number;
  /** Null until somebody listens between its core and its host. */
  contract: PersistContract | null;
  /** Of the followers, while it leads in `leaderTerm`: raft id → match as last seen. */
  readonly matches: Map<number, number>;

  constructor(member: SimMember, incarnation: SimProcess, inside: HostInside) {
    this.member = member;
    this.incarnation = incarnation;
    this.inside = inside;
    this.core = inside.raft.core;
    this.raftId = this.core.id;
    this.session = this.core.config.session;
    this.applies = [];
    this.restored = false;
    this.leaderTerm = 0;
    this.led = false;
    this.digestsAt = -1;
    this.frontiers = null;
    this.committed = this.core.log.committed;
    this.contract = null;
    this.matches = new Map();
  }

  get alive(): boolean {
    return this.incarnation.alive;
  }
}

/** The present process of each member, once Raft runs in it. */
export class WatchedProcesses {
  readonly #byMember: Map<string, WatchedProcess>;

  constructor() {
    this.#byMember = new Map();
  }

  add(watched: WatchedProcess): void {
    this.#byMember.set(watched.member.name, watched);
  }

  /** Null: the present process of the member does not run Raft (yet). */
  of(member: SimMember): WatchedProcess | null {
    const watched = this.#byMember.get(member.name);
    return watched !== undefined && watched.incarnation === member.incarnation ? watched : null;
  }

  /** The process that leads in this term under this raft id, or null. */
  leader(term: number, raftId: number): WatchedProcess | null {
    for (const watched of this.#byMember.values()) {
      const { core, inside } = watched;
      if (watched.raftId !== raftId || core.term !== term || !watched.alive) continue;
      if (inside.raft.isLeader()) return watched;
    }
    return null;
  }

  mustOf(member: SimMember): WatchedProcess {
    return must(this.of(member), `${member.name} runs no Raft`);
  }
}
