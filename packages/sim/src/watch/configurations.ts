// Which configuration was in force where in the log, as members apply the changes: for checkers that
// count majorities by themselves. A change takes effect at apply (P2), and one is in flight at most,
// so an entry was committed by the newest configuration below it or by the one before that.
import { assert } from "@quorate/base";
import { type ConfState, isMember, type NodeId } from "@quorate/raft";
import type { ConfigurationLaw } from "../checkers/configuration-law.ts";
import type { WatchedProcess } from "./watched-process.ts";

interface InForce {
  /** Of the entry that changed it; 0: the genesis. */
  readonly index: number;
  readonly conf: ConfState;
}

export class Configurations {
  /** Ascending by index. */
  readonly #known: InForce[];
  /** Of the last process of each member that ran Raft. */
  readonly #raftIds: Map<string, NodeId>;

  readonly #law: ConfigurationLaw;

  constructor(law: ConfigurationLaw) {
    this.#law = law;
    this.#known = [];
    this.#raftIds = new Map();
  }

  listen(watched: WatchedProcess, guard: (check: () => void) => void): void {
    const { raft, pump } = watched.inside;
    this.#raftIds.set(watched.member.name, watched.raftId);
    if (this.#known.length === 0) this.#known.push({ index: 0, conf: watched.core.conf });
    const applied = raft.confChangeApplied.bind(raft);
    raft.confChangeApplied = (change) => {
      const before = watched.core.conf;
      const conf = applied(change);
      guard(() => this.#law.changed(watched.incarnation.name, pump.applied + 1, before, conf));
      this.#inForce(pump.applied + 1, conf);
      return conf;
    };
  }

  #inForce(index: number, conf: ConfState): void {
    if (index > this.#known.at(-1)!.index) this.#known.push({ index, conf });
  }

  /** Whoever leads was elected by at least so many. */
  smallestQuorum(): number {
    const voters = this.#known.map(({ conf }) => conf.voters.length);
    return Math.floor(Math.min(...voters) / 2) + 1;
  }

  wasNamed(raftId: NodeId): boolean {
    return this.#known.some((known) => isMember(known.conf, raftId));
  }

  /** It was a member, and the newest configuration does not name it. */
  isRemoved(raftId: NodeId): boolean {
    const { conf } = this.#known.at(-1)!;
    return !isMember(conf, raftId) && this.#known.some((known) => isMember(known.conf, raftId));
  }

  /** 0: it has never run Raft. */
  raftIdOf(member: string): NodeId {
    return this.#raftIds.get(member) ?? 0;
  }

  /**
   * Those by whose majorities the entry at this index can have been committed, and all that came after
   * them: whoever is removed takes its disk with it, and by then the others hold the entry.
   */
  since(index: number): readonly ConfState[] {
    const below = this.#known.filter((known) => known.index < index).length;
    assert(below > 0, "Configurations: nothing was ever in force");
    return this.#known.slice(Math.max(0, below - 2)).map(({ conf }) => conf);
  }
}
