// Members whose messages take time, for measuring elections in virtual ticks: every message is on its
// way for a delay that the link draws, in order per link; disks and state machines are faster than a
// tick.
import assert from "node:assert/strict";
import type { Prng } from "@quorate/base";
import { ConfState, Role } from "../types.ts";
import type { NodeId } from "../types.ts";
import { TestCluster } from "./cluster.ts";
import type { InFlight } from "./cluster.ts";
import type { MemberOptions, TestMember } from "./member.ts";

const roundsMax = 1000;

export interface TimedOptions {
  readonly voters: number;
  readonly member: MemberOptions;
  /** Ticks that a message needs, drawn for each; null: it is lost. */
  readonly delay: (prng: Prng, from: NodeId, to: NodeId) => number | null;
}

export class TimedWorld {
  readonly cluster: TestCluster;
  readonly #options: TimedOptions;
  readonly #prng: Prng;
  #onTheWay: { due: number; item: InFlight }[];
  /** What followers will learn about a dead process. */
  #evidence: { due: number; of: TestMember; to: NodeId }[];
  /** Arrival of the newest message of each link. */
  readonly #last: Map<string, number>;
  now: number;

  constructor(prng: Prng, options: TimedOptions) {
    this.cluster = new TestCluster();
    this.#options = options;
    this.#prng = prng;
    this.#onTheWay = [];
    this.#evidence = [];
    this.#last = new Map();
    this.now = 0;
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    const conf = new ConfState(voters, [], [], [], false);
    for (const id of voters) {
      this.cluster.add(id, conf, { ...options.member, random: prng.fork(`member ${id}`) });
    }
    for (const a of voters) for (const b of voters) if (a < b) this.cluster.hello(a, b);
  }

  get leader(): TestMember | null {
    return this.cluster.up.find((member) => member.node.isLeader()) ?? null;
  }

  /** A leader that has committed in its term. */
  get ruler(): TestMember | null {
    const { leader } = this;
    if (leader === null) return null;
    const { state, log } = leader.node.core;
    return state.role === Role.Leader && log.committed >= state.termStart ? leader : null;
  }

  /** Everybody's clock moves on, in an order that favours nobody. */
  tick(): void {
    this.now++;
    for (const member of shuffled(this.cluster.up, this.#prng)) {
      member.node.tick();
      this.#work(member);
    }
    this.#deliverDue();
    this.#deliverEvidence();
  }

  /** Its machine lives: an end arrives everywhere, a dial goes out, and its refusal comes back. */
  killProcess(id: NodeId): void {
    this.cluster.crash(id);
    const of = this.cluster.get(id);
    for (const { id: to } of this.cluster.up) {
      // The end comes behind all that was sent before it.
      const ended = Math.max(this.now + this.#way(id, to), this.#last.get(`${id} ${to}`) ?? 0);
      const due = ended + this.#way(to, id) + this.#way(id, to);
      this.#evidence.push({ due, of, to });
    }
  }

  #way(from: NodeId, to: NodeId): number {
    return this.#options.delay(this.#prng, from, to) ?? 0;
  }

  #deliverEvidence(): void {
    const due = this.#evidence.filter((one) => one.due <= this.now);
    this.#evidence = this.#evidence.filter((one) => one.due > this.now);
    for (const { of, to } of due) {
      const member = this.cluster.get(to);
      if (!member.isUp) continue;
      member.node.leaderGone(of.id, of.session);
      this.#work(member);
    }
  }

  #deliverDue(): void {
    for (let round = 0; round < roundsMax; round++) {
      this.#dispatch();
      const due = this.#onTheWay.filter((sent) => sent.due <= this.now);
      if (due.length === 0) return;
      this.#onTheWay = this.#onTheWay.filter((sent) => sent.due > this.now);
      for (const { item } of due) {
        this.cluster.deliver(item);
        const member = this.cluster.get(item.message.to);
        if (member.isUp) this.#work(member);
      }
    }
    assert.fail("the world never comes to rest");
  }

  #dispatch(): void {
    for (const item of this.cluster.network.splice(0)) {
      const { from, to } = item.message;
      const delay = this.#options.delay(this.#prng, from, to);
      if (delay === null) {
        this.cluster.lose(item);
        continue;
      }
      const link = `${from} ${to}`;
      const due = Math.max(this.now + delay, this.#last.get(link) ?? 0);
      this.#last.set(link, due);
      this.#onTheWay.push({ due, item });
    }
  }

  #work(member: TestMember): void {
    for (let round = 0; round < roundsMax; round++) {
      const ready = member.takeReady(this.cluster.send);
      let worked = false;
      while (member.persistOne(this.cluster.send)) worked = true;
      while (member.applyOne()) worked = true;
      if (ready === null && !worked) return member.check();
    }
    assert.fail("a member never comes to rest");
  }
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
