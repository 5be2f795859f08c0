// Whether a start can notice damage (isNoticed), against the product itself: what is called noticed, a
// start either refuses, or it finds everything as it was, but for entries of which it says that they
// are lost; what is not, some start takes for a clean end
// and comes up with less. One cluster makes the disks, then thousands of damages go over them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readU32 } from "@quorate/base";
import { ExitCode } from "@quorate/storage";
import { SimCluster } from "../cluster.ts";
import { directoryOf } from "../cluster-options.ts";
import { History } from "../client/history.ts";
import { SimClient } from "../client/sim-client.ts";
import { SimDirectory } from "../disk/sim-directory.ts";
import { RecentWrites } from "../disk/recent-writes.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import { durableImage } from "../durable-image.ts";
import { breakOne } from "../nemesis/broken-files.ts";
import { hitOne } from "../nemesis/rot.ts";
import type { SimMember } from "../sim-member.ts";
import { makeWorkload } from "../workloads/workloads.ts";
import { World } from "../world.ts";
import { damageMarks } from "./damage-marks.ts";
import { isNoticed, segmentsOf } from "./noticed.ts";

/** A member that has written for a while, with several segments and, in most, checkpoints. */
function usedMember(seed: number): SimMember {
  const world = new World(seed);
  const checkpointIntervalMs = seed % 4 === 0 ? 60_000 : 400;
  const cluster = new SimCluster(world, { members: 1, host: { checkpointIntervalMs } });
  const timings = {
    depth: 1,
    moveChance: 0,
    thinkMinUs: 100,
    thinkMaxUs: 5_000,
    timeoutMinUs: 1_000_000,
    timeoutMaxUs: 1_000_001,
    replyLossChance: 0,
  };
  const load = makeWorkload("unique-puts", cluster.members[0]!.config);
  const client = new SimClient(1, world, cluster, new History(), load, timings);
  cluster.members[0]!.disk.recent = new RecentWrites();
  cluster.startAll();
  client.start();
  world.runFor(world.random("length").between(2_000, 6_000));
  // Half of them have come to rest: the log ends with a seal then.
  client.stop();
  if (seed % 2 === 0) world.runFor(500);
  cluster.kill("m0");
  return cluster.members[0]!;
}

interface Start {
  /** Null: it starts. */
  readonly exitCode: ExitCode | null;
  readonly state: string;
  /** What of it no lost entry may take. */
  readonly promise: string;
  readonly missing: number;
  readonly lastIndex: number;
  readonly checkpointIndex: number;
  /** Of the last five entries; null: lost. */
  readonly terms: readonly (number | null)[];
  readonly marks: readonly string[];
}

function startOf(member: SimMember, damaged: boolean): Start {
  const image = durableImage(member.disk, member.config, UnsyncedFate.Drop, 1, damaged);
  const { log: view, exitCode, raftId, marks } = image;
  const terms = Array.from({ length: 5 }, (_, back) => view.termAt(view.lastIndex - back));
  const { term, vote, checkpointIndex, lastIndex, missing } = view;
  return {
    exitCode,
    marks,
    missing,
    lastIndex,
    checkpointIndex,
    terms,
    promise: [raftId, term, vote, checkpointIndex, lastIndex].join(" "),
    state: [raftId, term, vote, checkpointIndex, lastIndex, ...terms].join(" "),
  };
}

/** The records of the last batch of entries: behind it stands a seal, when the member has come to rest. */
function hitLastWrite({ name, disk }: SimMember): string {
  const directory = disk.nodeAt(directoryOf(name));
  assert.ok(directory instanceof SimDirectory);
  const places = segmentsOf(directory).flatMap(({ name: segment, file, batches }) => {
    const entriesIn = (from: number): number => readU32(file.syncedBytes(), from + 64);
    const path = `${directoryOf(name)}/${segment}`;
    return batches.flatMap(({ from }) => (entriesIn(from) > 0 ? [{ path, from }] : []));
  });
  const { path, from } = places.at(-1)!;
  disk.damage.rot(path, from + 256, new Uint8Array(64));
  return "disk.rot";
}

/** The entry so far below the end is lost, and said to be, or it is in the checkpoint. */
function mayLack({ terms, missing, lastIndex, checkpointIndex }: Start, back: number): boolean {
  return terms[back] === null && (missing > 0 || lastIndex - back < checkpointIndex);
}

test("what a start can notice, it refuses or heals; what it cannot, it takes for less", (t) => {
  const rows = new Set<string>();
  const outcomes = { refused: 0, lacking: 0, whole: 0, unnoticed: 0, less: 0 };
  for (let seed = 1; seed <= 12; seed++) {
    const member = usedMember(seed);
    const { disk, name } = member;
    const random = new World(seed).random("damage");
    const before = startOf(member, true);
    assert.equal(before.exitCode, null);
    for (let round = 0; round < 60; round++) {
      const kind =
        round === 0
          ? hitLastWrite(member)
          : random.chance(0.7)
            ? hitOne(random, member, true)
            : breakOne(random, member);
      if (kind === null) continue;
      const noticed = isNoticed(disk, directoryOf(name));
      const after = startOf(member, true);
      for (const mark of after.marks) if (damageMarks.includes(mark)) rows.add(mark);
      const where = `seed ${seed}, round ${round}, ${kind}: ${after.exitCode} ${after.state}`;
      if (!noticed) {
        outcomes.unnoticed++;
        if (after.exitCode === null && after.state !== before.state) outcomes.less++;
      } else if (after.exitCode === null) {
        assert.equal(after.promise, before.promise, where);
        assert.ok(after.terms.every((term, at) => term === before.terms[at] || mayLack(after, at)));
        if (after.missing > 0) outcomes.lacking++;
        else outcomes.whole++;
      } else {
        assert.ok(
          after.exitCode === ExitCode.Damaged || after.exitCode === ExitCode.Foreign,
          where,
        );
        outcomes.refused++;
      }
      if (random.chance(0.7)) disk.damage.mend(directoryOf(name));
    }
  }
  t.diagnostic(`${JSON.stringify(outcomes)} ${[...rows].sort().join(" ")}`);
  const missing = damageMarks.filter((mark) => mark.startsWith("wal.") && !rows.has(mark));
  assert.deepEqual(missing, [], "rows of §3.3 that no damage leads to");
  for (const [what, count] of Object.entries(outcomes)) assert.ok(count >= 2, `${what}: ${count}`);
});
