// An adversarial scheduler for model tests: members whose disks, links and processes do what the
// seed says, one small step at a time, under the checkers' eyes. Then everything is healed, and the
// cluster must come to one state.
import assert from "node:assert/strict";
import { Prng } from "@quorate/base";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { EntryKind, Proposal } from "../entry.ts";
import { isMember, isVoter, memberIds } from "../confchange/conf-state.ts";
import { ProposeOutcome, ReadOutcome } from "../raft-api.ts";
import { ConfState } from "../types.ts";
import type { NodeId } from "../types.ts";
import { Checkers } from "./checkers.ts";
import { copyOf, TestCluster } from "./cluster.ts";
import type { TestMember } from "./member.ts";

export interface ChaosOptions {
  readonly voters: number;
  readonly membership: boolean;
  readonly crashes: boolean;
  readonly links: boolean;
  readonly snapshots: boolean;
  readonly hints: boolean;
  /** Disks lose the end of their logs, never two at a time. */
  readonly holes: boolean;
}

const electionTimeoutTicks = 10;

export class Chaos {
  readonly options: ChaosOptions;
  readonly cluster: TestCluster;
  readonly checkers: Checkers;
  readonly #prng: Prng;
  readonly #removed: Set<NodeId>;
  /** Times that a peer gave back what was lost. */
  mended: number;
  #nextId: NodeId;
  #nextText: number;
  #nextContext: number;

  constructor(seed: number, options: ChaosOptions) {
    this.options = options;
    this.#prng = new Prng(`chaos ${seed}`);
    this.cluster = new TestCluster();
    this.checkers = new Checkers(this.cluster);
    this.#removed = new Set();
    this.mended = 0;
    this.#nextId = options.voters + 1;
    this.#nextText = 1;
    this.#nextContext = 1;
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    for (const id of voters) this.#add(id, new ConfState(voters, [], [], [], false));
    this.#helloAll();
  }

  #add(id: NodeId, conf: ConfState): void {
    const prng = this.#prng;
    this.cluster.add(id, conf, {
      random: prng.fork(`member ${id}`),
      electionTimeoutTicks,
      electionTimeoutRandomizationTicks: electionTimeoutTicks,
      heartbeatTicks: 2,
      messageBytesMax: prng.pick([64, 200, 10_000]),
      inflightMessagesMax: prng.pick([1, 3, 100]),
      persistBatchesInFlightMax: prng.pick([1, 2, 3]),
      committedBytesPerReadyMax: prng.pick([50, 10_000]),
      electionRankSlotTicks: prng.pick([0, 1, 4]),
      electionRankJitterTicks: prng.below(3),
      lateVoteAnswers: prng.chance(0.5),
    });
  }

  #helloAll(): void {
    const up = this.cluster.up.map((member) => member.id);
    for (const a of up) {
      for (const b of up) {
        if (a < b) assert(!this.cluster.hello(a, b), `an honest disk was called REGRESSED`);
      }
    }
  }

  // ---- Steps --------------------------------------------------------------------------------------

  step(): void {
    const roll = this.#prng.below(1000);
    const up = this.cluster.up;
    if (up.length === 0) return this.#restart();
    const member = this.#prng.pick(up);
    if (roll < 110) this.#tick(member);
    else if (roll < 380) this.#ready(member);
    else if (roll < 600) this.#deliver();
    else if (roll < 710) member.persistOne(this.checkers.leaves);
    else if (roll < 780) this.#apply(member);
    else if (roll < 860) this.#propose(member);
    else if (roll < 900) this.#read(member);
    else if (roll < 970) this.#trouble(member);
    else this.#rare(member);
    if (member.isUp) this.checkers.look(member);
  }

  /** Clocks run unevenly: sometimes one runs through a whole election timeout at once. */
  #tick(member: TestMember): void {
    const count = this.#prng.chance(0.05) ? this.#prng.below(2 * electionTimeoutTicks) : 1;
    for (let i = 0; i < count; i++) {
      member.node.tick();
      this.checkers.look(member);
    }
  }

  #ready(member: TestMember): void {
    while (member.takeReady(this.checkers.leaves) !== null) {
      this.checkers.told(member);
      if (this.#prng.chance(0.2)) return;
    }
  }

  #apply(member: TestMember): void {
    for (let left = 1 + this.#prng.below(5); left > 0 && member.applyOne(); left--) {
      this.checkers.applied(member);
      this.checkers.look(member);
    }
  }

  #deliver(): void {
    for (let left = 1 + this.#prng.below(3); left > 0; left--) this.#deliverOne();
  }

  #deliverOne(): void {
    const { network } = this.cluster;
    if (network.length === 0) return;
    // Mostly in order; sometimes any.
    const at = this.#prng.chance(0.7) ? 0 : this.#prng.below(network.length);
    const [item] = network.splice(at, 1);
    this.cluster.deliver(item!);
    const member = this.cluster.get(item!.message.to);
    if (member.isUp) this.checkers.look(member);
  }

  #propose(member: TestMember): void {
    if (!member.node.isLeader()) return;
    const count = 1 + this.#prng.below(3);
    const proposals: Proposal[] = [];
    for (let i = 0; i < count; i++) {
      proposals.push(new Proposal(16, new Uint8Array(Buffer.from(`w${this.#nextText++}`))));
    }
    if (this.#prng.chance(0.02)) {
      proposals.push(
        new Proposal(EntryKind.Level, Uint8Array.of(1 + this.#prng.below(9), 0, 0, 0)),
      );
    }
    member.node.clock(1_000_000 + this.#prng.below(10_000));
    member.node.propose(proposals);
  }

  /** Several may believe that they lead: all are asked. */
  #read(any: TestMember): void {
    const leaders = this.cluster.up.filter((member) => member.node.isLeader());
    for (const member of leaders.length > 0 ? leaders : [any]) this.#readAt(member);
  }

  #readAt(member: TestMember): void {
    const context = this.#nextContext++;
    this.checkers.readBegins(context);
    if (member.node.readIndex(context) !== ReadOutcome.Accepted) {
      member.readsDropped.push(context);
      this.checkers.told(member);
    }
  }

  #trouble(member: TestMember): void {
    const { options } = this;
    const prng = this.#prng;
    switch (prng.below(7)) {
      case 0:
      case 1:
        if (options.links) this.#loseOne();
        return;
      case 2:
        if (options.links) this.#duplicateOne();
        return;
      case 3:
        if (options.membership) this.#changeAnywhere();
        return;
      case 4:
        if (options.snapshots && prng.chance(0.5)) this.#checkpoint(member);
        return;
      case 5:
        if (options.crashes && prng.chance(0.3)) this.#crash(member);
        return;
      default:
        if (options.holes) this.#mend(member);
        if (options.crashes) this.#restart();
    }
  }

  #rare(member: TestMember): void {
    const prng = this.#prng;
    const other = prng.pick([...this.cluster.members.keys()]);
    switch (prng.below(7)) {
      case 0:
        if (this.options.links) this.#partition();
        return;
      case 1:
        this.cluster.groups = null;
        this.#helloAll();
        return;
      case 2:
        member.node.transferLeadership(other);
        return;
      case 3:
        if (this.options.hints) this.#hint(member);
        return;
      case 4:
        member.node.peerUnreachable(other);
        return;
      case 5:
        member.node.preferSuccessor(other, prng.below(3) - 1);
        return;
      default:
        member.node.campaign();
    }
  }

  #loseOne(): void {
    const { network } = this.cluster;
    if (network.length === 0) return;
    const [item] = network.splice(this.#prng.below(network.length), 1);
    this.cluster.lose(item!);
  }

  #duplicateOne(): void {
    const { network } = this.cluster;
    if (network.length === 0 || network.length > 200) return;
    const { message, content } = this.#prng.pick(network);
    network.splice(this.#prng.below(network.length), 0, { message: copyOf(message), content });
  }

  /** True evidence and false alarms. */
  #hint(member: TestMember): void {
    const leader = this.cluster.members.get(member.node.leader());
    if (leader !== undefined && leader.id !== member.id) {
      member.node.leaderGone(leader.id, leader.session);
    }
  }

  #changeAnywhere(): void {
    const leaders = this.cluster.up.filter((member) => member.node.isLeader());
    if (leaders.length > 0) this.#change(this.#prng.pick(leaders));
  }

  #change(member: TestMember): void {
    const prng = this.#prng;
    const { conf } = member;
    if (conf.votersOutgoing.length > 0) {
      const transition = prng.pick([ConfTransition.Leave, ConfTransition.Rollback]);
      member.node.proposeConfChange(new ConfChange(transition, [], new Uint8Array(0)));
      return;
    }
    const singles: ConfChangeSingle[] = [];
    const touched = new Set<NodeId>();
    for (let i = 1 + prng.below(3); i > 0; i--) {
      const single = this.#single(conf);
      if (single !== null && !touched.has(single.node)) singles.push(single);
      if (single !== null) touched.add(single.node);
    }
    if (singles.length === 0) return;
    const transition = prng.pick([
      ConfTransition.Auto,
      ConfTransition.JointAutoLeave,
      ConfTransition.JointExplicit,
    ]);
    const change = new ConfChange(transition, singles, new Uint8Array(0));
    if (member.node.proposeConfChange(change) !== ProposeOutcome.Accepted) return;
    for (const single of singles) {
      if (single.type === ConfChangeType.Remove) this.#removed.add(single.node);
    }
  }

  // A raft id that was removed never comes back (P2).
  #single(conf: ConfState): ConfChangeSingle | null {
    const prng = this.#prng;
    const ids = memberIds(conf);
    if (ids.length < 6 && prng.chance(0.4)) {
      const id = this.#nextId++;
      this.#add(id, this.cluster.get(1).disk.initialConf);
      for (const other of this.cluster.up) if (other.id !== id) this.cluster.hello(id, other.id);
      const type = prng.chance(0.7) ? ConfChangeType.AddLearner : ConfChangeType.AddVoter;
      return new ConfChangeSingle(type, id);
    }
    const id = prng.pick(ids);
    if (isVoter(conf, id) && conf.voters.length <= 2) return null;
    if (this.#removed.has(id)) return null;
    return new ConfChangeSingle(
      prng.pick([ConfChangeType.AddVoter, ConfChangeType.AddLearner, ConfChangeType.Remove]),
      id,
    );
  }

  #checkpoint(member: TestMember): void {
    if (member.node.core.log.snapshotPending > 0) return;
    if (member.appliedIndex <= (member.disk.checkpoint?.meta.index ?? 0)) return;
    const { index } = member.checkpoint();
    if (this.#prng.chance(0.7)) member.compact(Math.max(0, index - this.#prng.below(4)));
  }

  #crash(member: TestMember): void {
    if (this.#prng.chance(0.5)) member.writeUnacknowledged(this.#prng.below(3));
    if (this.#prng.chance(0.5)) member.losePower();
    this.cluster.crash(member.id);
  }

  #restart(): void {
    const down = [...this.cluster.members.values()].filter((member) => !member.isUp);
    if (down.length === 0) return;
    const member = this.#prng.pick(down);
    if (this.options.holes && this.#prng.chance(0.5)) this.#loseEntries(member);
    member.restart({ quiet: this.#prng.chance(0.5) });
    for (const other of this.cluster.up) {
      if (other.id === member.id) continue;
      assert(!this.cluster.hello(member.id, other.id), "an honest disk was called REGRESSED");
    }
  }

  // Two of three with holes might each need what only the other has not lost.
  #loseEntries(member: TestMember): void {
    const { disk } = member;
    const isAnother = ({ id, disk: { promised } }: TestMember): boolean =>
      id !== member.id && promised !== null;
    if ([...this.cluster.members.values()].some(isAnother)) return;
    const first = Math.max(disk.baseIndex, disk.checkpoint?.meta.index ?? 0);
    const count = disk.baseIndex + disk.entries.length - first;
    if (count > 0) member.loseEntries(first + this.#prng.below(count));
  }

  /** What was lost comes from a peer that holds our last entry and the promised one. */
  #mend(member: TestMember): void {
    const { node } = member;
    const promised = node.promised();
    const peer = this.#prng.pick(this.cluster.up);
    if (promised === null || peer === member) return;
    const last = node.lastIndex();
    if (peer.durableTermAt(last) !== node.termAt(last)) return;
    if (peer.durableTermAt(promised.index) !== promised.term) return;
    const upTo = last + 1 + this.#prng.below(promised.index - last);
    const entries = peer.entriesFrom(last + 1).filter(({ index }) => index <= upTo);
    assert(
      node.mended(entries) || node.core.log.snapshotPending > 0,
      "what was lost is taken back",
    );
    this.mended++;
  }

  #partition(): void {
    const left: NodeId[] = [];
    const right: NodeId[] = [];
    for (const id of this.cluster.members.keys()) (this.#prng.chance(0.5) ? left : right).push(id);
    this.cluster.groups = [left, right];
    const cut = this.cluster.network.filter(
      ({ message }) => !this.cluster.connected(message.from, message.to),
    );
    this.cluster.network = this.cluster.network.filter((item) => !cut.includes(item));
    for (const item of cut) this.cluster.lose(item);
  }

  // ---- The end ------------------------------------------------------------------------------------

  /** Healed, the members of the configuration come to one state, and a write goes through. */
  converge(): void {
    this.cluster.groups = null;
    while (this.cluster.up.length < this.cluster.members.size) this.#restart();
    this.#helloAll();
    for (let tick = 0; tick < 400; tick++) {
      for (const member of this.cluster.up) member.node.tick();
      this.#settle();
      if (tick % 50 === 10) for (const member of this.cluster.up) this.#checkpoint(member);
      if (tick % 20 === 15) this.#finishChange();
    }
    const leader = this.cluster.up.find((member) => member.node.isLeader());
    assert(leader !== undefined, "liveness: no leader");
    this.#propose(leader);
    for (let tick = 0; tick < 10; tick++) {
      for (const member of this.cluster.up) member.node.tick();
      this.#settle();
    }
    this.#compareEnd(leader);
  }

  #compareEnd(leader: TestMember): void {
    assert(leader.node.lastIndex() > 0);
    assert.equal(leader.appliedIndex, leader.node.lastIndex(), "liveness: everything is applied");
    for (const member of this.cluster.up) {
      if (!isMember(leader.conf, member.id)) continue;
      assert.equal(member.appliedIndex, leader.appliedIndex, `liveness: ${member.id} is behind`);
      assert.deepEqual(member.applied, leader.applied);
      assert.deepEqual(member.conf, leader.conf);
    }
  }

  #finishChange(): void {
    for (const member of this.cluster.up) {
      if (!member.node.isLeader() || member.conf.votersOutgoing.length === 0) continue;
      const leave = new ConfChange(ConfTransition.Leave, [], new Uint8Array(0));
      member.node.proposeConfChange(leave);
    }
  }

  #settle(): void {
    for (let round = 0; round < 10_000; round++) {
      let worked = false;
      for (const member of this.cluster.up) {
        if (member.takeReady(this.checkers.leaves) !== null) worked = true;
        this.checkers.told(member);
        while (member.persistOne(this.checkers.leaves)) {
          this.checkers.look(member);
          worked = true;
        }
        while (member.applyOne()) {
          this.checkers.applied(member);
          this.checkers.look(member);
          worked = true;
        }
        this.checkers.look(member);
      }
      for (const item of this.cluster.network.splice(0)) {
        this.cluster.deliver(item);
        const member = this.cluster.get(item.message.to);
        if (member.isUp) this.checkers.look(member);
        worked = true;
      }
      if (!worked) return;
    }
    assert.fail("liveness: the cluster does not come to rest");
  }
}
