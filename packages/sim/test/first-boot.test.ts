// A directory that one process made and another one came to use is durable before the second speaks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DataDirectory, openDirectory } from "@quorate/storage";
import { UnsyncedFate } from "../src/disk/sim-file.ts";
import { SimClock } from "../src/sim-clock.ts";
import { SimDisk } from "../src/sim-disk.ts";
import { EndKind, SimProcess } from "../src/sim-env.ts";
import { SimNetwork } from "../src/sim-network.ts";
import { World } from "../src/world.ts";

const options = {
  directory: "/srv/quorate/m0",
  walDirectory: null,
  clusterId: "00000000000000aa",
  memberId: "00000000000000bb",
  levelMax: 1,
};

test("kill at every event of the first open, open again, lose power: the raft id is still there", () => {
  let kills = 0;
  for (let events = 0; events < 40; events++) {
    const world = new World(events);
    const network = new SimNetwork(world, world.random("network"));
    network.addMachine("m0", ["m0:1"]);
    const disk = new SimDisk(world, world.random("disk"), "m0");
    const boot = (name: string): { incarnation: SimProcess; opened: DataDirectory[] } => {
      const parts = {
        world,
        network,
        disk,
        clock: new SimClock(world, 0, 0, 0),
        random: world.random(name),
        machine: "m0",
      };
      const hooks = { crashPlan: null, onMark: () => {}, onEnd: () => {} };
      const incarnation = new SimProcess(name, parts, hooks);
      const opened: DataDirectory[] = [];
      incarnation.run(() =>
        openDirectory(incarnation, options, (outcome) => {
          assert.ok(outcome.ok, outcome.ok ? "" : outcome.reason);
          opened.push(outcome.directory);
        }),
      );
      return { incarnation, opened };
    };
    const first = boot("first");
    for (let i = 0; i < events; i++) world.step();
    if (first.opened.length === 0) kills++;
    first.incarnation.kill(EndKind.Killed, "test");
    const second = boot("second");
    assert.ok(world.runUntil(() => second.opened.length === 1, 10_000));
    second.incarnation.kill(EndKind.PowerLost, "test");
    disk.powerLoss(UnsyncedFate.Drop);
    const third = boot("third");
    assert.ok(world.runUntil(() => third.opened.length === 1, 10_000));
    assert.equal(
      third.opened[0]!.raftId,
      second.opened[0]!.raftId,
      `killed after ${events} events`,
    );
  }
  assert.ok(kills > 3, `${kills} kills before the first open had ended`);
});
