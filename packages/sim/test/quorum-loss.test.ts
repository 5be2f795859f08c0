// What a recovery plan says about losses is true (reliability.md §4.3): at a random moment of a run under
// faults all members lose their power, and so many disks are gone that no quorum is left. The plan for
// the others is held against what was committed, as the checkers have seen it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSurvivor, planRecovery, readSurvivor } from "@quorate/host";
import type { RecoveryPlan, Survivor } from "@quorate/host";
import { DiskView } from "../src/disk/disk-view.ts";
import { UnsyncedFate } from "../src/disk/sim-file.ts";
import { Run } from "../src/run.ts";
import type { SimMember } from "../src/sim-member.ts";
import type { SimRandom } from "../src/sim-random.ts";
import type { SimUser } from "../src/sim-user.ts";
import { World } from "../src/world.ts";

const onlooker: SimUser = { name: "onlooker", alive: true, run: (task) => task() };
const safetyMs = 10_000;

interface Seen {
  plans: number;
  /** Something that was committed was not in the plan's log, as it said. */
  lost: number;
  /** The plan could promise everything. */
  certain: number;
}

/** What a power loss now would leave of its directory; null: nothing to recover from. */
function survivorOf({ disk, config, name }: SimMember, random: SimRandom): Survivor | null {
  const world = new World(random.below(2 ** 31));
  const copy = disk.fork(world, world.random("disk"), random.pick(Object.values(UnsyncedFate)));
  const read = readSurvivor(new DiskView(copy, onlooker), config.directory, config.directory);
  if (isSurvivor(read)) return read;
  assert.ok(read.reason !== "", name);
  return null;
}

function look(run: Run, random: SimRandom, seen: Seen): void {
  const { members } = run.cluster;
  const order = random.shuffle([...members]);
  const survivors = order
    .slice(0, random.between(1, Math.floor(run.options.members / 2)))
    .flatMap((member) => survivorOf(member, random) ?? []);
  const left = new Set(survivors.map(({ memberId }) => memberId));
  const known = new Set(survivors.flatMap(({ membership }) => membership.members));
  const plan = planRecovery(
    survivors,
    [...known].map(({ memberId }) => memberId).filter((id) => !left.has(id)),
  );
  if (!plan.ok) {
    const expected =
      survivors.length === 0
        ? /no data directory/
        : /a quorum is left|no such member|none of the cluster/;
    assert.match(plan.reason, expected);
    return;
  }
  judge(run, plan, seen);
}

/** Every committed entry is in the winner's log, but for those of which the plan says that it may not be. */
function judge({ watch, world }: Run, plan: RecoveryPlan, seen: Seen): void {
  const { winner, mayLose, survivors } = plan;
  const held = new Map(winner.entries.map(({ index, term }) => [index, term]));
  const certain = Math.max(...survivors.map(({ commit }) => commit));
  let lost = 0;
  for (const { index, term } of watch.committed.entries()) {
    if (index <= (winner.checkpoint?.index ?? 0) || held.get(index) === term) continue;
    lost += 1;
    const isExcused =
      term > winner.lastTerm || (term === winner.lastTerm && index > winner.lastIndex);
    assert.ok(
      mayLose && isExcused && index > certain,
      `seed ${world.seed} at ${world.nowMs} ms: committed entry ${index} of term ${term} is not kept: ` +
        plan.statements.join(" "),
    );
  }
  seen.plans += 1;
  if (lost > 0) seen.lost += 1;
  if (!mayLose) seen.certain += 1;
}

test("what a plan says about losses is true, and losses do happen", (t) => {
  const seen: Seen = { plans: 0, lost: 0, certain: 0 };
  for (let seed = 0; seed < 9; seed++) {
    const run = new Run(seed, (options) => {
      options.members = [3, 4, 5][seed % 3]!;
      options.safetyMs = safetyMs;
      options.finalPowerLoss = false;
    });
    const random = run.world.random("quorum loss");
    for (let looks = 0; looks < 6; looks++) {
      run.world.after(random.between(1_000, safetyMs) * 1000, () => look(run, random, seen));
    }
    run.run();
  }
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.plans > 30, `${seen.plans} plans`);
  assert.ok(seen.lost > 0, "a plan that is never wrong about a loss was never tried");
  assert.ok(seen.certain > 0, "four members, two of them left");
});
