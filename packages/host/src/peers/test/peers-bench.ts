// Members of which only Peers is real, on the simulated network: each records what it is told. The
// test decides what they say of themselves.
import { leaseIdText } from "@quorate/kv";
import type { Message } from "@quorate/raft";
import type { CheckpointInfo, PeerRecord, SnapshotFile, SnapshotSink } from "@quorate/storage";
import {
  EndKind,
  SimClock,
  SimDisk,
  SimNetwork,
  SimProcess,
  TraceLevel,
  World,
} from "@quorate/sim";
import { addressOfUrl } from "../../members/peer-list.ts";
import type { LeaseAnswer, LeaseAsk } from "../lease-codec.ts";
import type { LogAnswer, LogAsk } from "../log-codec.ts";
import { Peers } from "../peers.ts";
import type {
  DigestPoint,
  ForwardNumber,
  ForwardOutcome,
  HelloFacts,
  PeerMember,
  PeersConfig,
  PeersEvents,
} from "../peers-api.ts";

export const tickMs = 10;

export interface MemberOptions {
  readonly raftId: number;
  readonly bootCount: number;
  readonly session: number;
  readonly clusterId: string;
  readonly token: string;
  readonly genesisId: number;
  readonly records: readonly PeerRecord[];
  readonly leader: number;
  /** Time that a record takes to become durable; below 0: it never does. */
  readonly persistMs: number;
  readonly snapshotBytesPerSecond: number;
}

/** One process of one member. */
export class Member implements PeersEvents {
  readonly bench: PeersBench;
  readonly index: number;
  readonly process: SimProcess;
  readonly options: MemberOptions;
  readonly peers: Peers;
  readonly messages: Message[] = [];
  readonly sessions: string[] = [];
  readonly regressed: string[] = [];
  readonly toldRegressed: string[] = [];
  readonly toldRemoved: string[] = [];
  readonly refused: string[] = [];
  readonly gone: string[] = [];
  readonly persisted: string[] = [];
  readonly unreachable: number[] = [];
  readonly roundTrips: number[] = [];
  readonly forwards: string[] = [];
  readonly digests: string[] = [];
  readonly logTalk: string[] = [];
  readonly leaseTalk: string[] = [];
  readonly staged: { message: Message; sink: SnapshotSink; checkpoint: CheckpointInfo }[] = [];
  facts: HelloFacts;
  quietResolved = 0;
  /** Why the core finds this session REGRESSED; empty: it does not. */
  condemns: (session: number) => string = () => "";
  sinkFor: ((files: readonly SnapshotFile[], id: number) => SnapshotSink | null) | null = null;
  onMessageHook: ((message: Message) => void) | null = null;
  ticking = true;

  constructor(bench: PeersBench, index: number, process: SimProcess, options: MemberOptions) {
    this.bench = bench;
    this.index = index;
    this.process = process;
    this.options = options;
    const peerUrls = [`http://m${index}:2380`];
    this.facts = { term: 1, lastIndex: 0, leader: options.leader, peerUrls };
    const config: PeersConfig = {
      clusterId: options.clusterId,
      memberId: memberIdOf(index),
      token: options.token,
      raftId: options.raftId,
      bootCount: options.bootCount,
      session: options.session,
      levelMax: 1,
      tickMs,
      heartbeatIntervalMs: 100,
      electionTimeoutMs: 300,
      snapshotBytesPerSecond: options.snapshotBytesPerSecond,
    };
    this.peers = new Peers(process, config, this);
    this.peers.setMembers(bench.othersOf(index));
    if (options.genesisId !== 0) {
      this.peers.setRecords(options.records);
      this.peers.setGenesis(options.genesisId);
    }
    this.#tickAgain();
  }

  #tickAgain(): void {
    this.bench.world.after(tickMs * 1000, () => {
      if (!this.process.alive) return;
      this.process.run(() => {
        if (!this.ticking) return;
        this.peers.tick(1);
        this.peers.flush();
      });
      this.#tickAgain();
    });
  }

  /** Into the process, as an event. */
  act(task: () => void): void {
    this.process.run(task);
  }

  hello(): HelloFacts {
    return this.facts;
  }

  addressOf(url: string): string {
    return addressOfUrl(url);
  }

  onMessage(message: Message): void {
    this.messages.push(message);
    this.onMessageHook?.(message);
  }

  persistPeer(record: PeerRecord, done: () => void): void {
    const { persistMs } = this.options;
    if (persistMs < 0) return;
    this.bench.world.after(persistMs * 1000, () => {
      this.process.run(() => {
        this.persisted.push(`${record.raftId}:${record.bootCount}:${record.session}`);
        done();
      });
    });
  }

  onSession(id: number, session: number, term: number, lastIndex: number): string {
    this.sessions.push(`${id}:${session}:${term}:${lastIndex}`);
    return this.condemns(session);
  }

  onRegressed(id: number, reason: string): void {
    this.regressed.push(`${id}:${reason}`);
  }

  onToldRegressed(reason: string): void {
    this.toldRegressed.push(reason);
  }

  onToldRemoved(reason: string): void {
    this.toldRemoved.push(reason);
  }

  onToldSuperseded(reason: string): void {
    this.toldRemoved.push(reason);
  }

  onJoinAsk(ask: Uint8Array): Uint8Array {
    return ask;
  }

  onRefused(_id: number, reason: string): void {
    this.refused.push(reason);
  }

  onProcessGone(id: number, session: number): void {
    this.gone.push(`${id}:${session}`);
  }

  onQuietResolved(): void {
    this.quietResolved++;
  }

  onUnreachable(id: number): void {
    this.unreachable.push(id);
  }

  onRoundTrip(_id: number, roundTripMs: number): void {
    this.roundTrips.push(roundTripMs);
  }

  onForwardProposal(from: number, number: ForwardNumber, kind: number, payload: Uint8Array): void {
    this.forwards.push(`proposal ${from} ${number} ${kind} ${payload.length}`);
  }

  onForwardAnswer(number: number, outcome: ForwardOutcome, index: number, term: number): void {
    this.forwards.push(`answer ${number} ${outcome} ${index} ${term}`);
  }

  onForwardRead(from: number, number: ForwardNumber): void {
    this.forwards.push(`read ${from} ${number}`);
  }

  onForwardReadAnswer(number: ForwardNumber, index: number): void {
    this.forwards.push(`read answer ${number} ${index}`);
  }

  onDigestPoint(from: number, point: DigestPoint): void {
    this.digests.push(`${from}:${point.index}:${point.liveLow}:${point.applyHigh}`);
  }

  onStateAsk(from: number, index: number): void {
    this.digests.push(`${from}:state from ${index}`);
  }

  onLogAsk(from: number, ask: LogAsk): void {
    this.logTalk.push(`${from} asks for entries ${ask.beforeIndex + 1} to ${ask.upToIndex}`);
  }

  onLogAnswer(from: number, answer: LogAnswer): void {
    this.logTalk.push(`${from} answers with ${answer.entries.length} entries`);
  }

  onLeaseAsk(from: number, { number, kind, id }: LeaseAsk): void {
    this.leaseTalk.push(`${from} asks ${number}: ${kind} of ${leaseIdText(id)}`);
  }

  onLeaseAnswer({ number, outcome, ttlSeconds, grantedTtlSeconds }: LeaseAnswer): void {
    this.leaseTalk.push(`answer to ${number}: ${outcome} ${ttlSeconds}/${grantedTtlSeconds}`);
  }

  stageSnapshot(files: readonly SnapshotFile[], checkpointId: number): SnapshotSink | null {
    return this.sinkFor === null ? null : this.sinkFor(files, checkpointId);
  }

  onSnapshotStaged(message: Message, sink: SnapshotSink, checkpoint: CheckpointInfo): void {
    this.staged.push({ message, sink, checkpoint });
  }

  connectedTo(index: number): boolean {
    return this.statusOf(index).connected;
  }

  statusOf(index: number): ReturnType<Peers["status"]>[number] {
    const status = this.peers.status().find((s) => s.memberId === memberIdOf(index));
    if (status === undefined) throw new Error(`no peer ${index}`);
    return status;
  }
}

export class PeersBench {
  readonly world: World;
  readonly network: SimNetwork;
  readonly count: number;
  readonly members: (Member | null)[] = [];
  readonly disk: SimDisk;
  /** What processes traced at info or above, in order. */
  readonly log: string[] = [];
  #boots = 0;

  constructor(seed: number, count: number) {
    this.world = new World(seed);
    this.network = new SimNetwork(this.world, this.world.random("network"));
    this.disk = new SimDisk(this.world, this.world.random("disk"), "disk");
    this.count = count;
    this.world.trace.sinkLevel = TraceLevel.Info;
    this.world.trace.sink = (line) => void this.log.push(line);
    for (let i = 0; i < count; i++) this.network.addMachine(`m${i}`, [`m${i}:2380`]);
  }

  othersOf(index: number): readonly PeerMember[] {
    const others: PeerMember[] = [];
    for (let i = 0; i < this.count; i++) {
      if (i === index) continue;
      others.push({
        memberId: memberIdOf(i),
        raftId: 0,
        name: `n${i}`,
        peerUrls: [`http://m${i}:2380`],
        addresses: [`m${i}:2380`],
      });
    }
    return others;
  }

  boot(index: number, options: Partial<MemberOptions> = {}): Member {
    const boot = ++this.#boots;
    const process = new SimProcess(
      `m${index}#${boot}`,
      {
        world: this.world,
        network: this.network,
        disk: this.disk,
        clock: new SimClock(this.world, 0, 0, 0),
        random: this.world.random(`boot ${boot}`),
        machine: `m${index}`,
      },
      { crashPlan: null, onMark: () => {}, onEnd: () => {} },
    );
    let member: Member | null = null;
    process.run(() => {
      member = new Member(this, index, process, { ...defaults(index, boot), ...options });
    });
    if (member === null) throw process.failure ?? new Error("the member did not start");
    this.members[index] = member;
    return member;
  }

  bootAll(options: Partial<MemberOptions> = {}): Member[] {
    const members: Member[] = [];
    for (let i = 0; i < this.count; i++) members.push(this.boot(i, options));
    return members;
  }

  kill(index: number, how: EndKind = EndKind.Killed): void {
    this.members[index]?.process.kill(how, "test");
    this.members[index] = null;
  }

  /** Every failed assertion in a process fails the test. */
  check(): void {
    for (const member of this.members) {
      if (member?.process.failure) throw member.process.failure;
    }
  }

  run(ms: number): void {
    this.world.runFor(ms);
    this.check();
  }

  until(condition: () => boolean, ms: number): boolean {
    const held = this.world.runUntil(condition, ms);
    this.check();
    return held;
  }

  allConnected(): boolean {
    return this.members.every((member, i) => {
      if (member === null) return true;
      for (let j = 0; j < this.count; j++) {
        if (j !== i && this.members[j] && !member.connectedTo(j)) return false;
      }
      return true;
    });
  }
}

export function memberIdOf(index: number): string {
  return `00000000000000a${index}`;
}

export function raftIdOf(index: number): number {
  return 100 + index;
}

function defaults(index: number, boot: number): MemberOptions {
  return {
    raftId: raftIdOf(index),
    bootCount: 1,
    session: 5000 + boot,
    clusterId: "c1",
    token: "token",
    genesisId: 77,
    records: [],
    leader: 0,
    persistMs: 2,
    snapshotBytesPerSecond: 67_108_864,
  };
}
