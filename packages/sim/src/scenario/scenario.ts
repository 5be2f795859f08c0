// One cluster, and everything that a story may do with it or ask of it. Each act is one line of the
// story and tells itself to the timeline. What nobody asks for does not happen: no process is
// started again, no fault ends by itself. At the end all is healed; then the general bounds and the
// judgement of the whole history apply (liveness.ts, judge.ts), as watch.ts did all the time.
import { assert, latin1Encode, must } from "@quorate/base";
import type {
  Credential,
  HostConfig,
  HostInside,
  HostStatus,
  JournalEvent,
  JournalKind,
} from "@quorate/host";
import { MemberAim } from "@quorate/host";
import { encodeRecordChanges, type RecordChange, RecordChangeKind } from "@quorate/host/internal";
import { RangeRequest } from "@quorate/kv";
import {
  ConfChange,
  ConfChangeSingle,
  ConfChangeType,
  type ConfState,
  ConfTransition,
  type Message,
  type MessageType,
  type NodeId,
  ProposeOutcome,
  type Role,
} from "@quorate/raft";
import type { ExitCode } from "@quorate/storage";
import { demand } from "../checkers/violation.ts";
import { History } from "../client/history.ts";
import { SimClient } from "../client/sim-client.ts";
import { SimCluster } from "../cluster.ts";
import { hostConfig } from "../cluster-options.ts";
import { describeCluster } from "../describe.ts";
import { judge } from "../judge.ts";
import { Liveness } from "../liveness.ts";
import { EndKind, type SimProcess } from "../sim-env.ts";
import type { DirectoryCopy } from "../sim-disk.ts";
import type { SimMember } from "../sim-member.ts";
import { Watch } from "../watch.ts";
import { planned, type PlannedOperation } from "../workloads/workload.ts";
import { makeWorkload } from "../workloads/workloads.ts";
import { World } from "../world.ts";
import { type Ask, Asker, Stream } from "./ask.ts";
import { describeLoss, Losses } from "./losses.ts";
import { MarkedActs, nameOf, type PlannedCrash } from "./marked-acts.ts";
import { loadDefaults, type LoadOptions, type ScenarioOptions } from "./scenario-options.ts";
import { StoryDisk } from "./story-disk.ts";
import { Timeline } from "./timeline.ts";

export class Scenario {
  readonly options: ScenarioOptions;
  readonly world: World;
  readonly cluster: SimCluster;
  readonly watch: Watch;
  readonly history: History;
  readonly timeline: Timeline;
  readonly names: readonly string[];
  readonly #liveness: Liveness;
  readonly #asker: Asker;
  readonly #leftAlone: Set<string>;
  readonly #loads: SimClient[];
  readonly #streams: Stream[];
  readonly #marked: MarkedActs;
  readonly #losses: Losses;
  readonly #raftIds: Map<string, NodeId>;
  #clients: number;

  constructor(seed: number, options: ScenarioOptions, print: (line: string) => void) {
    this.options = options;
    this.world = new World(seed);
    this.timeline = new Timeline(this.world, print);
    const { electionTimeoutMs, electionTimeoutRandomizationMs, heartbeatIntervalMs } = options;
    this.cluster = new SimCluster(this.world, {
      members: options.members,
      founders: options.founders ?? options.members,
      host: {
        ...options.host,
        electionTimeoutMs,
        electionTimeoutRandomizationMs,
        heartbeatIntervalMs,
      },
    });
    Object.assign(this.cluster.network.options, options.network);
    this.names = this.cluster.memberNames;
    this.watch = new Watch(this.cluster, { durableSample: options.durableSample });
    this.history = new History();
    this.#liveness = new Liveness(this.cluster, this.history, electionTimeoutMs);
    this.#asker = new Asker(this.world, this.cluster, this.history);
    this.#leftAlone = new Set();
    this.#loads = [];
    this.#streams = [];
    this.#marked = new MarkedActs(this.world, (name, mark) => this.#crashes(name, mark));
    this.#losses = new Losses();
    this.#raftIds = new Map();
    this.#clients = 0;
    this.cluster.operator = {
      leftAlone: this.#leftAlone,
      ended: () => {},
      startLater: () => {},
      startNow: () => {},
      startsAtMost: () => {},
      takeBack: () => {},
    };
    this.cluster.onEnd = (_, incarnation) => this.#ended(incarnation);
    this.cluster.network.loses = (from, to, bytes) => this.#losses.hits(from.name, to.name, bytes);
    this.cluster.crashPlan = (incarnation, mark) => this.#marked.passed(incarnation, mark);
  }

  // ---- time -------------------------------------------------------------------------------------

  get nowMs(): number {
    return this.world.nowMs;
  }

  /** The election timeout, in which bounds are stated. */
  get timeoutMs(): number {
    return this.options.electionTimeoutMs;
  }

  run(ms: number): void {
    this.world.runFor(ms);
  }

  /** The ms it took; not within the bound: the story fails with this property. */
  waitFor(what: string, withinMs: number, condition: () => boolean): number {
    const sinceMs = this.nowMs;
    const came = this.world.runUntil(condition, withinMs);
    demand(came, what, () => `not within ${withinMs} ms\n${this.describe()}`);
    this.timeline.tell("story", `${what} (after ${(this.nowMs - sinceMs).toFixed(1)} ms)`);
    return this.nowMs - sinceMs;
  }

  expect(what: string, holds: boolean, detail: () => string = () => this.describe()): void {
    demand(holds, what, detail);
    this.timeline.tell("story", `holds: ${what}`);
  }

  describe(): string {
    return describeCluster(this.cluster);
  }

  // ---- life and death ---------------------------------------------------------------------------

  start(...names: readonly string[]): void {
    for (const name of names) {
      this.timeline.tell(name, "starts");
      this.cluster.start(name);
    }
  }

  /** Starts all and waits until all follow one leader and have said who they are; its name. */
  found(): string {
    const founders = this.present();
    this.start(...founders.filter((name) => !this.cluster.member(name).running));
    this.waitFor("founded", 10_000 + 20 * this.timeoutMs, () => {
      if (!this.settled(founders)) return false;
      // The entry that opens the term, and what each member publishes about itself.
      return founders.every((name) => this.status(name).applied > founders.length);
    });
    for (const name of founders) this.#raftIds.set(name, this.status(name).raftId);
    return must(this.leader(), "a settled cluster has a leader");
  }

  kill(...names: readonly string[]): void {
    for (const name of names) {
      this.timeline.tell(name, "kill -9");
      this.world.faults.count("process.kill");
      this.cluster.kill(name);
    }
  }

  powerLoss(...names: readonly string[]): void {
    for (const name of names) {
      this.timeline.tell(name, "power loss");
      this.world.faults.count("process.power-loss");
      this.cluster.powerLoss(name);
    }
  }

  /** As SIGTERM: the process ends by itself, later. */
  stop(name: string): void {
    this.timeline.tell(name, "is told to stop");
    this.world.faults.count("process.stop");
    this.cluster.stop(name);
  }

  pause(name: string): void {
    this.timeline.tell(name, "stands still");
    this.world.faults.count("process.pause");
    this.#incarnation(name).pause();
  }

  resume(name: string): void {
    this.timeline.tell(name, "goes on");
    this.#incarnation(name).resume();
  }

  /** Its directory is gone; it must not run. */
  wipe(name: string): void {
    this.timeline.tell(name, "is wiped");
    this.world.faults.count("process.wipe");
    this.cluster.wipe(name);
  }

  /** It takes no part any more, and may end with an exit code; the bounds at the end leave it out. */
  giveUp(name: string): void {
    this.#leftAlone.add(name);
    this.watch.mayExit.add(name);
  }

  /** A process crashes at this mark, the next time that it (null: any) passes it; `when`: and this holds. */
  crashAt(
    member: string | null,
    mark: string,
    how: EndKind = EndKind.Killed,
    when: (name: string) => boolean = () => true,
  ): PlannedCrash {
    return this.#marked.crash({ member, mark, how, when, passesLeft: 0, crashed: null });
  }

  /** Its next process has these settings over the cluster's. */
  configure(name: string, change: Partial<HostConfig>): void {
    const changed = Object.keys(change).join(", ");
    this.timeline.tell(name, `is configured with ${changed === "" ? "what all have" : changed}`);
    const member = this.cluster.member(name);
    const listed = member.config.members.find((one) => one.name === name);
    const config = hostConfig(this.cluster.options, must(listed, `${name} is listed`));
    member.config = { ...config, ...change };
  }

  running(name: string): boolean {
    return this.cluster.member(name).running;
  }

  #incarnation(name: string): SimProcess {
    return must(this.cluster.member(name).incarnation, `${name} was never started`);
  }

  #crashes(name: string, mark: string): void {
    this.timeline.tell(name, `crashes at ${mark}`);
    this.world.faults.count("process.crash-at-mark");
  }

  #ended(incarnation: SimProcess): void {
    this.watch.onEnd(incarnation);
    const { exitCode, reason } = incarnation;
    if (incarnation.end !== EndKind.Exited) return;
    this.timeline.tell(nameOf(incarnation), `ends, exit code ${exitCode ?? 0}: ${reason}`);
  }

  /** Acts in the event after the one in which this member passes the mark, and `when` holds. */
  whenMarked(
    member: string,
    mark: string,
    act: () => void,
    when: () => boolean = () => true,
  ): void {
    this.#marked.act({ member, mark, act, when });
  }

  /** It ends by itself with this exit code; started anew it may not, unless it was given up. */
  waitForExit(name: string, exitCode: ExitCode, withinMs: number): void {
    this.watch.mayExit.add(name);
    const ended = (): boolean => this.#incarnation(name).exitCode === exitCode;
    this.waitFor(`${name} ends with exit code ${exitCode}`, withinMs, ended);
    if (!this.#leftAlone.has(name)) this.watch.mayExit.delete(name);
  }

  // ---- network, disks, clocks ---------------------------------------------------------------------

  /** Members of different groups do not reach each other. */
  cut(...groups: readonly (readonly string[])[]): void {
    this.timeline.tell("network", `cut ${groups.map((group) => group.join(" ")).join(" | ")}`);
    this.world.faults.count("network.cut");
    this.cluster.network.partition(groups);
  }

  /** And what is on its way between them never arrives, also after a heal. */
  cutForGood(...groups: readonly (readonly string[])[]): void {
    this.cut(...groups);
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const a of group) for (const b of other) this.cluster.network.closeLinks(a, b);
      }
    }
  }

  cutOneWay(from: string, to: string): void {
    this.timeline.tell("network", `cut ${from} → ${to}`);
    this.world.faults.count("network.cut-one-way");
    this.cluster.network.cutOneWay(from, to);
  }

  /** All cuts; delays and losses stay. */
  heal(): void {
    this.timeline.tell("network", "healed");
    this.cluster.network.heal();
  }

  /**
   * Sends with a message of these types are lost (null: from, or to, anybody); `which`: only with
   * such a message. The returned call ends it.
   */
  lose(
    types: readonly MessageType[],
    from: string | null,
    to: string | null,
    which: (message: Message) => boolean = () => true,
  ): () => void {
    const loss = { types, from, to, which };
    this.timeline.tell("network", `loses ${describeLoss(loss)}`);
    this.#losses.begin(loss);
    return () => {
      if (this.#losses.end(loss)) this.timeline.tell("network", `delivers ${describeLoss(loss)}`);
    };
  }

  /** Cut off until the log of the others begins behind its own; heal, and it needs a snapshot. */
  fallBehind(name: string): void {
    const others = this.others(name);
    this.cutForGood([name], others);
    const alive = others.filter((other) => this.running(other));
    const leader = this.waitForLeader(10 * this.timeoutMs, alive);
    const last = this.status(name).lastIndex;
    const isBehind = (): boolean => this.inside(leader)!.raft.status().firstIndex > last + 1;
    for (let rounds = 0; !isBehind(); rounds++) {
      assert(rounds < 100, "fallBehind: the leader's log is not cut off");
      this.puts(leader, 5, 400);
      this.run(30);
    }
    this.timeline.tell(name, `is behind the log of ${leader}`);
  }

  /** Of the links that `from` has dialled there, sends of which this holds are lost. */
  loseOnDialled(from: string, to: string, which: (bytes: Uint8Array) => boolean): () => void {
    const { network } = this.cluster;
    const before = network.loses;
    this.timeline.tell("network", `loses some sends on the links from ${from} to ${to}`);
    network.loses = (source, target, bytes, dialled) =>
      (dialled && source.name === from && target.name === to && which(bytes)) ||
      before?.(source, target, bytes, dialled) === true;
    return () => {
      network.loses = before;
    };
  }

  /** Nothing comes through any more on the links that there are between the two, and no end is told. */
  freezeLinks(a: string, b: string, us: number): void {
    this.timeline.tell("network", `the links of ${a} and ${b} carry nothing any more`);
    this.world.faults.count("network.clog");
    this.cluster.network.clogLinks(a, b, us);
  }

  /** Everything from there takes so much longer to arrive here. */
  delay(from: string, to: string, ms: number): void {
    this.timeline.tell("network", `${ms} ms more from ${from} to ${to}`);
    const way = this.cluster.network.way(from, to);
    way.addedMinUs = way.addedMaxUs = ms * 1000;
  }

  disk(name: string): StoryDisk {
    return new StoryDisk(this.cluster.member(name).disk, name, this.timeline);
  }

  jumpClock(name: string, byMs: number): void {
    this.timeline.tell(name, `its wall clock jumps by ${byMs} ms`);
    this.world.faults.count("clock.wall-jump");
    this.cluster.member(name).clock.jumpWall(byMs);
  }

  /** The directory of a machine that does not run becomes a copy of another member's. */
  giveCopy(name: string, copy: DirectoryCopy): void {
    this.watch.copies.add(name);
    this.disk(name).restore(copy);
  }

  // ---- requests -----------------------------------------------------------------------------------

  load(options: Partial<LoadOptions> = {}): void {
    const { workload, clients, thinkMaxMs, members } = { ...loadDefaults, ...options };
    this.timeline.tell("clients", `${clients} begin with ${workload}`);
    const target = {
      memberNames: members ?? this.names,
      request: this.cluster.request.bind(this.cluster),
    };
    const source = makeWorkload(workload, this.cluster.members[0]!.config);
    const timings = {
      depth: 1,
      moveChance: 0.1,
      thinkMinUs: 100,
      thinkMaxUs: thinkMaxMs * 1000,
      timeoutMinUs: 300_000,
      timeoutMaxUs: 4_000_000,
      replyLossChance: 0.01,
    };
    for (let left = clients; left > 0; left--) {
      const id = this.#clients++;
      const client = new SimClient(id, this.world, target, this.history, source, timings);
      this.#loads.push(client);
      client.start();
    }
  }

  endLoad(): void {
    for (const client of this.#loads) client.stop();
    for (const stream of this.#streams) stream.stop();
  }

  put(member: string, key: string = `story/${member}`, bytes: number = 0): Ask {
    return this.#asker.put(member, key, bytes);
  }

  puts(member: string, count: number, bytes: number = 0): Ask[] {
    return Array.from({ length: count }, (_, n) => this.put(member, `story/${member}/${n}`, bytes));
  }

  /** So many writes, and all are acknowledged. */
  fill(member: string, count: number, bytes: number): void {
    const writes = this.puts(member, count, bytes);
    const what = `${member} acknowledges ${count} writes of ${bytes} bytes`;
    const ended = (): boolean => !writes.some((ask) => ask.pending);
    this.world.runUntil(ended, 5000);
    this.expect(
      what,
      writes.every((ask) => ask.acknowledged),
      () => {
        const codes = writes.map((ask) => ask.operation.failure ?? "none");
        return `failures: ${codes.join(", ")}\n${this.describe()}`;
      },
    );
  }

  /** Linearizable. */
  read(member: string, key: string = `story/${member}`): Ask {
    return this.ask(member, planned(new RangeRequest({ key: latin1Encode(key) })));
  }

  /** `credential`: what it brings; else what all do. */
  ask(member: string, plan: PlannedOperation, credential?: Credential): Ask {
    return this.#asker.ask(member, plan, credential);
  }

  /** A put every so often at whoever leads. */
  stream(everyMs: number, bytes: number = 0): Stream {
    const stream = new Stream(this.world, everyMs, () => {
      const leader = this.leader();
      return leader === null ? null : this.put(leader, `stream/${leader}`, bytes);
    });
    this.#streams.push(stream);
    return stream;
  }

  /** A write is acknowledged at this member, asked anew whenever it was refused; the ms it took. */
  mustWrite(member: string, withinMs: number = 2 * this.timeoutMs): number {
    let ask = this.put(member);
    return this.waitFor(`${member} acknowledges a write`, withinMs, () => {
      if (ask.refused && this.nowMs > (ask.answeredMs ?? 0) + 20) ask = this.put(member);
      return ask.acknowledged;
    });
  }

  /** Asks the leader to hand over; Raft decides. */
  transfer(to: string): void {
    const from = must(this.leader(), "somebody leads");
    this.timeline.tell(from, `hands leadership to ${to}`);
    const { host } = this.cluster.member(from);
    const { memberId } = this.cluster.member(to).config;
    this.#incarnation(from).run(() => host!.transferLeadership(memberId, () => {}));
  }

  /**
   * Proposes a configuration change at this leader, past what the host would hold against it;
   * `transition`: how a joint one ends. False: refused, or it does not lead.
   */
  change(
    leader: string,
    changes: readonly (readonly [ConfChangeType, string])[],
    transition: ConfTransition = ConfTransition.Auto,
  ): boolean {
    const singles = changes.map(([type, name]) => new ConfChangeSingle(type, this.raftId(name)));
    const aims = changes.flatMap(([type, name]) => aimOf(type, this.member(name).config.memberId));
    const context = aims.length === 0 ? new Uint8Array(0) : encodeRecordChanges(aims);
    const change = new ConfChange(transition, singles, context);
    const outcomes: ProposeOutcome[] = [];
    this.#incarnation(leader).run(() => {
      outcomes.push(this.inside(leader)!.raft.proposeConfChange(change));
    });
    const accepted = outcomes[0] === ProposeOutcome.Accepted;
    if (accepted) this.timeline.tell(leader, "proposes a configuration change");
    return accepted;
  }

  // ---- what can be seen -----------------------------------------------------------------------------

  /** Who leads in the highest term. */
  leader(): string | null {
    return this.cluster.leader()?.name ?? null;
  }

  leads(name: string): boolean {
    return this.running(name) && this.inside(name)?.raft.isLeader() === true;
  }

  role(name: string): Role {
    return this.cluster.roleOf(name);
  }

  others(...names: readonly string[]): string[] {
    return this.names.filter((name) => !names.includes(name));
  }

  status(name: string): HostStatus {
    return this.member(name).host!.status();
  }

  /** Of the configuration that it was founded with, or of the directory that it joined with. */
  raftId(name: string): NodeId {
    const joined = this.member(name).config.join ? this.status(name).raftId : 0;
    return must(this.#raftIds.get(name) ?? (joined || null), `${name} has no raft id yet`);
  }

  /** Machines that are members now, by what the story did. */
  present(): string[] {
    return this.names.filter((name) => !this.cluster.absent.has(name));
  }

  /** As this member has applied it. */
  conf(name: string): ConfState {
    return must(this.inside(name), `${name} runs no Raft`).raft.core.conf;
  }

  inside(name: string): HostInside | null {
    return this.member(name).host?.inside() ?? null;
  }

  member(name: string): SimMember {
    return this.cluster.member(name);
  }

  /** Of the present process. */
  journal(name: string, kind: JournalKind): readonly JournalEvent[] {
    return this.member(name)
      .host!.journal()
      .filter((event) => event.kind === kind);
  }

  /** All of these follow one leader among them and serve reads. */
  waitForLeader(withinMs: number, names: readonly string[] = this.names): string {
    this.waitFor("all follow one leader", withinMs, () => this.settled(names));
    return must(this.leader(), "a settled cluster has a leader");
  }

  /** All of these follow one leader among them and serve reads. */
  settled(names: readonly string[]): boolean {
    const leader = this.cluster.settledLeader(names);
    return leader !== null && names.includes(leader.name);
  }

  // ---- the end ------------------------------------------------------------------------------------

  /** Heals everything, starts whatever is down, and demands what must hold after every story. */
  finish(): void {
    this.endLoad();
    this.#marked.clear();
    this.#losses.clear();
    for (const member of this.cluster.members) {
      this.disk(member.name).mend();
      const { incarnation } = member;
      if (incarnation !== null && incarnation.alive && incarnation.paused) incarnation.resume();
    }
    this.timeline.tell("story", "all is healed");
    this.cluster.network.mend();
    const down = this.present().filter((name) => !this.running(name) && !this.#leftAlone.has(name));
    this.start(...down);
    this.#liveness.demandAll();
    judge(this.history, this.watch.committed, this.cluster.members[0]!.config);
    for (const { incarnation } of this.cluster.members) {
      assert(incarnation?.failure === null, "a failure that nobody has seen");
    }
  }
}

/** What the leader is to do with it afterwards: what was made a learner stays one. */
function aimOf(type: ConfChangeType, memberId: string): RecordChange[] {
  if (type !== ConfChangeType.AddLearner && type !== ConfChangeType.AddVoter) return [];
  const aim = type === ConfChangeType.AddVoter ? MemberAim.Voter : MemberAim.Learner;
  return [{ kind: RecordChangeKind.Aim, memberId, aim }];
}
