// One run of one seed: found a cluster under faults, load it under faults (safety), heal everything
// and demand that it serves within bounds (liveness), then judge the whole history. Throws the first
// violation; otherwise tells what happened and the run's unseed.
import { assert } from "@quorate/base";
import { Phase } from "@quorate/host";
import { Role } from "@quorate/raft";
import { checkAcknowledgedWrites } from "./checkers/acknowledged-writes.ts";
import { checkLinearizability } from "./checkers/linearizability.ts";
import { Replay, requestKey } from "./checkers/replay.ts";
import { demand } from "./checkers/violation.ts";
import { type ClientRequest, History, Outcome } from "./client/history.ts";
import { Probe } from "./client/probe.ts";
import { SimClient } from "./client/sim-client.ts";
import { SimCluster } from "./cluster.ts";
import { Crashes } from "./nemesis/crashes.ts";
import type { Nemesis } from "./nemesis/nemesis.ts";
import { Partitions } from "./nemesis/partitions.ts";
import { Pauses } from "./nemesis/pauses.ts";
import { SlowDisks } from "./nemesis/slow-disks.ts";
import { Wipes } from "./nemesis/wipes.ts";
import { networkDefaults } from "./network/network-options.ts";
import { drawOptions, type RunOptions, type WorkloadName } from "./run-options.ts";
import type { SimProcess } from "./sim-env.ts";
import { Watch } from "./watch.ts";
import { Registers } from "./workloads/registers.ts";
import { UniquePuts } from "./workloads/unique-puts.ts";
import type { Workload } from "./workloads/workload.ts";
import { World } from "./world.ts";

const workloads: Readonly<Record<WorkloadName, () => Workload>> = {
  registers: () => new Registers(),
  "unique-puts": () => new UniquePuts(),
};

/** Bytes that stand before a request in an entry: no user, auth revision 0. */
const envelopeBytes = 2;

export interface RunResult {
  readonly seed: number;
  readonly options: RunOptions;
  readonly unseed: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: { readonly ok: number; readonly refused: number; readonly unknown: number };
  readonly leaders: number;
  readonly boots: number;
  readonly wipes: number;
  readonly durabilityChecks: number;
  readonly committed: number;
  readonly marks: ReadonlyMap<string, { readonly passed: number; readonly crashed: number }>;
}

export class Run {
  readonly world: World;
  readonly options: RunOptions;
  readonly cluster: SimCluster;
  readonly watch: Watch;
  readonly history: History;
  readonly #clients: SimClient[];
  readonly #nemeses: Nemesis[];
  readonly #crashes: Crashes | null;
  readonly #wipes: Wipes | null;

  /** `adjust` may change what was drawn: a test that wants one thing for certain. */
  constructor(seed: number, adjust: ((options: RunOptions) => void) | null = null) {
    this.world = new World(seed);
    this.options = drawOptions(this.world.random("options"));
    adjust?.(this.options);
    const { options } = this;
    this.cluster = new SimCluster(this.world, {
      members: options.members,
      host: {
        ...options.host,
        electionTimeoutMs: options.electionTimeoutMs,
        electionTimeoutRandomizationMs: options.electionTimeoutMs,
        heartbeatIntervalMs: options.heartbeatIntervalMs,
      },
    });
    Object.assign(this.cluster.network.options, options.network);
    this.watch = new Watch(this.cluster, { durableSample: options.durableSample });
    this.history = new History();
    this.#clients = this.#makeClients();
    this.#crashes = options.crashes === null ? null : new Crashes(this.cluster, options.crashes);
    this.#wipes = options.wipes ? new Wipes(this.cluster, { minMs: 1, maxMs: 400 }) : null;
    this.#nemeses = this.#makeNemeses();
    this.cluster.onEnd = (member, incarnation) => this.#ended(member.name, incarnation);
  }

  #makeClients(): SimClient[] {
    const workload = workloads[this.options.workload]();
    const timings = {
      thinkMinUs: 100,
      thinkMaxUs: 30_000,
      timeoutMinUs: 300_000,
      timeoutMaxUs: 4_000_000,
      replyLossChance: 0.02,
    };
    return Array.from(
      { length: this.options.clients },
      (_, id) => new SimClient(id, this.world, this.cluster, this.history, workload, timings),
    );
  }

  #makeNemeses(): Nemesis[] {
    const { partitions, pauses, slowDisks } = this.options;
    const nemeses: Nemesis[] = [];
    const pace = { pauseMinMs: 100, pauseMaxMs: 3_000 };
    if (this.#crashes !== null) nemeses.push(this.#crashes);
    if (this.#wipes !== null) nemeses.push(this.#wipes);
    if (partitions !== null) nemeses.push(new Partitions(this.cluster, { ...partitions, ...pace }));
    if (pauses !== null) {
      nemeses.push(new Pauses(this.cluster, { ...pauses, ...pace, lengthMaxMs: 4_000 }));
    }
    if (slowDisks) nemeses.push(new SlowDisks(this.cluster, { ...pace, stallMaxMs: 3_000 }));
    return nemeses;
  }

  #ended(name: string, incarnation: SimProcess): void {
    this.watch.onEnd(incarnation);
    const member = this.cluster.member(name);
    if (this.#crashes !== null) this.#crashes.ended(member);
    else this.world.after(50_000, () => !member.running && this.cluster.start(name));
  }

  run(): RunResult {
    this.#found();
    this.#safety();
    this.#liveness();
    if (this.options.finalPowerLoss) {
      this.world.note("run", "power loss of all at the end");
      this.cluster.powerLossAll();
      this.#liveness();
    }
    this.#judge();
    return this.#result();
  }

  /** Founding needs all members at once: faults have their time, then there is calm until it is done. */
  #found(): void {
    const { cluster, world } = this;
    const random = world.random("founding");
    for (const { name } of cluster.members) {
      world.after(random.below(300_000), () => {
        if (!cluster.member(name).running) cluster.start(name);
      });
    }
    for (const nemesis of this.#nemeses) nemesis.start();
    world.runFor(random.below(this.options.foundingMs));
    for (const nemesis of this.#nemeses) nemesis.stop();
    this.#settle("L0 founded");
  }

  #safety(): void {
    Object.assign(this.cluster.network.options, this.options.network);
    for (const client of this.#clients) client.start();
    for (const nemesis of this.#nemeses) {
      if (nemesis !== this.#wipes) nemesis.start();
    }
    this.world.runFor(this.options.safetyMs);
    for (const client of this.#clients) client.stop();
    for (const nemesis of this.#nemeses) nemesis.stop();
    this.world.note("run", "healed");
  }

  // ---- liveness (reliability.md §2.3) -----------------------------------------------------------

  /**
   * Heals everything and waits for a leader that all follow. A process that died with the last fault
   * starts within two seconds, a link that was stalled is given up or retried within one more, and a
   * genesis needs a few rounds. False: excused.
   */
  #settle(property: string): boolean {
    const { cluster, world } = this;
    cluster.network.heal();
    Object.assign(cluster.network.options, networkDefaults);
    const settleMs = 5_000 + 20 * this.options.electionTimeoutMs;
    const settled = world.runUntil(() => this.#hasSettled(), settleMs);
    if (!settled && this.#excused()) return false;
    demand(settled, property, () => `not after ${settleMs} ms\n${this.describe()}`);
    return true;
  }

  #liveness(): void {
    const { cluster, world } = this;
    cluster.network.heal();
    Object.assign(cluster.network.options, networkDefaults);
    const timeoutMs = this.options.electionTimeoutMs;
    // A process that died with the last fault starts within two seconds, a link that was stalled
    // is given up or retried within one more, a genesis needs a few rounds.
    const settleMs = 5_000 + 20 * timeoutMs;
    const settled = world.runUntil(() => this.#hasSettled(), settleMs);
    if (!settled && this.#excused()) return;
    demand(
      settled,
      "L1 a leader",
      () => `none that all follow after ${settleMs} ms\n${this.describe()}`,
    );
    const probe = new Probe(this.world, this.cluster, this.history);
    for (const name of this.#core()) probe.put(name);
    const probed = world.runUntil(() => probe.answered, 9_000 + 4 * timeoutMs);
    demand(
      probed && probe.succeeded,
      "L2 a write",
      () => `${probe.describe()}\n${this.describe()}`,
    );
    const equal = world.runUntil(() => this.#allEqual(), 5_000 + 30 * timeoutMs);
    demand(equal, "L3 equal state", () => this.describe());
    for (const name of this.#core()) probe.readAll(name);
    const read = world.runUntil(() => probe.answered, 6_000 + 4 * timeoutMs);
    demand(read && probe.succeeded, "L2 a read", () => `${probe.describe()}\n${this.describe()}`);
  }

  /** Members that can take part: not those that were wiped after the founding. */
  #core(): string[] {
    return this.cluster.memberNames.filter((name) => this.cluster.phase(name) !== Phase.Refused);
  }

  #hasSettled(): boolean {
    const core = this.#core();
    return (
      core.length * 2 > this.cluster.members.length &&
      core.every((name) => this.cluster.member(name).running) &&
      this.cluster.members.every((member) => !member.disk.stalled) &&
      this.cluster.settledLeader(core) !== null
    );
  }

  /** A wipe that raced with the founding may have cost a quorum: then nothing can be demanded. */
  #excused(): boolean {
    const wiped = this.cluster.members.length - this.#core().length;
    const wipes = this.#wipes?.count ?? 0;
    return wiped > 0 && wiped <= wipes && this.#core().length * 2 <= this.cluster.members.length;
  }

  #allEqual(): boolean {
    const states = this.#core().map((name) => this.cluster.member(name).host!.status());
    const first = states[0]!;
    return states.every(
      (status) =>
        status.phase === Phase.Running &&
        status.applied === first.applied &&
        status.applied === status.lastIndex &&
        status.liveDigest.low === first.liveDigest.low &&
        status.liveDigest.high === first.liveDigest.high &&
        status.applyDigest.low === first.applyDigest.low &&
        status.applyDigest.high === first.applyDigest.high,
    );
  }

  // ---- judgement --------------------------------------------------------------------------------

  #judge(): void {
    const requests = new Map<string, ClientRequest>();
    for (const { kind, bytes, request } of this.history.operations) {
      requests.set(requestKey(kind, bytes), request);
    }
    const entries = this.watch.committed.entries();
    const replay = new Replay(entries, envelopeBytes, (key) => requests.get(key) ?? null);
    checkAcknowledgedWrites(this.history, replay);
    checkLinearizability(this.history, replay);
  }

  #result(): RunResult {
    const { history, world, cluster, watch } = this;
    for (const member of cluster.members) {
      assert(member.incarnation?.failure === null, "a failure that nobody has seen");
    }
    return {
      seed: world.seed,
      options: this.options,
      virtualMs: world.nowMs,
      events: world.eventCount,
      operations: {
        ok: history.count(Outcome.Ok),
        refused: history.count(Outcome.NotCommitted),
        unknown: history.count(Outcome.Unknown) + history.count(Outcome.Pending),
      },
      leaders: watch.elections.leaderCount,
      boots: cluster.members.reduce((sum, member) => sum + member.boots, 0),
      wipes: this.#wipes?.count ?? 0,
      durabilityChecks: watch.durable.checked,
      committed: watch.committed.lastIndex,
      marks: cluster.marks,
      unseed: world.unseed(),
    };
  }

  /** One line per member. */
  describe(): string {
    const lines = this.cluster.members.map((member) => {
      const { incarnation, host, name } = member;
      if (incarnation === null) return `${name}: never started`;
      if (!incarnation.alive || host === null) {
        return `${incarnation.name}: ended ${incarnation.end} ${incarnation.reason}`;
      }
      const s = host.status();
      const role = Object.keys(Role)[s.role - 1];
      return (
        `${incarnation.name}: phase ${s.phase} ${role} term ${s.term} leader ${s.leaderMemberId} ` +
        `committed ${s.committed} applied ${s.applied} last ${s.lastIndex} durable ` +
        `${s.durableIndex} quiet ${s.quiet} missing [${s.missing.join(",")}] ${s.reason}`
      );
    });
    return lines.join("\n");
  }
}
