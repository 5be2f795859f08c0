// A cluster of real hosts in a world: start, stop, kill, power loss, wipe, and requests to them. It
// injects nothing by itself and judges nothing: nemeses do the one, checkers the other.
import { assert, must } from "@quorate/base";
import {
  Failure,
  FailureCode,
  type HostConfig,
  type HostStatus,
  Need,
  Phase,
  type ReplySink,
  type TransferResult,
} from "@quorate/host";
import { KvError } from "@quorate/kv";
import { memberIds, Role } from "@quorate/raft";
import { CoreInvariants } from "./checkers/core-invariants.ts";
import { enter } from "./client/entrance.ts";
import type { ClientOperation } from "./client/history.ts";
import type { RequestTarget } from "./client/request-target.ts";
import { type ClusterOptions, directoryOf, hostConfig, listedMembers } from "./cluster-options.ts";
import { asideDoneMark, asideMark, asideMoveMark } from "./damage/damage-marks.ts";
import type { DiskBudget } from "./damage/disk-budget.ts";
import { type CrashPlan, EndKind, type SimProcess } from "./sim-env.ts";
import { RareStates, turnStatusOf } from "./rare-states.ts";
import { SimMember } from "./sim-member.ts";
import { SimNetwork } from "./sim-network.ts";
import type { World } from "./world.ts";

/** Starts again what has ended (operator.ts). */
export interface ClusterOperator {
  /** Members that nothing is started of. */
  readonly leftAlone: ReadonlySet<string>;
  ended(member: SimMember, incarnation: SimProcess): void;
  startLater(member: SimMember): void;
  /** Unless it runs, or is left alone. */
  startNow(member: SimMember): void;
  /** So many times more; then nothing is started of it. */
  startsAtMost(member: SimMember, starts: number): void;
  /** It is his business again. */
  takeBack(member: SimMember): void;
}

/** The last mark of a turn of the pump. */
const endOfTurn = "turn.flushed";

export class SimCluster implements RequestTarget {
  readonly world: World;
  readonly network: SimNetwork;
  readonly options: ClusterOptions;
  readonly members: readonly SimMember[];
  readonly memberNames: readonly string[];
  /** Machines that are no members: not yet, or no more. */
  readonly absent: Set<string>;
  /** Members come and go: what the log says counts, not `absent`. */
  changing: boolean;
  /** Mark → how often it was passed, and at how many of these a process crashed. */
  readonly marks: Map<string, { passed: number; crashed: number }>;
  readonly rare: RareStates;
  readonly #cores: ReadonlyMap<string, CoreInvariants>;
  /** Members whose directories are being set aside, as far as was seen. */
  readonly #aside: Set<string>;
  /** How often members have set their directories aside. */
  setAsides: number;
  crashPlan: CrashPlan | null;
  /** Null: nobody starts again what has ended. */
  operator: ClusterOperator | null;
  /** Null: nobody may harm disks. */
  budget: DiskBudget | null;
  /** A mark other than the last of a turn is passed; inside the process. */
  onMark: ((member: SimMember, incarnation: SimProcess, mark: string) => void) | null;
  /** A process has ended, whatever the reason; nothing of it is on the stack any more. */
  onEnd: ((member: SimMember, incarnation: SimProcess) => void) | null;
  /** A reply leaves for a client. */
  onReply: ((member: SimMember, operation: ClientOperation, bytes: Uint8Array) => void) | null;

  constructor(world: World, options: ClusterOptions) {
    this.world = world;
    this.network = new SimNetwork(world, world.random("network"));
    this.options = options;
    this.members = listedMembers(options.members).map(
      (listed) => new SimMember(world, this.network, listed.name, hostConfig(options, listed)),
    );
    this.memberNames = this.members.map((member) => member.name);
    this.absent = new Set(this.memberNames.slice(options.founders ?? options.members));
    this.changing = false;
    this.marks = new Map();
    this.rare = new RareStates();
    this.#aside = new Set();
    this.#cores = new Map(this.memberNames.map((name) => [name, new CoreInvariants()]));
    this.setAsides = 0;
    this.crashPlan = null;
    this.operator = null;
    this.budget = null;
    this.onMark = null;
    this.onEnd = null;
    this.onReply = null;
  }

  member(name: string): SimMember {
    return must(
      this.members.find((member) => member.name === name),
      `no member ${name}`,
    );
  }

  // ---- life and death ---------------------------------------------------------------------------

  start(name: string): void {
    const member = this.member(name);
    member.start({
      crashPlan: (incarnation, point) => this.#crashAt(incarnation, point),
      onMark: (incarnation, point) => {
        this.#markOf(point).passed++;
        if (this.#isSetAside(member, point)) this.#setsAside(member, incarnation);
        if (point === endOfTurn) this.#endOfTurn(member, incarnation);
        else if (point !== asideMark) this.onMark?.(member, incarnation, point);
      },
      onEnd: (incarnation) => this.#ended(member, incarnation),
    });
  }

  startAll(): void {
    for (const member of this.members) {
      if (!member.running) this.start(member.name);
    }
  }

  /** kill -9. */
  kill(name: string): void {
    this.member(name).kill();
  }

  powerLoss(name: string): void {
    this.member(name).powerLoss();
  }

  powerLossAll(): void {
    for (const member of this.members) member.powerLoss();
  }

  stop(name: string): void {
    this.member(name).stop();
  }

  /** The member's directory is gone; it must not run. */
  wipe(name: string): void {
    const member = this.member(name);
    assert(!member.running, () => `${name} runs and cannot be wiped`);
    if (member.disk.nodeAt(directoryOf(name)) !== null) member.disk.wipe(directoryOf(name));
    this.world.note(name, "wiped");
  }

  /** Its mark, or the first move by a later start, where a crash came between the word and its mark. */
  #isSetAside({ name }: SimMember, point: string): boolean {
    if (point === asideDoneMark) this.#aside.delete(name);
    const isNews = point === asideMark || (point === asideMoveMark && !this.#aside.has(name));
    if (isNews) this.#aside.add(name);
    return isNews;
  }

  /** From here on it is another disk: whatever was known of the old one says nothing any more. */
  #setsAside(member: SimMember, incarnation: SimProcess): void {
    this.setAsides++;
    this.operator?.takeBack(member);
    this.budget?.setAside(member);
    this.onMark?.(member, incarnation, asideMark);
  }

  #endOfTurn(member: SimMember, incarnation: SimProcess): void {
    const inside = member.host?.inside() ?? null;
    if (inside === null) return;
    this.rare.turn(member.name, incarnation.name, turnStatusOf(inside.raft));
    must(this.#cores.get(member.name), "a member has a checker").turn(inside.raft);
  }

  #crashAt(incarnation: SimProcess, point: string): EndKind | null {
    const how = this.crashPlan === null ? null : this.crashPlan(incarnation, point);
    if (how !== null) this.#markOf(point).crashed++;
    return how;
  }

  #markOf(point: string): { passed: number; crashed: number } {
    let mark = this.marks.get(point);
    if (mark === undefined) {
      mark = { passed: 0, crashed: 0 };
      this.marks.set(point, mark);
    }
    return mark;
  }

  #ended(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.end === EndKind.PowerLost) member.loseCache();
    this.rare.ended(member.name);
    this.world.after(0, () => {
      this.onEnd?.(member, incarnation);
      if (!incarnation.restarts) this.operator?.ended(member, incarnation);
      else if (member.incarnation === incarnation) this.start(member.name);
    });
  }

  // ---- requests ---------------------------------------------------------------------------------

  request(name: string, operation: ClientOperation, sink: ReplySink): void {
    const member = this.member(name);
    const { incarnation, host } = member;
    if (incarnation === null || !incarnation.alive || host === null) {
      // The client's connection is refused.
      const refused = new Failure(FailureCode.Stopped, KvError.None, []);
      this.world.after(1000, () => sink.fail(refused));
      return;
    }
    operation.incarnation = incarnation.name;
    const { entrance, kind, bytes, serializable } = operation;
    const answered: ReplySink = {
      reply: (reply) => {
        entrance.answered(host);
        this.onReply?.(member, operation, reply);
        sink.reply(reply);
      },
      fail: (failure) => {
        entrance.answered(host);
        sink.fail(failure);
      },
    };
    incarnation.run(() => {
      enter(host, entrance, Need.User, {
        admitted: (identity) => host.request(kind, bytes, serializable, answered, identity),
        refused: (failure) => sink.fail(failure),
      });
    });
  }

  /** Asks one member to hand leadership to another; who does not run answers nothing. */
  transferLeadership(name: string, to: SimMember, done: (result: TransferResult) => void): void {
    const { incarnation, host } = this.member(name);
    if (incarnation === null || !incarnation.alive || host === null) return;
    incarnation.run(() => host.transferLeadership(to.config.memberId, done));
  }

  // ---- what can be seen -------------------------------------------------------------------------

  phase(name: string): Phase {
    const { host, running } = this.member(name);
    return running && host !== null ? host.phase() : Phase.Stopped;
  }

  /** Machines that are members now: by the newest table that a running one has applied. */
  present(): string[] {
    const known = this.changing ? this.#newestTable() : null;
    if (known === null) return this.memberNames.filter((name) => !this.absent.has(name));
    const named = this.members.filter((member) => known.has(memberIdOf(member)));
    return named.map(({ name }) => name);
  }

  /** As it was told itself; by the newest table that a running one has applied, born or not. */
  isMember(member: SimMember): boolean {
    const memberId = memberIdOf(member);
    const known = this.#newestStatus();
    if (known === null) return !this.absent.has(member.name);
    return known.members.some((one) => one.memberId === memberId);
  }

  /** Its own entry in the list of members that it is started with. */
  listed({ config }: SimMember): HostConfig["members"][number] {
    return must(
      config.members.find(({ memberId }) => memberId === config.memberId),
      "a member lists itself",
    );
  }

  /** Under which id its address is on record in the newest table; else as it was told. */
  idOnRecord(member: SimMember): string {
    const urls = this.listed(member).peerUrls.join();
    const known = this.#newestStatus()?.members ?? [];
    return known.find(({ peerUrls }) => peerUrls.join() === urls)?.memberId ?? memberIdOf(member);
  }

  #newestStatus(): HostStatus | null {
    let newest: HostStatus | null = null;
    for (const { running, host } of this.members) {
      if (!running || host === null || host.inside() === null) continue;
      const status = host.status();
      if (newest === null || status.applied > newest.applied) newest = status;
    }
    return newest;
  }

  #newestTable(): ReadonlySet<string> | null {
    const newest = this.#newestStatus();
    if (newest === null || newest.confState === null) return null;
    const ids = memberIds(newest.confState);
    const named = newest.members.filter(({ raftId }) => ids.includes(raftId));
    return new Set(named.map(({ memberId }) => memberId));
  }

  /** The member that leads in the highest term, or null. */
  leader(): SimMember | null {
    let best: SimMember | null = null;
    let bestTerm = 0;
    for (const member of this.members) {
      const raft = member.running ? member.host?.inside()?.raft : undefined;
      if (raft === undefined || !raft.isLeader() || raft.term() <= bestTerm) continue;
      best = member;
      bestTerm = raft.term();
    }
    return best;
  }

  /** A leader that all of these running members follow, with reads served everywhere; or null. */
  settledLeader(names: readonly string[]): SimMember | null {
    const leader = this.leader();
    if (leader === null) return null;
    const { raft } = leader.host!.inside()!;
    const term = raft.term();
    for (const name of names) {
      const { host, running } = this.member(name);
      const inside = running && host !== null ? host.inside() : null;
      if (inside === null || inside.raft.term() !== term) return null;
      if (inside.raft.leader() !== raft.core.id) return null;
      if (host!.phase() !== Phase.Running) return null;
    }
    return leader;
  }

  roleOf(name: string): Role {
    return this.member(name).host?.status().role ?? Role.Follower;
  }
}

/** As it was told itself: a machine that joins anew may be told an id that it was added with before. */
function memberIdOf({ host, config }: SimMember): string {
  return host?.status().memberId ?? config.memberId;
}
