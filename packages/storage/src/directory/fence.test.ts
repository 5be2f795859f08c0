// A tombstone is written durably, twice as well as once, can be taken away, and only where the judge lets
// it; what is refused stays as it was. Over the simulator's disk.
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert";
import test from "node:test";
import { EndKind, SimDisk, SimNetwork, SimProcess, UnsyncedFate, World } from "@quorate/sim";
import type { DataDirectory, Refusal } from "../storage-api.ts";
import { fenceDirectory } from "./fence.ts";
import { openDirectory } from "./open-directory.ts";
import { type DirectoryOwner, ownerNow } from "./owner.ts";

const path = "/var/lib/m1";
const words = "cluster c1 lost its quorum and goes on as c2";

class Machine {
  readonly world: World;
  readonly disk: SimDisk;
  readonly #network: SimNetwork;
  #processes: number;

  constructor(seed: number) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "m1");
    this.#network = new SimNetwork(this.world, this.world.random("network"));
    this.#network.addMachine("m1", []);
    this.#processes = 0;
  }

  /** In a process of its own, dead afterwards. */
  do<Result>(task: (process: SimProcess, done: (result: Result) => void) => void): Result {
    const name = `p${++this.#processes}`;
    const { world, disk } = this;
    const clock = { monotonicMs: () => world.nowMs, wallMs: () => world.nowMs };
    const nothing = (): void => undefined;
    const process = new SimProcess(
      name,
      { world, network: this.#network, disk, clock, random: world.random(name), machine: "m1" },
      { crashPlan: null, onMark: nothing, onEnd: nothing },
    );
    const results: Result[] = [];
    process.run(() => task(process, (result) => results.push(result)));
    world.runUntil(() => results.length > 0, 60_000);
    equal(process.failure, null);
    process.kill(EndKind.Killed, "done");
    return results[0]!;
  }

  open(): DataDirectory | Refusal {
    const options = {
      directory: path,
      walDirectory: null,
      clusterId: "00000000000000c1",
      memberId: "00000000000000a1",
      levelMax: 1,
    };
    return this.do((process, done) => {
      openDirectory(process, options, (outcome) => done(outcome.ok ? outcome.directory : outcome));
    });
  }

  fence(text: string, judge: (owner: DirectoryOwner) => string | null = () => null) {
    return this.do<Refusal | null>((process, done) => {
      fenceDirectory(process, path, text, judge, done);
    });
  }

  owner(): DirectoryOwner {
    return this.do<DirectoryOwner | null>((process, done) => done(ownerNow(process, path)))!;
  }
}

test("a start on a fenced directory ends with 74 and says why, also after a power loss", () => {
  const machine = new Machine(1);
  machine.open();
  const { bootCount } = machine.owner();
  equal(machine.fence(words), null);
  equal(machine.fence(words), null);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  const refused = machine.open();
  ok("ok" in refused);
  equal(refused.exitCode, 74);
  match(refused.reason, /is superseded: cluster c1 lost its quorum and goes on as c2; it is kept/);
  deepEqual(machine.owner().bootCount, bootCount, "no start was counted");
  equal(machine.fence(""), null);
  ok(!("ok" in machine.open()), "taken away, it can be opened again");
});

test("what the judge refuses, what is no directory of a member, and what is in use stays as it is", () => {
  const machine = new Machine(2);
  match(machine.fence(words)!.reason, /there is no such directory/);
  machine.open();
  const before = machine.disk.copyDirectory(path);
  const refused = machine.fence(words, ({ memberId }) => `it belongs to ${memberId}`);
  deepEqual([refused!.exitCode, refused!.reason], [64, `${path}: it belongs to 00000000000000a1`]);
  deepEqual(machine.disk.copyDirectory(path), before);
  const inUse = machine.do<Refusal | null>((process, done) => {
    equal(process.disk.lockNow(`${path}/LOCK`), null);
    done(machine.fence(words));
  });
  equal(inUse!.exitCode, 75);
});
