// What must hold between several cores (Raft figure 3), and between a core's words and its disk.
// Looks at everything that happens in a model run; every violation is an assertion with the rule's
// name.
import assert from "node:assert/strict";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { quorumOf } from "../quorum/majority.ts";
import { Role } from "../types.ts";
import type { Index, NodeId, Term } from "../types.ts";
import type { TestCluster } from "./cluster.ts";
import type { TestMember } from "./member.ts";

interface Committed {
  readonly term: Term;
  readonly level: number;
  readonly text: string;
}

export class Checkers {
  readonly #cluster: TestCluster;
  readonly #leaders: Map<Term, NodeId>;
  /** `voter/term` to candidate: what each granted, over all its processes. */
  readonly #grants: Map<string, NodeId>;
  readonly committed: Map<Index, Committed>;
  committedMax: Index;
  readonly #dropped: Set<string>;
  readonly #readFloor: Map<number, Index>;
  readonly #seen: Map<NodeId, { boot: number; role: Role; committed: Index }>;
  readsAnswered: number;
  elections: number;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#leaders = new Map();
    this.#grants = new Map();
    this.committed = new Map();
    this.committedMax = 0;
    this.#dropped = new Set();
    this.#readFloor = new Map();
    this.#seen = new Map();
    this.readsAnswered = 0;
    this.elections = 0;
  }

  /** After every event at a member. */
  look(member: TestMember): void {
    member.check();
    const { core } = member.node;
    this.#durableTruly(member);
    const before = this.#seen.get(member.id);
    const isSame = before !== undefined && before.boot === member.boot;
    if (core.role === Role.Leader) {
      this.#electionSafety(member);
      const isNew = !isSame || before.role !== Role.Leader;
      if (isNew) this.#leaderCompleteness(member);
      else if (core.log.committed > before.committed) this.#committedOnQuorum(member);
    }
    this.#seen.set(member.id, {
      boot: member.boot,
      role: core.role,
      committed: core.log.committed,
    });
  }

  /** What a core holds for durable is on the disk. */
  #durableTruly(member: TestMember): void {
    const { tail, persist } = member.node.core.log;
    const index = persist.durableIndex;
    if (index <= tail.baseIndex || index <= member.disk.baseIndex) return;
    assert.equal(member.durableTermAt(index), tail.termAt(index), `durable truly: ${index}`);
  }

  #electionSafety(member: TestMember): void {
    const { term } = member.node.core;
    const known = this.#leaders.get(term);
    assert(known === undefined || known === member.id, `election safety: two leaders of ${term}`);
    if (known === undefined) this.elections++;
    this.#leaders.set(term, member.id);
  }

  #leaderCompleteness(member: TestMember): void {
    const { log } = member.node.core;
    for (const [index, entry] of this.committed) {
      if (index < log.firstIndex) continue;
      assert.equal(log.tail.termAt(index), entry.term, `leader completeness at ${index}`);
    }
    assert(log.lastIndex >= this.committedMax, "leader completeness: the log is too short");
  }

  /** A leader commits only what is of its term, and durable on a quorum of each half. */
  #committedOnQuorum(member: TestMember): void {
    const { log, conf, term } = member.node.core;
    const index = log.committed;
    assert.equal(log.tail.termAt(index), term, "a leader commits an entry of its own term");
    for (const voters of [conf.voters, conf.votersOutgoing]) {
      if (voters.length === 0) continue;
      const having = voters.filter((id) => this.#hasDurably(id, index, term));
      assert(having.length >= quorumOf(voters.length), `committed on a durable quorum: ${index}`);
    }
  }

  #hasDurably(id: NodeId, index: Index, term: Term): boolean {
    const member = this.#cluster.get(id);
    if (index <= (member.disk.checkpoint?.meta.index ?? 0)) return true;
    // Acknowledged, and lost since: it is promised.
    const isLost = member.disk.lost.some((e) => e.index === index && e.term === term);
    return isLost || member.durableTermAt(index) === term;
  }

  applied(member: TestMember): void {
    const entry = member.applied.at(-1)!;
    const level = member.appliedLevel;
    const known = this.committed.get(entry.index);
    if (known === undefined) {
      this.committed.set(entry.index, { term: entry.term, level, text: entry.text });
      this.committedMax = Math.max(this.committedMax, entry.index);
    } else {
      assert.equal(entry.term, known.term, `state machine safety at ${entry.index}`);
      assert.equal(entry.text, known.text, `state machine safety at ${entry.index}`);
      assert.equal(level, known.level, `one level everywhere behind ${entry.index} (P11)`);
    }
    const isDropped = this.#dropped.has(`${entry.index}/${entry.term}`);
    assert(!isDropped, `${entry.index}/${entry.term} was reported dead and is committed`);
  }

  /** After a Ready was taken: what it told. */
  told(member: TestMember): void {
    for (const { index, term } of member.dropped.splice(0)) {
      this.#dropped.add(`${index}/${term}`);
      const known = this.committed.get(index);
      assert(known?.term !== term, `${index}/${term} is committed and reported dead`);
    }
    for (const { context, index } of member.reads.splice(0)) {
      const floor = this.#readFloor.get(context);
      assert(floor !== undefined, "a read is answered once");
      assert(index >= floor, `stale read: ${index}, but ${floor} was committed before it began`);
      this.#readFloor.delete(context);
      this.readsAnswered++;
    }
    for (const context of member.readsDropped.splice(0)) this.#readFloor.delete(context);
  }

  readBegins(context: number): void {
    this.#readFloor.set(context, this.committedMax);
  }

  /** A message leaves: what it promises or quotes is durable (law R2). */
  readonly leaves = (message: Message): void => {
    const { disk } = this.#cluster.get(message.from);
    const last = disk.baseIndex + disk.entries.length;
    switch (message.type) {
      case MessageType.Vote:
      case MessageType.PreVote: {
        const term = this.#cluster.get(message.from).durableTermAt(message.index);
        assert.equal(term, message.logTerm, "vote requests quote durable entries");
        const isPreVote = message.type === MessageType.PreVote;
        assert(isPreVote || disk.hardState.term >= message.term, "a candidate's term is durable");
        break;
      }
      case MessageType.VoteResponse: {
        if (message.reject) break;
        const key = `${message.from}/${message.term}`;
        const known = this.#grants.get(key);
        assert(known === undefined || known === message.to, `two votes of ${key}`);
        this.#grants.set(key, message.to);
        const { term, vote } = disk.hardState;
        const isDurable = term > message.term || (term === message.term && vote === message.to);
        assert(isDurable, "a vote is durable when it is told");
        break;
      }
      case MessageType.AppendResponse:
        assert(disk.hardState.term >= message.term, "an answer's term is durable");
        if (!message.reject) assert(last >= message.index, "acknowledged entries are durable");
        break;
      default:
        break;
    }
    this.#cluster.send(message);
  };
}
