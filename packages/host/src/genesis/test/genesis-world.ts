// Members of which only Genesis is real, over a bag of frames that a test delivers, loses, doubles and
// reorders as it likes. A disk write lands at its completion or, when the process dies before, at the
// whim of the test. Frames of dead processes may still arrive; each goes to one process only.
import { Prng } from "@quorate/base";
import { GenesisState } from "@quorate/storage";
import type { DataDirectory, Env, ExitCode } from "@quorate/storage";
import type { GenesisSpeaker, GenesisWire } from "../../peers/genesis-talk.ts";
import type { GenesisRecord } from "../../peers/peers-api.ts";
import { decodeGenesisRecord } from "../genesis-record.ts";
import { Genesis } from "../genesis.ts";
import type { Listed } from "../member-list.ts";

export interface Envelope {
  readonly from: GenesisSpeaker;
  readonly to: Process;
  readonly body: Uint8Array;
}

class Disk {
  raftId: number;
  state: GenesisState = GenesisState.None;
  record: Uint8Array = new Uint8Array(0);
  pending: { state: GenesisState; record: Uint8Array; done: () => void } | null = null;

  constructor(raftId: number) {
    this.raftId = raftId;
  }

  land(): void {
    const pending = this.pending;
    if (pending === null) return;
    this.pending = null;
    if (this.state === GenesisState.Started) throw new Error("a started genesis was overwritten");
    this.state = pending.state;
    this.record = pending.record;
  }
}

/** One process of one member. */
export class Process implements GenesisWire {
  readonly world: GenesisWorld;
  readonly member: WorldMember;
  readonly session: number;
  readonly genesis: Genesis;
  readonly speakers: Map<string, GenesisSpeaker> = new Map();
  alive = true;
  started: GenesisRecord | null = null;
  wiped: string | null = null;
  waiting: { missing: readonly string[]; reason: string } | null = null;

  constructor(world: GenesisWorld, member: WorldMember, session: number) {
    this.world = world;
    this.member = member;
    this.session = session;
    const disk = member.disk;
    const directory: DataDirectory = {
      raftId: disk.raftId,
      bootCount: 1,
      fresh: false,
      genesisState: disk.state,
      genesis: disk.record,
      writeGenesis: (state, record, done) => {
        if (disk.pending !== null) throw new Error("two writes at once");
        disk.pending = { state, record: record.slice(), done };
      },
      markSuperseded: () => {
        throw new Error("no cluster is recovered here");
      },
      markRegressed: () => {
        throw new Error("no peer says so before there is a genesis");
      },
      markDiskFails: () => {
        throw new Error("nothing is sent to it before there is a genesis");
      },
    };
    this.genesis = new Genesis(
      world.env(session),
      { memberId: member.memberId, members: member.listed, raftId: disk.raftId, session },
      directory,
      {
        onStarted: (record) => {
          if (this.started !== null) throw new Error("started twice in one process");
          this.started = record;
        },
        onWiped: (_record, reason) => {
          this.wiped = reason;
        },
        onWaiting: (missing, reason) => {
          this.waiting = { missing, reason };
        },
      },
    );
    this.genesis.attach(this);
    this.genesis.start();
  }

  get speaker(): GenesisSpeaker {
    return {
      memberId: this.member.memberId,
      raftId: this.member.disk.raftId,
      session: this.session,
      genesisId: this.started?.genesisId ?? 0,
    };
  }

  sendGenesis(memberId: string, body: Uint8Array): boolean {
    const spoken = this.speakers.get(memberId);
    const to = this.world.processes.find(
      (p) => p.alive && p.member.memberId === memberId && p.session === spoken?.session,
    );
    if (to === undefined) return false;
    this.world.bag.push({ from: this.speaker, to, body });
    return true;
  }

  speakerOf(memberId: string): GenesisSpeaker | null {
    return this.speakers.get(memberId) ?? null;
  }

  isConnected(memberId: string): boolean {
    const spoken = this.speakers.get(memberId);
    return this.world.processes.some((p) => p.alive && p.session === spoken?.session);
  }

  reasonOf(memberId: string): string {
    return this.isConnected(memberId) ? "" : "not connected";
  }
}

export class WorldMember {
  readonly memberId: string;
  readonly name: string;
  readonly listed: readonly Listed[];
  disk: Disk;
  process: Process | null = null;

  constructor(memberId: string, name: string, listed: readonly Listed[], disk: Disk) {
    this.memberId = memberId;
    this.name = name;
    this.listed = listed;
    this.disk = disk;
  }
}

export class GenesisWorld {
  readonly random: Prng;
  readonly members: WorldMember[] = [];
  readonly processes: Process[] = [];
  readonly bag: Envelope[] = [];
  nowMs = 0;
  wipes = 0;
  #sessions = 0;
  #raftIds = 100;

  constructor(seed: number, count: number) {
    this.random = new Prng(seed);
    const listed: Listed[] = [];
    for (let i = 0; i < count; i++) {
      listed.push({ memberId: `id${i}`, name: `n${i}`, peerUrls: [`http://m${i}:2380`] });
    }
    for (const { memberId, name } of listed) {
      this.members.push(new WorldMember(memberId, name, listed, new Disk(++this.#raftIds)));
    }
  }

  env(session: number): Env {
    const nothing = (): void => {};
    const trace = { debug: nothing, info: nothing, warn: nothing, error: nothing, mark: nothing };
    const notHere = new Proxy({}, { get: () => () => assertUnused() });
    return {
      clock: { monotonicMs: () => this.nowMs, wallMs: () => 0 },
      random: this.random.fork(`session ${session}`),
      disk: notHere as Env["disk"],
      transport: notHere as Env["transport"],
      trace,
      schedule: assertUnused,
      fatal: (_code: ExitCode, reason: string) => {
        throw new Error(reason);
      },
      restart: assertUnused,
    };
  }

  boot(member: WorldMember): Process {
    const process = new Process(this, member, ++this.#sessions);
    member.process = process;
    this.processes.push(process);
    return process;
  }

  kill(member: WorldMember): void {
    if (member.process === null) return;
    member.process.alive = false;
    member.process = null;
    // A write in flight at the crash may have happened.
    if (this.random.chance(0.5)) member.disk.land();
    member.disk.pending = null;
  }

  wipe(member: WorldMember): void {
    this.kill(member);
    member.disk = new Disk(++this.#raftIds);
    this.wipes++;
  }

  /** `a` hears a hello of the present process of `b`. */
  meet(a: WorldMember, b: WorldMember): void {
    if (a === b || a.process === null || b.process === null) return;
    const speaker = b.process.speaker;
    a.process.speakers.set(b.memberId, speaker);
    a.process.genesis.onSpeaker(speaker);
  }

  meetAll(): void {
    for (const a of this.members) for (const b of this.members) this.meet(a, b);
  }

  deliver(envelope: Envelope): void {
    if (envelope.to.alive) envelope.to.genesis.onFrame(envelope.from, envelope.body);
  }

  takeFromBag(): Envelope | null {
    if (this.bag.length === 0) return null;
    const at = this.random.below(this.bag.length);
    const envelope = this.bag[at]!;
    this.bag[at] = this.bag[this.bag.length - 1]!;
    this.bag.pop();
    return envelope;
  }

  finishWrite(member: WorldMember): void {
    const done = member.disk.pending?.done;
    if (done === undefined || member.process === null) return;
    member.disk.land();
    done();
  }

  tick(member: WorldMember, ms: number): void {
    this.nowMs += ms;
    member.process?.genesis.tick(1);
  }

  /** Everything arrives, everybody meets and ticks: no faults any more. */
  settle(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      this.meetAll();
      for (const member of this.members) this.tick(member, 300);
      for (const member of this.members) this.finishWrite(member);
      for (let left = this.bag.length; left > 0; left--) {
        const envelope = this.takeFromBag();
        if (envelope !== null) this.deliver(envelope);
      }
    }
  }

  /** The started genesis on a disk, or null. */
  startedOn(member: WorldMember): GenesisRecord | null {
    const { disk } = member;
    return disk.state === GenesisState.Started ? decodeGenesisRecord(disk.record) : null;
  }
}

function assertUnused(): never {
  throw new Error("Genesis must not use this");
}
