// Marks: states that are rare, named, and worth being in. Each is seen from outside at the end of a
// member's turn; a long run fails when one of them never came about, because then nothing that
// depends on it was tested. (The other marks are places in the code, crash-points.ts.)
import { assert } from "@quorate/base";
import {
  ProgressKind,
  type ProgressStatus,
  type RaftNode,
  type RaftStatus,
  Role,
} from "@quorate/raft";

export const rareStates = [
  /** Two candidates ask for votes in one term. */
  "election.split-vote",
  /** Two processes take themselves for the leader, of different terms. */
  "election.two-leaders",
  /** A new leader has entries of older terms that nobody knows to be committed (Raft figure 8). */
  "election.won-with-old-tail",
  "election.same-leader-again",
  /** A process learns of a term at least three above its own. */
  "election.term-jump",
  /** Check-quorum: the leader steps down in its own term. */
  "leader.stepped-down",
  "leader.deposed-with-tail",
  /** Entries are committed that the leader's own disk does not hold yet (law R2). */
  "leader.commits-before-disk",
  "leader.log-far-ahead",
  "leader.sends-snapshot",
  "leader.transfers",
  "follower.log-truncated",
  /** A conflicting tail goes that was durable already. */
  "follower.durable-tail-lost",
  "follower.snapshot-over-tail",
  "member.restart-with-tail",
  "member.applies-late",
  "cluster.all-quiet",
  "cluster.all-down",
] as const;
export type RareState = (typeof rareStates)[number];

const farAhead = 30;

/** What is looked at: a whole status costs too much for every turn. */
export type TurnStatus = Pick<
  RaftStatus,
  | "role"
  | "term"
  | "committed"
  | "applied"
  | "firstIndex"
  | "lastIndex"
  | "durableIndex"
  | "quiet"
  | "transferee"
> & { readonly progress: readonly Pick<ProgressStatus, "kind" | "regressed">[] };

export function turnStatusOf({ core }: RaftNode): TurnStatus {
  const { log, state } = core;
  const leads = state.role === Role.Leader;
  return {
    role: state.role,
    term: core.term,
    committed: log.committed,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    durableIndex: log.persist.durableIndex,
    quiet: core.quiet.active,
    transferee: leads ? state.transferee : 0,
    progress: leads ? state.tracker.all : [],
  };
}

/** What one member showed at its last turn. */
interface Shown {
  readonly incarnation: string;
  readonly status: TurnStatus;
}

export class RareStates {
  readonly #counts: Map<RareState, number>;
  readonly #shown: Map<string, Shown>;
  #lastLeader: string;

  constructor() {
    this.#counts = new Map(rareStates.map((state) => [state, 0]));
    this.#shown = new Map();
    this.#lastLeader = "";
  }

  entries(): [RareState, number][] {
    return [...this.#counts];
  }

  /** At the end of a turn of `member`, in the process of that name. */
  turn(member: string, incarnation: string, status: TurnStatus): void {
    const before = this.#shown.get(member);
    this.#shown.set(member, { incarnation, status });
    if (before === undefined || before.incarnation !== incarnation) {
      if (status.lastIndex > status.committed) this.#see("member.restart-with-tail");
    } else {
      this.#compare(incarnation, before.status, status);
    }
    if (status.committed - status.applied > farAhead) this.#see("member.applies-late");
    if (status.role === Role.Leader) this.#lookAtLeader(status);
    this.#lookAtAll();
  }

  ended(member: string): void {
    this.#shown.delete(member);
    if (this.#shown.size === 0) this.#see("cluster.all-down");
  }

  #compare(incarnation: string, before: TurnStatus, now: TurnStatus): void {
    if (now.term >= before.term + 3) this.#see("election.term-jump");
    if (before.role !== Role.Leader && now.role === Role.Leader) this.#won(incarnation, now);
    if (before.role === Role.Leader && now.role !== Role.Leader) {
      if (now.term === before.term) this.#see("leader.stepped-down");
      if (before.lastIndex > before.committed) this.#see("leader.deposed-with-tail");
    }
    const jumped = now.firstIndex > before.lastIndex + 1;
    if (jumped || now.lastIndex < before.lastIndex) this.#lost(before, now);
  }

  #won(incarnation: string, now: TurnStatus): void {
    // Its own first entry is the only one of its term.
    if (now.lastIndex - 1 > now.committed) this.#see("election.won-with-old-tail");
    if (this.#lastLeader === incarnation) this.#see("election.same-leader-again");
    this.#lastLeader = incarnation;
  }

  #lost(before: TurnStatus, now: TurnStatus): void {
    const installed = now.committed >= now.lastIndex && now.firstIndex > before.firstIndex;
    if (installed) {
      if (before.lastIndex > before.committed) this.#see("follower.snapshot-over-tail");
      return;
    }
    this.#see("follower.log-truncated");
    if (now.lastIndex < before.durableIndex) this.#see("follower.durable-tail-lost");
  }

  #lookAtLeader(status: TurnStatus): void {
    if (status.committed > status.durableIndex) this.#see("leader.commits-before-disk");
    if (status.lastIndex - status.committed > farAhead) this.#see("leader.log-far-ahead");
    if (status.transferee !== 0) this.#see("leader.transfers");
    for (const { kind } of status.progress) {
      if (kind === ProgressKind.Snapshot) this.#see("leader.sends-snapshot");
    }
  }

  #lookAtAll(): void {
    let leaders = 0;
    let quiet = 0;
    const candidates = new Set<number>();
    for (const { status } of this.#shown.values()) {
      if (status.role === Role.Leader) leaders++;
      if (status.quiet) quiet++;
      if (status.role !== Role.Candidate) continue;
      if (candidates.has(status.term)) this.#see("election.split-vote");
      candidates.add(status.term);
    }
    if (leaders > 1) this.#see("election.two-leaders");
    if (quiet > 1 && quiet === this.#shown.size) this.#see("cluster.all-quiet");
  }

  #see(state: RareState): void {
    const before = this.#counts.get(state);
    assert(before !== undefined, () => `RareStates: ${state} is not listed`);
    this.#counts.set(state, before + 1);
  }
}
