// The budget of damage: how many members, when, which damage, and which ends it explains.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode } from "@quorate/storage";
import { Atlas } from "./atlas.ts";
import { SimCluster } from "./cluster.ts";
import { directoryOf } from "./cluster-options.ts";
import type { DamageMode } from "./damage/disk-budget.ts";
import type { SimMember } from "./sim-member.ts";
import { World } from "./world.ts";

interface Bench {
  readonly cluster: SimCluster;
  readonly atlas: Atlas;
}

function bench(mode: DamageMode, members: number): Bench {
  const cluster = new SimCluster(new World(1), { members, host: {} });
  return { cluster, atlas: new Atlas(cluster, mode) };
}

function founded(mode: DamageMode, members: number): Bench {
  const made = bench(mode, members);
  made.cluster.startAll();
  const { world, memberNames } = made.cluster;
  assert.ok(world.runUntil(() => made.cluster.settledLeader(memberNames) !== null, 20_000));
  world.runFor(1_000);
  return made;
}

/** One copy of the identity: the other one says the same. */
function rotIdentity({ disk, name }: SimMember): void {
  disk.damage.rot(`${directoryOf(name)}/IDENTITY-1`, 4, Uint8Array.of(0xff, 0xff, 0xff));
}

function damaged({ cluster, atlas }: Bench): number {
  return cluster.members.filter((member) => atlas.damage(member, () => rotIdentity(member))).length;
}

test("at most f members of n, none of one, and none before all have a log", () => {
  assert.equal(damaged(founded("atlas", 1)), 0);
  assert.equal(damaged(founded("atlas", 3)), 1);
  assert.equal(damaged(founded("atlas", 5)), 2);
  assert.equal(damaged(founded("none", 3)), 0);
  assert.equal(damaged(founded("beyond", 3)), 3);
  assert.equal(damaged(bench("beyond", 3)), 0);
});

test("a member that is damaged already may be damaged more; mended, its place is free again", () => {
  const { cluster, atlas } = founded("atlas", 3);
  const [one, two] = cluster.members as [SimMember, SimMember];
  assert.ok(atlas.damage(one, () => rotIdentity(one)));
  assert.ok(atlas.damage(one, () => one.disk.damage.hide(`${directoryOf("m0")}/IDENTITY-2`)));
  assert.ok(!atlas.damage(two, () => rotIdentity(two)));
  one.disk.damage.mend(directoryOf("m0"));
  assert.ok(atlas.damage(two, () => rotIdentity(two)));
  assert.ok(!atlas.lose(one));
});

test("what no start could notice is not done, and nothing of it is left", () => {
  const { cluster, atlas } = founded("beyond", 3);
  const [member] = cluster.members as [SimMember];
  const { disk } = member;
  const log = `${directoryOf("m0")}/wal-0000000000000001.log`;
  const end = disk.durableBytes(log)!.length;
  const zeros = new Uint8Array(end - 4096);
  assert.ok(atlas.damage(member, () => disk.damage.rot(log, 4096, zeros)));
  disk.damage.mend(directoryOf("m0"));
  // With the second copy of what is durable nothing is left that speaks of the log.
  const all = (): void => {
    disk.damage.rot(log, 4096, zeros);
    disk.damage.hide(`${directoryOf("m0")}/wal-durable`);
  };
  assert.ok(!atlas.damage(member, all));
  assert.deepEqual(disk.damage.alive(directoryOf("m0")), []);
});

test("directories are lost within f even beyond the atlas, and are not damaged any more", () => {
  const { cluster, atlas } = founded("beyond", 3);
  const [one, two] = cluster.members as [SimMember, SimMember];
  assert.ok(atlas.lose(one));
  assert.ok(!atlas.lose(two));
  assert.ok(!atlas.damage(one, () => rotIdentity(one)));
  assert.ok(atlas.damage(two, () => rotIdentity(two)));
});

test("damage explains 72 and 75, a failed operation 71 and 64, of that member and boot only", () => {
  const { cluster, atlas } = founded("atlas", 3);
  const [one, two] = cluster.members as [SimMember, SimMember];
  const explained = (member: SimMember): ExitCode[] =>
    Object.values(ExitCode).filter((code) => atlas.explains(member, code));
  assert.deepEqual(explained(one), []);
  assert.ok(atlas.damage(one, () => rotIdentity(one)));
  atlas.blame(two);
  const { WriteFailed, Damaged, Foreign, Usage } = ExitCode;
  assert.deepEqual(explained(one), [WriteFailed, Damaged, Foreign]);
  assert.deepEqual(explained(two), [Usage, WriteFailed]);
  for (const { name } of [one, two]) {
    cluster.kill(name);
    cluster.start(name);
  }
  cluster.world.runFor(1_000);
  // The start has healed the copy.
  assert.deepEqual([...explained(one), ...explained(two)], []);
});
