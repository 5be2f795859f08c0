// A member of a cluster that was recovered without it learns so at its own address, although it dials
// nobody (reliability.md §4.4): only from whoever knows its genesis, for 30 days, and it never forgets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Announced, Announcement, isSurvivor, readSurvivor } from "@quorate/host";
import { Announcer } from "@quorate/host/internal";
import { ExitCode } from "@quorate/storage";
import { directoryOf } from "../src/cluster-options.ts";
import { SimCluster } from "../src/cluster.ts";
import { DiskView } from "../src/disk/disk-view.ts";
import { SimProcess } from "../src/sim-env.ts";
import { SimDisk } from "../src/sim-disk.ts";
import { World } from "../src/world.ts";

const address = "m0:2380";
const tickMs = 10;
const dayMs = 86_400_000;

class Stage {
  readonly world: World;
  readonly cluster: SimCluster;
  readonly herald: SimProcess;
  readonly clusterId: string;
  readonly genesisId: number;

  constructor(seed: number, wallMs: number) {
    const world = new World(seed);
    this.world = world;
    this.cluster = new SimCluster(world, { members: 1, host: {} });
    this.cluster.start("m0");
    world.runUntil(() => this.cluster.leader() !== null, 10_000);
    const { disk } = this.cluster.member("m0");
    const user = { name: "onlooker", alive: true, run: (task: () => void) => task() };
    const read = readSurvivor(new DiskView(disk, user), directoryOf("m0"), directoryOf("m0"));
    assert.ok(isSurvivor(read));
    this.clusterId = read.clusterId;
    this.genesisId = read.genesisId;
    this.cluster.network.addMachine("herald", []);
    const parts = {
      world,
      network: this.cluster.network,
      disk: new SimDisk(world, world.random("disk"), "herald"),
      clock: { monotonicMs: () => world.nowMs, wallMs: () => wallMs + world.nowMs },
      random: world.random("herald"),
      machine: "herald",
    };
    const nothing = (): void => undefined;
    const hooks = { crashPlan: null, onMark: nothing, onEnd: nothing };
    this.herald = new SimProcess("herald", parts, hooks);
  }

  announcer(memberUrls: readonly string[]): Announcer {
    const announcer = new Announcer(this.herald, tickMs);
    const { clusterId, genesisId } = this;
    const old = { clusterId, genesisId, planId: "p", atMs: 0, addresses: [address] };
    announcer.set("00000000000000ff", [old], memberUrls);
    return announcer;
  }

  /** So many seconds of ticks; true: the member has ended. */
  hasEnded(announcer: Announcer, seconds: number): boolean {
    for (let tick = 0; tick < (seconds * 1000) / tickMs; tick++) {
      this.herald.run(() => announcer.tick(1));
      this.world.runFor(tickMs);
    }
    return !this.cluster.member("m0").running;
  }
}

test("it is told at its address, ends with 74, and its next start ends with 74 by itself", () => {
  const stage = new Stage(1, 29 * dayMs);
  assert.ok(stage.hasEnded(stage.announcer([]), 5));
  const member = stage.cluster.member("m0");
  assert.equal(member.incarnation?.exitCode, ExitCode.Superseded);
  assert.match(member.incarnation.reason, /goes on as 00000000000000ff, by plan p/);
  stage.cluster.start("m0");
  stage.world.runFor(1_000);
  assert.equal(member.incarnation.exitCode, ExitCode.Superseded);
  assert.match(member.incarnation.reason, /is superseded: cluster .* by plan p; it is kept/);
});

test("where a member of the new cluster lives, and after 30 days, nobody is dialled", () => {
  const inhabited = new Stage(2, 0);
  assert.equal(inhabited.hasEnded(inhabited.announcer([`http://${address}`]), 40), false);
  const late = new Stage(3, 31 * dayMs);
  assert.equal(late.hasEnded(late.announcer([]), 40), false);
});

test("who does not know the genesis is not believed", () => {
  const stage = new Stage(4, 0);
  const answers: string[] = [];
  const { clusterId, genesisId } = stage;
  for (const notice of [
    { clusterId, genesisId: genesisId + 1 },
    { clusterId: "00000000000000ee", genesisId },
  ]) {
    stage.herald.run(() => {
      const all = { ...notice, newClusterId: "00000000000000ff", planId: "p" };
      new Announcement(stage.herald, address, all, (what) => answers.push(what));
    });
    stage.world.runFor(1_000);
  }
  assert.deepEqual(answers, [Announced.Other, Announced.Other]);
  assert.ok(stage.cluster.member("m0").running);
});
