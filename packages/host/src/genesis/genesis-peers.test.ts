// Genesis over Peers, real directories and the simulated network: what starts, what is found out
// after wipes and kills at every mark, and that Raft's sessions follow the genesis.
import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "@quorate/base";
import { EndKind, SimClock, SimDisk, SimNetwork, SimProcess, World } from "@quorate/sim";
import type { CrashPlan } from "@quorate/sim";
import { GenesisState, openDirectory } from "@quorate/storage";
import type { DataDirectory } from "@quorate/storage";
import { Peers } from "../peers/peers.ts";
import type { GenesisRecord, PeersEvents } from "../peers/peers-api.ts";
import { Genesis } from "./genesis.ts";

const tickMs = 10;

class Member {
  readonly bench: Bench;
  readonly index: number;
  process: SimProcess | null = null;
  disk: SimDisk;
  directory: DataDirectory | null = null;
  peers: Peers | null = null;
  started: GenesisRecord | null = null;
  wiped = "";
  waiting = "";
  sessions: number[] = [];

  constructor(bench: Bench, index: number) {
    this.bench = bench;
    this.index = index;
    this.disk = bench.newDisk(index);
  }

  boot(crashPlan: CrashPlan | null = null): void {
    const { world, network } = this.bench;
    const boot = ++this.bench.boots;
    this.directory = this.peers = this.started = null;
    this.wiped = this.waiting = "";
    this.sessions = [];
    const process = new SimProcess(
      `m${this.index}#${boot}`,
      {
        world,
        network,
        disk: this.disk,
        clock: new SimClock(world, 0, 0, 0),
        random: world.random(`boot ${boot}`),
        machine: `m${this.index}`,
      },
      { crashPlan, onMark: () => {}, onEnd: () => {} },
    );
    this.process = process;
    process.run(() => this.#open(process, boot));
  }

  #open(process: SimProcess, session: number): void {
    const { memberId } = this.bench.listed[this.index]!;
    const options = {
      directory: "data",
      walDirectory: null,
      clusterId: "00000000000000c1",
      memberId,
      levelMax: 1,
    };
    openDirectory(process, options, (outcome) => {
      assert.ok(outcome.ok, outcome.ok ? "" : outcome.reason);
      this.directory = outcome.directory;
      this.#join(process, outcome.directory, session);
    });
  }

  #join(process: SimProcess, directory: DataDirectory, session: number): void {
    const own = this.bench.listed[this.index]!;
    const { raftId, bootCount } = directory;
    const peers = new Peers(
      process,
      {
        clusterId: "00000000000000c1",
        memberId: own.memberId,
        token: "t",
        raftId,
        bootCount,
        session,
        levelMax: 1,
        tickMs,
        heartbeatIntervalMs: 100,
        electionTimeoutMs: 300,
        snapshotBytesPerSecond: 1000,
      },
      this.#events(process),
    );
    peers.setMembers(
      this.bench.listed
        .filter((m) => m !== own)
        .map((m) => ({ ...m, raftId: 0, addresses: [m.name.replace("n", "m") + ":2380"] })),
    );
    const genesis = new Genesis(
      process,
      { memberId: own.memberId, members: this.bench.listed, raftId, session },
      directory,
      {
        onStarted: (record) => {
          this.started = record;
          peers.setRecords([]);
          peers.setGenesis(record.genesisId);
        },
        onWiped: (_record, reason) => void (this.wiped = reason),
        onWaiting: (_missing, reason) => void (this.waiting = reason),
      },
    );
    this.peers = peers;
    peers.attachGenesis(genesis);
    genesis.start();
    this.#tick(process, peers);
  }

  #tick(process: SimProcess, peers: Peers): void {
    this.bench.world.after(tickMs * 1000, () => {
      if (!process.alive) return;
      process.run(() => peers.tick(1));
      this.#tick(process, peers);
    });
  }

  #events(process: SimProcess): PeersEvents {
    const unused = (): never => assert.fail("no Raft here");
    return {
      hello: () => ({ term: 0, lastIndex: 0, leader: 0, peerUrls: [] }),
      addressOf: unused,
      persistPeer: (_record, done) => process.schedule(done),
      onSession: (id) => {
        this.sessions.push(id);
        return "";
      },
      onRegressed: (_id, reason) => assert.fail(reason),
      onToldRegressed: (reason) => assert.fail(reason),
      onToldRemoved: (reason) => assert.fail(reason),
      onToldSuperseded: (reason) => assert.fail(reason),
      onJoinAsk: () => assert.fail("nobody joins"),
      onRefused: () => {},
      onProcessGone: () => {},
      onQuietResolved: () => {},
      onUnreachable: () => {},
      onRoundTrip: unused,
      onMessage: unused,
      onForwardProposal: unused,
      onForwardAnswer: unused,
      onForwardRead: unused,
      onForwardReadAnswer: unused,
      onDigestPoint: unused,
      onLeaseAsk: unused,
      onLeaseAnswer: unused,
      onStateAsk: unused,
      onLogAsk: unused,
      onLogAnswer: unused,
      stageSnapshot: unused,
      onSnapshotStaged: unused,
    };
  }

  kill(): void {
    this.process?.kill(EndKind.Killed, "test");
    this.process = null;
  }

  wipe(): void {
    this.kill();
    this.disk = this.bench.newDisk(this.index);
  }

  get running(): boolean {
    return this.process?.alive ?? false;
  }

  get state(): GenesisState {
    return this.directory?.genesisState ?? GenesisState.None;
  }
}

class Bench {
  readonly world: World;
  readonly network: SimNetwork;
  readonly listed: { memberId: string; name: string; peerUrls: readonly string[] }[] = [];
  readonly members: Member[] = [];
  boots = 0;
  #disks = 0;

  constructor(seed: number, count: number) {
    this.world = new World(seed);
    this.network = new SimNetwork(this.world, this.world.random("network"));
    for (let i = 0; i < count; i++) {
      this.network.addMachine(`m${i}`, [`m${i}:2380`]);
      const peerUrls = [`http://m${i}:2380`];
      this.listed.push({ memberId: `00000000000000a${i}`, name: `n${i}`, peerUrls });
    }
    for (let i = 0; i < count; i++) this.members.push(new Member(this, i));
  }

  newDisk(index: number): SimDisk {
    const name = `d${index}.${++this.#disks}`;
    return new SimDisk(this.world, this.world.random(`disk ${name}`), name);
  }

  bootAll(): void {
    for (const member of this.members) if (!member.running) member.boot();
  }

  check(): void {
    for (const { process } of this.members) if (process?.failure) throw process.failure;
  }

  until(condition: () => boolean, ms: number): boolean {
    const held = this.world.runUntil(condition, ms);
    this.check();
    return held;
  }

  /** Started, and every pair has accepted each other's session. */
  allTalk(): boolean {
    const others = this.members.length - 1;
    return this.members.every(
      (m) => m.started !== null && new Set(m.sessions).size === others && allConnected(m),
    );
  }

  oneGenesis(): void {
    const ids = new Set(this.members.map((m) => m.started?.genesisId));
    assert.equal(ids.size, 1);
  }
}

function allConnected(member: Member): boolean {
  return must(member.peers, "booted")
    .status()
    .every((status) => status.connected);
}

test("members that start together have founded the cluster and talk Raft within half a second", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = new Bench(seed, 2 + (seed % 4));
    bench.bootAll();
    assert.ok(
      bench.until(() => bench.allTalk(), 500),
      `seed ${seed}`,
    );
    bench.oneGenesis();
  }
});

test("members that start one after the other, and over a bad network, found one cluster", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = new Bench(seed, 3);
    Object.assign(bench.network.options, { lossChance: 0.2, duplicateChance: 0.2 });
    Object.assign(bench.network.options, { duplicateDelayMaxUs: 200_000 });
    for (const member of bench.members) {
      bench.world.runFor(700);
      member.boot();
    }
    assert.ok(
      bench.until(() => bench.allTalk(), 20_000),
      `seed ${seed}`,
    );
    bench.oneGenesis();
  }
});

test("a crash at any mark of any member: the restart founds or joins, with one genesis", () => {
  for (let victim = 0; victim < 3; victim++) {
    for (let nth = 1; ; nth++) {
      const bench = new Bench(1000 * victim + nth, 3);
      let marks = 0;
      const plan: CrashPlan = (process, point) =>
        point.startsWith("genesis.") && process.machine === `m${victim}` && ++marks === nth
          ? EndKind.Killed
          : null;
      for (const member of bench.members) member.boot(member.index === victim ? plan : null);
      bench.until(() => bench.allTalk() || !bench.members[victim]!.running, 3000);
      if (bench.allTalk()) {
        assert.ok(nth > 4, "held and started are written, each between two marks");
        break;
      }
      bench.members[victim]!.boot();
      assert.ok(
        bench.until(() => bench.allTalk(), 10_000),
        `victim ${victim}, mark ${nth}`,
      );
      bench.oneGenesis();
    }
  }
});

test("after the start any member may restart, alone or with all others", () => {
  const bench = new Bench(5, 3);
  bench.bootAll();
  assert.ok(bench.until(() => bench.allTalk(), 1000));
  const genesisId = bench.members[0]!.started?.genesisId;
  for (const victims of [[0], [1, 2], [0, 1, 2]]) {
    for (const i of victims) bench.members[i]!.kill();
    bench.world.runFor(300);
    bench.bootAll();
    assert.ok(
      bench.until(() => bench.allTalk(), 5000),
      victims.join(" "),
    );
    assert.equal(bench.members[0]!.started?.genesisId, genesisId);
  }
});

test("a wiped member is told, says why, and speaks under its new raft id as a guest of the same genesis", () => {
  for (const victim of [0, 2]) {
    const bench = new Bench(6, 3);
    bench.bootAll();
    assert.ok(bench.until(() => bench.allTalk(), 1000));
    const wiped = bench.members[victim]!;
    const started = bench.members[1]!.started;
    wiped.wipe();
    wiped.boot();
    assert.ok(bench.until(() => wiped.wiped !== "", 5000));
    bench.world.runFor(3000);
    assert.equal(wiped.state, GenesisState.Wiped);
    assert.equal(must(wiped.started, "a guest").genesisId, must(started, "founded").genesisId);
    for (const other of bench.members) {
      if (other === wiped) continue;
      const status = must(other.peers, "booted")
        .status()
        .find((s) => s.memberId === bench.listed[victim]!.memberId);
      assert.equal(status?.connected, true);
      assert.equal(status?.raftId, must(wiped.directory, "opened").raftId);
    }
  }
});

test("who is missing is said by name, with the reason of the last try", () => {
  const bench = new Bench(7, 3);
  bench.members[0]!.boot();
  bench.members[1]!.boot();
  bench.world.runFor(3000);
  const [a, b] = bench.members as [Member, Member];
  assert.match(
    a.waiting,
    /all listed members are needed once .*; missing: n2 \(connection refused\)$/,
  );
  assert.match(b.waiting, /^n0, the first by name, .*; missing: n2 \(connection refused\)$/);
});

test("wipes and restarts before the first start, with a random network: all end up together", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const bench = new Bench(seed, 3);
    const random = bench.world.random("nemesis");
    Object.assign(bench.network.options, { delayMaxUs: 30_000, lossChance: 0.1 });
    const startedAny = (): boolean => bench.members.some((m) => m.state === GenesisState.Started);
    while (!startedAny() && bench.world.nowMs < 30_000) {
      const member = random.pick(bench.members);
      if (!member.running) member.boot();
      else if (random.chance(0.3)) member.wipe();
      else if (random.chance(0.5)) member.kill();
      bench.until(startedAny, random.between(1, 150));
    }
    // Whoever was wiped after it had confirmed and before it heard of the start has to rejoin (P3).
    bench.bootAll();
    const settled = (): boolean => bench.members.every((m) => m.started !== null || m.wiped !== "");
    assert.ok(bench.until(settled, 20_000), `seed ${seed}`);
    const ids = bench.members.map((m) => m.started?.genesisId).filter((id) => id !== undefined);
    assert.equal(new Set(ids).size, 1, `seed ${seed}`);
  }
});
