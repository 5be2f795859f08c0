// One run of one seed: found a cluster under faults, load it under faults (safety), heal everything
// and demand that it serves within bounds (liveness), then judge the whole history. Throws the first
// violation; otherwise tells what happened and the run's unseed.
import { assert } from "@quorate/base";
import { Atlas } from "./atlas.ts";
import { likelyRevisions } from "./checkers/likely-revisions.ts";
import { checkBlackBox, type SearchTotals } from "./checkers/black-box.ts";
import { checkWatches } from "./checkers/watch-events.ts";
import { AuthLoad } from "./client/auth-load.ts";
import { History, Outcome } from "./client/history.ts";
import { LeaseLoad } from "./client/lease-load.ts";
import { Load } from "./client/load.ts";
import { WatchLoad } from "./client/watch-load.ts";
import { SimCluster } from "./cluster.ts";
import type { Evidence } from "./checkers/evidence.ts";
import { describeCluster } from "./describe.ts";
import type { FaultCounts } from "./fault-counts.ts";
import { judge, judgeAuth, judgeLeases } from "./judge.ts";
import { Liveness } from "./liveness.ts";
import { type ActiveFamily, makeNemeses } from "./nemesis/families.ts";
import { Operator } from "./operator.ts";
import type { RareState } from "./rare-states.ts";
import { drawOptions, type RunOptions, settleMembership } from "./run-options.ts";
import { Watch } from "./watch.ts";
import { makeWorkload } from "./workloads/workloads.ts";
import { World } from "./world.ts";

export interface RunResult {
  readonly seed: number;
  readonly options: RunOptions;
  readonly unseed: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: { readonly ok: number; readonly refused: number; readonly unknown: number };
  readonly leaders: number;
  readonly boots: number;
  readonly faults: FaultCounts;
  readonly durabilityChecks: number;
  readonly committed: number;
  readonly marks: ReadonlyMap<string, { readonly passed: number; readonly crashed: number }>;
  readonly rareStates: readonly (readonly [RareState, number])[];
  /** Revisions that watchers were told of. */
  readonly watched: number;
  /** What the search through the history went through; null: there was none. */
  readonly searched: SearchTotals | null;
}

/** Of so many seeds one is searched, whatever it draws. */
const searchEvery = 10;

export class Run {
  readonly world: World;
  readonly options: RunOptions;
  readonly cluster: SimCluster;
  readonly watch: Watch;
  readonly history: History;
  readonly liveness: Liveness;
  readonly #load: Load;
  readonly watchers: WatchLoad;
  readonly holders: LeaseLoad;
  readonly people: AuthLoad;
  readonly #families: ActiveFamily[];

  /** `adjust` may change what was drawn: a test that wants one thing for certain. */
  constructor(seed: number, adjust: ((options: RunOptions) => void) | null = null) {
    this.world = new World(seed);
    this.options = drawOptions(this.world.random("options"));
    this.options.search = seed % searchEvery === 0;
    adjust?.(this.options);
    settleMembership(this.options);
    const { options } = this;
    this.cluster = new SimCluster(this.world, {
      members: options.members + options.spares,
      founders: options.members,
      host: {
        ...options.host,
        electionTimeoutMs: options.electionTimeoutMs,
        electionTimeoutRandomizationMs: options.electionTimeoutMs,
        heartbeatIntervalMs: options.heartbeatIntervalMs,
      },
    });
    this.cluster.operator = new Operator(this.cluster);
    this.cluster.budget = new Atlas(this.cluster, options.damage);
    Object.assign(this.cluster.network.options, options.network);
    this.watch = new Watch(this.cluster, { durableSample: options.durableSample });
    this.history = new History();
    this.liveness = new Liveness(this.cluster, this.history, options.electionTimeoutMs);
    this.#load = this.#makeLoad();
    const { auth } = options;
    this.people = new AuthLoad(this.cluster, this.history, auth);
    const { credential } = this.history;
    this.watchers = new WatchLoad(
      this.cluster,
      options.watchers,
      credential,
      auth === null ? 0 : auth.watchers,
    );
    this.holders = new LeaseLoad(this.cluster, this.history, options.leaseHolders, auth !== null);
    this.#families = makeNemeses(this.cluster, options.faults);
    this.cluster.onEnd = (_, incarnation) => this.watch.onEnd(incarnation);
  }

  /** What a short run lacks in time its clients make up for. */
  #makeLoad(): Load {
    const { workload, clients, load, safetyMs } = this.options;
    const source = makeWorkload(workload, this.cluster.members[0]!.config);
    const thinkFactor = load.thinkFactor * Math.min(1, safetyMs / 60_000);
    return new Load(this.cluster, this.history, source, clients, { ...load, thinkFactor });
  }

  run(): RunResult {
    this.#found();
    this.#safety();
    if (this.options.bridge) this.liveness.demandThroughBridge(this.world.random("bridge"));
    this.liveness.demandAll();
    if (this.options.finalPowerLoss) this.#losePowerAtTheEnd();
    this.#demandLeasesGone();
    const evidence = judge(this.history, this.watch.committed, this.cluster.members[0]!.config);
    const { records } = this.watchers.history;
    judgeAuth(this.people.history, this.holders.history, records, evidence);
    this.#judgeWatchers(evidence);
    judgeLeases(this.holders.history, evidence.replay.model, this.watch.leases);
    return this.#result(
      this.options.search ? checkBlackBox(this.history, likelyRevisions(evidence)) : null,
    );
  }

  /** Founding needs all members at once: faults have their time, then there is calm until it is done. */
  #found(): void {
    const { cluster, world } = this;
    const random = world.random("founding");
    for (const name of cluster.present()) {
      world.after(random.below(300_000), () => {
        if (!cluster.member(name).running) cluster.start(name);
      });
    }
    for (const { nemesis } of this.#families) nemesis.start();
    world.runFor(random.below(this.options.foundingMs));
    for (const { nemesis } of this.#families) nemesis.stop();
    this.liveness.settle("L0 founded");
  }

  #safety(): void {
    Object.assign(this.cluster.network.options, this.options.network);
    this.cluster.changing = this.options.faults.membership !== null;
    this.#load.start();
    this.watchers.start();
    this.holders.start();
    this.people.start();
    for (const { nemesis, foundingOnly } of this.#families) {
      if (!foundingOnly) nemesis.start();
    }
    this.world.runFor(this.options.safetyMs);
    this.#load.stop();
    this.watchers.calm();
    this.holders.stop();
    this.people.stop();
    for (const { nemesis } of this.#families) nemesis.stop();
    this.world.note("run", "healed");
  }

  /** Everybody who can be demanded anything of serves now: watchers, too, must have been told all. */
  #judgeWatchers({ replay: { model } }: Evidence): void {
    const { history } = this.watchers;
    checkWatches(history.records, model);
    if (!this.liveness.served) return;
    this.watchers.demandSynced(model.revision, this.liveness.core());
    checkWatches(history.records, model);
  }

  /** Whoever stops meanwhile is left out, as before. */
  #demandLeasesGone(): void {
    while (this.liveness.served) {
      const members = this.liveness.core();
      const boots = (): number =>
        members.reduce((sum, name) => sum + this.cluster.member(name).boots, 0);
      const before = boots();
      const isServed = (): boolean =>
        boots() === before && this.liveness.core().length === members.length;
      if (this.holders.demandGone(isServed)) return;
      this.liveness.demandAll();
    }
  }

  /** All come back, and everything acknowledged is there. */
  #losePowerAtTheEnd(): void {
    const { cluster, world } = this;
    world.note("run", "power loss of all at the end");
    world.faults.count("process.power-loss-of-all");
    cluster.powerLossAll();
    for (const member of cluster.members) cluster.operator?.startLater(member);
    this.liveness.demandAll();
  }

  #result(searched: SearchTotals | null): RunResult {
    const { history, world, cluster, watch } = this;
    for (const member of cluster.members) {
      // Spare members may never have been started.
      const failure = member.incarnation?.failure ?? null;
      assert(failure === null, "a failure that nobody has seen");
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
      faults: world.faults,
      durabilityChecks: watch.durable.checked,
      committed: watch.committed.lastIndex,
      marks: cluster.marks,
      rareStates: cluster.rare.entries(),
      watched: this.watchers.history.revisions,
      searched,
      unseed: world.unseed(),
    };
  }

  /** One line per member. */
  describe(): string {
    return describeCluster(this.cluster);
  }
}
