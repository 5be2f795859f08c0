// Asking for a state: from whom, how often, and ever more seldom after transfers that came to nothing.
// Method: ticks by hand.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { RaftApi } from "@quorate/raft";
import { StateRepair } from "./state-repair.ts";

class Bench {
  receiving = false;
  leader = 2;
  gaveUp = 0;
  readonly #asks: number[] = [];
  readonly repair: StateRepair;
  tick = 0;

  constructor(reason: string) {
    const silent = (): void => undefined;
    this.repair = new StateRepair(
      {
        raft: {
          leader: () => this.leader,
          isLeader: () => this.leader === 1,
          stateLost: silent,
        } as unknown as RaftApi,
        peers: { askState: () => this.#asks.push(this.tick) },
        trace: { debug: silent, info: silent, warn: silent, error: silent, mark: silent },
        askTicks: 10,
        askTicksMax: 35,
        applied: () => 7,
        isReceiving: () => this.receiving,
        mayGive: () => true,
        fence: silent,
        giveUp: () => (this.gaveUp += 1),
        handOver: (done) => done(),
      },
      reason,
    );
  }

  /** Ticks at which it asked, from now on. */
  run(ticks: number): number[] {
    for (let n = 0; n < ticks; n++) {
      this.tick++;
      this.repair.tick(1);
    }
    return this.#asks.splice(0);
  }

  receiveFor(ticks: number): void {
    this.receiving = true;
    this.run(ticks);
    this.receiving = false;
  }
}

test("asks the leader at once and again and again, and not while a snapshot is on its way in", () => {
  const bench = new Bench("damaged");
  deepEqual(bench.run(25), [1, 11, 21]);
  bench.leader = 0;
  deepEqual(bench.run(20), []);
  bench.leader = 1;
  deepEqual(bench.run(20), []);
  bench.leader = 3;
  bench.receiving = true;
  deepEqual(bench.run(50), []);
});

test("waits longer after every transfer in vain, up to a bound, and begins anew when one is installed", () => {
  const bench = new Bench("damaged");
  bench.run(1);
  const waits: number[] = [];
  for (let n = 0; n < 3; n++) {
    bench.receiveFor(5);
    const from = bench.tick;
    waits.push(bench.run(40)[0]! - from);
  }
  deepEqual(waits, [20, 35, 35]);
  bench.receiveFor(5);
  bench.repair.installed();
  bench.repair.scanned();
  bench.repair.lose("damaged again");
  deepEqual(bench.run(11), [bench.tick - 10, bench.tick]);
});

test("a state that is found damaged three times in a row is not asked for any more", () => {
  const bench = new Bench("damaged");
  for (let n = 0; n < 3; n++) {
    bench.repair.installed();
    bench.repair.lose("damaged again");
  }
  deepEqual([bench.gaveUp, bench.run(100)], [1, []]);
});
