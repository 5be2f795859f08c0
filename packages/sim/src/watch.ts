// Leads what happens in a cluster to the checkers: after every event it looks at the members that
// ran in it, and it listens on the wire, on apply and on replies (watch/). It changes nothing, draws
// only from its own stream, and turns the first violation into the end of the run.
import { ExitCode } from "@quorate/storage";
import type { CommittedLog } from "./checkers/committed-log.ts";
import { checkDamageTaken } from "./checkers/damaged-frames.ts";
import type { DurableBeforeAck } from "./checkers/durable-before-ack.ts";
import type { ElectionSafety } from "./checkers/election-safety.ts";
import { demand } from "./checkers/violation.ts";
import { directoryOf } from "./cluster-options.ts";
import type { SimCluster } from "./cluster.ts";
import { oddDigestMark } from "./damage/damage-marks.ts";
import { raftIdOn } from "./durable/durable-reading.ts";
import { EndKind, type SimProcess } from "./sim-env.ts";
import type { SimMember } from "./sim-member.ts";
import { ApplyWatch } from "./watch/apply-watch.ts";
import { BoundsWatch } from "./watch/bounds-watch.ts";
import { Configurations } from "./watch/configurations.ts";
import { CoreWatch } from "./watch/core-watch.ts";
import { DamageWatch } from "./watch/damage-watch.ts";
import { DurableDisks } from "./watch/durable-disks.ts";
import { LeaseWatch } from "./watch/lease-watch.ts";
import { LogWatch } from "./watch/log-watch.ts";
import { MemberWatch } from "./watch/member-watch.ts";
import { ReplyWatch } from "./watch/reply-watch.ts";
import { StateCheckers } from "./watch/state-checkers.ts";
import { StampWatch } from "./watch/stamp-watch.ts";
import { WatchedProcess, WatchedProcesses } from "./watch/watched-process.ts";
import { WireWatch } from "./watch/wire-watch.ts";

export interface WatchOptions {
  /**
   * Every promise is held against the log that is followed on the medium; one look in so many is
   * also held against a recovery of a copy of the disk.
   */
  readonly durableSample: number;
}

export class Watch {
  readonly cluster: SimCluster;
  readonly checkers: StateCheckers;
  readonly committed: CommittedLog;
  readonly elections: ElectionSafety;
  readonly durable: DurableBeforeAck;
  readonly disks: DurableDisks;
  readonly damage: DamageWatch;
  readonly leases: LeaseWatch;
  /**
   * Members that were given a copy of another one's directory: until they set it aside they speak under
   * an id that is not theirs, nobody may listen, and what their disks hold is no evidence of anything.
   */
  readonly copies: Set<string>;
  /** Members whose end with an exit code is expected now; others' is a violation. */
  readonly mayExit: Set<string>;
  readonly #processes: WatchedProcesses;
  readonly #members: MemberWatch;
  readonly #bounds: BoundsWatch;
  readonly #stamps: StampWatch;
  readonly #applies: ApplyWatch;
  readonly #configurations: Configurations;
  #violation: Error | null;

  constructor(cluster: SimCluster, options: WatchOptions) {
    this.cluster = cluster;
    this.checkers = new StateCheckers();
    this.committed = this.checkers.committed;
    this.elections = this.checkers.elections;
    this.durable = this.checkers.durable;
    this.damage = new DamageWatch(cluster);
    this.leases = new LeaseWatch(cluster.world, this.committed);
    this.damage.onSetAside = (member) => this.#guard(() => this.#setsAside(member));
    this.damage.onStateLost = (member) => this.#guard(() => this.#checkStateLost(member));
    this.damage.onStateRebuilt = ({ name }) => void this.checkers.twisted.delete(name);
    this.damage.onDigestsDiffer = (member, mark) =>
      this.#guard(() => this.#checkAlarm(member, mark));
    this.copies = new Set();
    this.mayExit = new Set();
    const random = cluster.world.random("watch");
    const logs = new LogWatch(this.checkers);
    // What was written through swapped names is not what an undamaged disk would hold either.
    const isDamaged = (name: string): boolean =>
      cluster.budget?.explains(cluster.member(name), ExitCode.Damaged) === true;
    const mayRefuse = (name: string): boolean =>
      this.mayExit.has(name) || this.damage.regressed.has(name) || isDamaged(name);
    this.disks = new DurableDisks(random, options.durableSample, mayRefuse, logs);
    this.#processes = new WatchedProcesses();
    this.#members = new MemberWatch(this.checkers, this.disks);
    this.#bounds = new BoundsWatch();
    this.#configurations = new Configurations(this.checkers.configurations);
    this.#stamps = new StampWatch(cluster, this.#configurations);
    this.#applies = new ApplyWatch(this.checkers, this.#stamps);
    this.#violation = null;
    this.#listen();
  }

  #listen(): void {
    const { cluster, checkers, disks } = this;
    const wire = new WireWatch(cluster, checkers, disks, this.#processes, this.#stamps);
    const replies = new ReplyWatch(checkers, disks, this.#applies, this.#configurations);
    cluster.network.onSend = (from, _to, bytes) =>
      this.#guard(() => {
        wire.sent(from.name, bytes);
        this.leases.sent(bytes);
        this.damage.sent(from.name, bytes);
      });
    cluster.network.onDamageTaken = ({ user, machine, remoteMachine, lastSent }) => {
      // Strangers promise nothing, and what one sends need not be frames before it is damaged.
      if (machine.foreign || remoteMachine.foreign) return;
      this.#guard(() => checkDamageTaken(user.name, lastSent));
    };
    for (const member of cluster.members) {
      member.disk.onForget = (replaced) => this.#guard(() => this.#forgets(member, replaced));
    }
    cluster.onReply = (member, operation, bytes) =>
      this.#guard(() => {
        replies.replied(member, operation, bytes);
        this.damage.replied(operation.incarnation);
      });
    cluster.world.afterEvent.push(() => this.#look());
  }

  // Inside a process nothing may be thrown: it would look like the process's own failure.
  #guard(check: () => void): void {
    if (this.#violation !== null) return;
    try {
      check();
    } catch (error) {
      this.#violation = error as Error;
    }
  }

  #look(): void {
    for (const member of this.cluster.members) {
      const { incarnation } = member;
      if (incarnation === null || !incarnation.ran) continue;
      incarnation.ran = false;
      if (this.#violation === null) this.#lookAt(member, incarnation);
    }
    if (this.#violation !== null) throw this.#violation;
  }

  #lookAt(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.failure !== null) throw incarnation.failure;
    if (!incarnation.alive) this.#checkExit(member, incarnation);
    const watched = this.#processes.of(member) ?? this.#begin(member, incarnation);
    if (watched === null) return;
    this.disks.look(watched);
    this.#applies.judge(watched);
    this.leases.look(watched);
    this.#members.look(watched);
    this.#bounds.look(watched);
  }

  /** Null: Raft does not run in it yet. */
  #begin(member: SimMember, incarnation: SimProcess): WatchedProcess | null {
    const inside = incarnation.alive ? (member.host?.inside() ?? null) : null;
    if (inside === null || this.copies.has(member.name)) return null;
    const watched = new WatchedProcess(member, incarnation, inside);
    this.#processes.add(watched);
    this.checkers.raftIds.speaks(watched.raftId, member.name, incarnation);
    this.#applies.listen(watched);
    const guard = (check: () => void): void => this.#guard(check);
    this.#configurations.listen(watched, guard);
    // The genesis that it stands on must have become durable before.
    const genesis = this.disks.follow(watched);
    demand(
      genesis !== null,
      "P1 one genesis",
      () => `${member.name} runs Raft, and its disk knows of no started genesis`,
    );
    this.checkers.genesis.started(member.name, genesis);
    watched.contract = new CoreWatch(watched, this.checkers, this.disks, guard).contract;
    return watched;
  }

  /** What its disk has promised is about to go, also where its last process never came to Raft. */
  #forgets(member: SimMember, replaced: boolean): void {
    this.checkers.twisted.delete(member.name);
    const raftId = this.disks.forgets(member);
    this.damage.regressed.delete(member.name);
    const { votes, raftIds } = this.checkers;
    if (raftId !== null) votes.forgets(raftId);
    if (replaced) raftIds.putBack(member.name);
    else if (raftId !== null) raftIds.wiped(raftId);
    if (!replaced) this.damage.stops.wiped(member.name);
  }

  /** As a lost disk: its promises are gone, and nobody speaks under its raft id any more. */
  #setsAside(member: SimMember): void {
    const { votes, raftIds } = this.checkers;
    this.damage.regressed.delete(member.name);
    this.damage.stops.wiped(member.name);
    if (this.copies.delete(member.name)) return;
    const followed = this.disks.setAside(member);
    if (followed !== null) votes.forgets(followed);
    const raftId = raftIdOn(member.disk, member.config);
    if (raftId !== 0) raftIds.wiped(raftId);
  }

  /** What a crash or a power loss does to a disk is no damage: no state may be lost by it (P9). */
  #checkStateLost(member: SimMember): void {
    const { name, disk } = member;
    const explained = this.cluster.budget?.explains(member, ExitCode.Damaged) === true;
    const damaged =
      explained ||
      this.checkers.twisted.has(name) ||
      disk.damage.alive(directoryOf(name)).length > 0;
    demand(damaged, "honest disks keep their state", () => `${name} has lost its state`);
  }

  /** S16 holds but for what the world has twisted: whoever says otherwise is wrong. */
  #checkAlarm({ name }: SimMember, mark: string): void {
    const { twisted } = this.checkers;
    const right = mark === oddDigestMark ? twisted.has(name) : twisted.size > 0;
    demand(right, "S16 no false alarm", () => `${name} passes ${mark}`);
  }

  #checkExit(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.end !== EndKind.Exited) return;
    this.damage.ended(member, incarnation);
    const { exitCode } = incarnation;
    if (exitCode === ExitCode.Removed) return this.#checkRemoved(member, incarnation);
    const explained = exitCode !== null && this.cluster.budget?.explains(member, exitCode) === true;
    demand(
      exitCode === null || explained || this.mayExit.has(member.name),
      "unexpected exit",
      () => `${incarnation.name} ended with exit code ${exitCode}: ${incarnation.reason}`,
    );
  }

  /**
   * Whoever says so may be wrong about others, never about this. One that no configuration ever named
   * may hear so too, by the id of its member.
   */
  #checkRemoved(member: SimMember, { reason }: SimProcess): void {
    const { name } = member;
    const raftId = this.#configurations.raftIdOf(name);
    const left = !this.#configurations.wasNamed(raftId) && !this.cluster.isMember(member);
    demand(
      left || this.#configurations.isRemoved(raftId),
      "P2 only the removed are told so",
      () => `${name} is a member, and ended: ${reason}`,
    );
  }

  /** A process has ended. */
  onEnd(incarnation: SimProcess): void {
    this.#members.gone(incarnation.name);
    this.disks.ended(incarnation);
  }
}
