// A small cluster for tests that tell one story: members, their messages, and short words for what
// usually happens. Nothing happens that is not said.
import assert from "node:assert/strict";
import type { ConfChangeSingle, ConfTransition } from "../conf-change.ts";
import { ConfChange } from "../conf-change.ts";
import { Proposal } from "../entry.ts";
import { Message } from "../message.ts";
import type { MessageType } from "../message.ts";
import type { ProposeOutcome } from "../raft-api.ts";
import { ConfState } from "../types.ts";
import type { NodeId, Term } from "../types.ts";
import { TestCluster } from "./cluster.ts";
import type { InFlight } from "./cluster.ts";
import type { MemberOptions, TestMember } from "./member.ts";

const roundsMax = 1000;

export interface StoryOptions extends MemberOptions {
  readonly voters?: readonly NodeId[];
  readonly learners?: readonly NodeId[];
}

export class Story {
  readonly cluster: TestCluster;

  constructor(ids: readonly NodeId[], options: StoryOptions = {}) {
    this.cluster = new TestCluster();
    const { voters = ids, learners = [], ...rest } = options;
    for (const id of ids) this.add(id, rest, new ConfState(voters, [], learners, [], false));
  }

  add(
    id: NodeId,
    options: MemberOptions,
    conf: ConfState,
    terms: readonly Term[] = [],
  ): TestMember {
    const member = this.cluster.add(id, conf, options, terms);
    for (const other of this.cluster.up) if (other.id !== id) this.cluster.hello(id, other.id);
    return member;
  }

  get(id: NodeId): TestMember {
    return this.cluster.get(id);
  }

  /** Takes what is ready at one member; its disk and its state machine work if they are not async. */
  ready(id: NodeId): void {
    const member = this.get(id);
    for (let round = 0; round < roundsMax; round++) {
      const ready = member.takeReady(this.cluster.send);
      let worked = false;
      while (!member.asyncDisk && member.persistOne(this.cluster.send)) worked = true;
      while (!member.asyncApply && member.applyOne()) worked = true;
      if (ready === null && !worked) return member.check();
    }
    assert.fail("a member never comes to rest");
  }

  /** All messages among `ids` (all members) arrive, until nothing moves. */
  settle(...ids: readonly NodeId[]): void {
    const isIn = (id: NodeId): boolean => ids.length === 0 || ids.includes(id);
    for (let round = 0; round < roundsMax; round++) {
      for (const member of this.cluster.up) if (isIn(member.id)) this.ready(member.id);
      const now = this.take(({ message }) => isIn(message.from) && isIn(message.to));
      if (now.length === 0) return;
      for (const item of now) this.cluster.deliver(item);
    }
    assert.fail("the cluster never comes to rest");
  }

  take(wanted: (item: InFlight) => boolean): InFlight[] {
    const taken = this.cluster.network.filter(wanted);
    this.cluster.network = this.cluster.network.filter((item) => !wanted(item));
    return taken;
  }

  /** What is on its way, of one type and to one member if given. */
  sent(type: MessageType, to: NodeId = 0): Message[] {
    return this.cluster.network
      .map((item) => item.message)
      .filter((message) => message.type === type && (to === 0 || message.to === to));
  }

  drop(to: NodeId = 0): void {
    for (const item of this.take(({ message }) => to === 0 || message.to === to)) {
      this.cluster.lose(item);
    }
  }

  deliver(to: NodeId, from: NodeId = 0): void {
    const wanted = ({ message }: InFlight): boolean =>
      message.to === to && (from === 0 || message.from === from);
    for (const item of this.take(wanted)) this.cluster.deliver(item);
  }

  /** Time at one member only. */
  tick(id: NodeId, count: number): void {
    for (let i = 0; i < count; i++) this.get(id).node.tick();
  }

  /** Time for everybody, messages arriving within a tick. */
  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const member of this.cluster.up) member.node.tick();
      this.settle();
    }
  }

  /** Campaigns and wins, whatever the others' leases say: their time has run out. */
  elect(id: NodeId): void {
    for (const member of this.cluster.up) {
      if (member.id !== id && !member.node.isLeader()) {
        for (let i = 0; i < 100; i++) member.node.core.electionElapsed++;
      }
    }
    // A second round if the first only taught the present term.
    for (let i = 0; i < 2 && !this.get(id).node.isLeader(); i++) {
      this.get(id).node.campaign();
      this.settle();
    }
    assert(this.get(id).node.isLeader(), `${id} is elected`);
  }

  propose(id: NodeId, ...texts: readonly string[]): ProposeOutcome {
    return this.get(id).node.propose(
      texts.map((text) => new Proposal(16, new Uint8Array(Buffer.from(text, "latin1")))),
    );
  }

  change(id: NodeId, transition: ConfTransition, ...singles: ConfChangeSingle[]): ProposeOutcome {
    const change = new ConfChange(transition, singles, new Uint8Array(0));
    return this.get(id).node.proposeConfChange(change);
  }

  /** A message as the core of `from` would address it. */
  message(type: MessageType, from: NodeId, to: NodeId, term: Term): Message {
    const message = new Message(type, from, to, term);
    message.session = this.get(from).session;
    message.toSession = this.get(to).session;
    return message;
  }

  /** Terms along the log in memory, from the first entry there. */
  terms(id: NodeId): Term[] {
    const { tail } = this.get(id).node.core.log;
    const terms: Term[] = [];
    for (let i = tail.baseIndex + 1; i <= tail.lastIndex; i++) terms.push(tail.at(i).term);
    return terms;
  }

  texts(id: NodeId): string[] {
    return this.get(id).applied.map((entry) => entry.text);
  }
}
