// The load of a run: clients over one workload, and what the workload does besides. Nothing about it
// is fixed for long: how eager each client is, how much it does at once, how patient it is, is drawn
// anew all the time (a simulator whose parameters stand still at the start of a run is blind to what
// their change brings out).
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Workload } from "../workloads/workload.ts";
import type { World } from "../world.ts";
import type { History } from "./history.ts";
import { type ClientTimings, depthMax, SimClient } from "./sim-client.ts";

export interface LoadOptions {
  /** How eager all are: think times are multiplied by it. */
  thinkFactor: number;
  /** Operations at once for a client that is in a hurry; at most `depthMax`. */
  depthMax: number;
  /** When about so many operations have had an effect or an answer, all take their time. */
  operationsEager: number;
}

const second = 1_000_000;
/** How long a client stays in one mood. */
const moodMinUs = 50_000;
const moodMaxUs = 4 * second;
/** By so much longer they think then. */
const leisure = 8;
/** How often the number of operations is looked at. */
const countUs = 200_000;

export class Load {
  readonly #world: World;
  readonly #cluster: SimCluster;
  readonly #history: History;
  readonly #workload: Workload;
  readonly #options: LoadOptions;
  readonly #random: SimRandom;
  readonly #clients: SimClient[];
  #acts: number;
  /** A history of thousands of operations shows hardly more, and costs as much as many runs. */
  #leisurely: boolean;
  #stopped: boolean;

  constructor(
    cluster: SimCluster,
    history: History,
    workload: Workload,
    clients: number,
    options: LoadOptions,
  ) {
    const { world } = cluster;
    this.#world = world;
    this.#cluster = cluster;
    this.#history = history;
    this.#workload = workload;
    this.#options = options;
    this.#random = world.random("load");
    this.#acts = 0;
    this.#leisurely = false;
    this.#stopped = false;
    this.#clients = Array.from({ length: clients }, (_, id) => {
      const timings = drawMood(this.#random, options);
      return new SimClient(id, world, cluster, history, workload, timings);
    });
  }

  start(): void {
    for (const client of this.#clients) {
      client.start();
      this.#changeMoods(client, this.#random.fork(`moods of client ${client.id}`));
    }
    if (this.#workload.background !== null) this.#nextAct(this.#random.fork("background"));
    this.#countOperations();
  }

  /** What is in flight still gets its answer or its timeout. */
  stop(): void {
    this.#stopped = true;
    for (const client of this.#clients) client.stop();
  }

  #changeMoods(client: SimClient, random: SimRandom): void {
    this.#world.after(random.doublings(moodMinUs, moodMaxUs), () => {
      if (this.#stopped) return;
      Object.assign(client.timings, drawMood(random, this.#present()));
      this.#changeMoods(client, random);
    });
  }

  #present(): LoadOptions {
    const { thinkFactor } = this.#options;
    if (!this.#leisurely) return this.#options;
    return { ...this.#options, thinkFactor: thinkFactor * leisure, depthMax: 1 };
  }

  #nextAct(random: SimRandom): void {
    const { paceMinMs, paceMaxMs } = this.#workload.background!;
    this.#world.after(random.between(paceMinMs, paceMaxMs) * 1000, () => {
      if (this.#stopped) return;
      const { actions, nowUs } = this.#world;
      const own = random.fork(`act ${this.#acts++}`);
      if (actions.admit(nowUs, "workload")) this.#workload.background!.act(this.#cluster, own);
      this.#nextAct(random);
    });
  }

  #countOperations(): void {
    this.#world.after(countUs, () => {
      if (this.#stopped) return;
      this.#leisurely = this.#history.effective >= this.#options.operationsEager;
      if (!this.#leisurely) this.#countOperations();
    });
  }
}

/** Mostly steady, sometimes in a hurry, sometimes slow. */
function drawMood(random: SimRandom, options: LoadOptions): ClientTimings {
  const pace = random.pick(["hurry", "steady", "steady", "steady", "slow"] as const);
  const { thinkMinUs, thinkMaxUs } = paces[pace];
  const thinkOf = (us: number): number => Math.max(50, Math.round(us * options.thinkFactor));
  return {
    depth: pace === "hurry" ? random.between(1, options.depthMax) : 1,
    thinkMinUs: thinkOf(thinkMinUs),
    thinkMaxUs: thinkOf(thinkMaxUs),
    timeoutMinUs: 200_000,
    timeoutMaxUs: random.pick([400_000, second, 4 * second]),
    replyLossChance: random.pick([0, 0, 0.02, 0.1]),
    moveChance: random.pick([0, 0.05, 0.1, 0.5]),
  };
}

const paces = {
  hurry: { thinkMinUs: 100, thinkMaxUs: 60_000 },
  steady: { thinkMinUs: 5_000, thinkMaxUs: 400_000 },
  slow: { thinkMinUs: 100_000, thinkMaxUs: 2 * second },
} as const;

export function drawLoad(random: SimRandom): LoadOptions {
  return {
    thinkFactor: random.pick([0.5, 1, 1, 2]),
    depthMax,
    operationsEager: 1_000,
  };
}
