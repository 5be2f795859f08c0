// A recovery from end to end in a world of its own: what a power loss would leave of each member now is
// copied there, a plan is made and carried out, the survivors are started, and then the members that were
// given up, with what they had. What the plan said is held against what had been committed and what
// clients had heard; what the survivors hold, against the naive twin.
import assert from "node:assert/strict";
import { latin1Decode, latin1Encode } from "@quorate/base";
import { isSurvivor, planRecovery, readSurvivor, writeMembers } from "@quorate/host";
import type { RecoveryPlan, Survivor } from "@quorate/host";
import { decodeRangeResponse, type KeyValue, RangeRequest } from "@quorate/kv";
import { ExitCode, mayRunRaft, ownerNow } from "@quorate/storage";
import { History } from "../../src/client/history.ts";
import { directoryOf } from "../../src/cluster-options.ts";
import { SimCluster } from "../../src/cluster.ts";
import { describeCluster } from "../../src/describe.ts";
import { DiskView } from "../../src/disk/disk-view.ts";
import { UnsyncedFate } from "../../src/disk/sim-file.ts";
import { Liveness } from "../../src/liveness.ts";
import { kvText } from "../../src/model/canonical.ts";
import { liveKeyOf } from "../../src/model/reply-text.ts";
import type { Run } from "../../src/run.ts";
import { type DirectoryCopy, SimDisk } from "../../src/sim-disk.ts";
import { EndKind, SimProcess } from "../../src/sim-env.ts";
import type { SimMember } from "../../src/sim-member.ts";
import type { SimRandom } from "../../src/sim-random.ts";
import type { SimUser } from "../../src/sim-user.ts";
import { planned } from "../../src/workloads/workload.ts";
import { World } from "../../src/world.ts";
import { keptState, type Truth } from "./truth.ts";

export const revisionBump = 1_000_000_000;
/** Of virtual time: an old member dials at once, or is dialled within half a minute. */
const toldMsMax = 90_000;
const workshop = "workshop";

const onlooker: SimUser = { name: "onlooker", alive: true, run: (task) => task() };
const everything = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") };

export interface TrialEnd {
  readonly plan: RecoveryPlan;
  readonly truth: Truth;
  /** Writing was cut off by a crash, and done again. */
  readonly repeated: boolean;
  /** Members that were given up, started again, and ended with 74. */
  readonly told: number;
}

/** A string: why no plan is made. */
export class Trial {
  readonly #run: Run;
  readonly #random: SimRandom;
  readonly #world: World;
  readonly #cluster: SimCluster;
  /** Where the directories of the survivors are brought together. */
  readonly #workshop: SimDisk;
  /** What each machine is left with. */
  readonly #left: ReadonlyMap<string, DirectoryCopy>;
  readonly #survivors: readonly Survivor[];
  /** Member → its machine, by where its directory was: one added anew is another member. */
  readonly #names: Map<string, string>;
  readonly #history: History;

  /** Of so many members at most something is left; the others are given up. */
  constructor(run: Run, seed: number, survivorsMax: number) {
    this.#run = run;
    this.#world = new World(seed);
    this.#random = this.#world.random("trial");
    this.#cluster = new SimCluster(this.#world, run.cluster.options);
    this.#history = new History();
    // Where authentication is on, nobody reads everything but root.
    this.#history.credential = run.history.credential;
    this.#workshop = new SimDisk(this.#world, this.#world.random(workshop), workshop);
    this.#cluster.network.addMachine(workshop, []);
    makeData(this.#workshop);
    this.#left = this.#losePower();
    this.#names = new Map();
    this.#survivors = this.#random
      .shuffle([...this.#left.keys()])
      .slice(0, this.#random.between(1, survivorsMax))
      .flatMap((name) => this.#bring(name));
  }

  /** The machines' directories as a power loss now leaves them; the run goes on untouched. */
  #losePower(): Map<string, DirectoryCopy> {
    const left = new Map<string, DirectoryCopy>();
    for (const { name, disk } of this.#run.cluster.members) {
      const fate = this.#random.pick(Object.values(UnsyncedFate));
      const fork = disk.fork(this.#world, this.#world.random(`disk of ${name}`), fate, true);
      if (fork.nodeAt(directoryOf(name)) === null) continue;
      left.set(name, fork.copyDirectory(directoryOf(name)));
    }
    return left;
  }

  #bring(name: string): Survivor[] {
    this.#workshop.restoreDirectory(directoryOf(name), this.#left.get(name)!);
    const view = new DiskView(this.#workshop, onlooker);
    const read = readSurvivor(view, directoryOf(name), directoryOf(name));
    if (isSurvivor(read)) {
      this.#names.set(read.memberId, name);
      return [read];
    }
    assert.notEqual(read.reason, "", name);
    return [];
  }

  plan(): RecoveryPlan | string {
    const left = new Set(this.#survivors.map(({ memberId }) => memberId));
    const known = new Set(this.#survivors.flatMap(({ membership }) => membership.members));
    const dead = [...known].map(({ memberId }) => memberId).filter((id) => !left.has(id));
    const plan = planRecovery(this.#survivors, dead);
    return plan.ok ? plan : plan.reason;
  }

  /** Throws where something is not as the plan said, or the new cluster is none. */
  carryOut(plan: RecoveryPlan): TrialEnd {
    const truth = keptState(this.#run, plan);
    const repeated = this.#write(plan);
    const names = plan.survivors.map(({ memberId }) => this.#nameOf(memberId));
    this.#cluster.absent.clear();
    for (const { name } of this.#cluster.members) {
      if (!names.includes(name)) this.#cluster.absent.add(name);
    }
    for (const name of names) this.#startWith(name, this.#new(name));
    const { electionTimeoutMs } = this.#run.options;
    const liveness = new Liveness(this.#cluster, this.#history, electionTimeoutMs);
    liveness.demandAll();
    for (const name of names) this.#compare(name, truth);
    const told = this.#startOld(names, plan);
    liveness.demandAll();
    this.#startAgain(names);
    return { plan, truth, repeated, told };
  }

  #nameOf(memberId: string): string {
    const name = this.#names.get(memberId);
    assert.ok(name !== undefined, `no machine of member ${memberId}`);
    return name;
  }

  // ---- apply ---------------------------------------------------------------------------------------

  /** All new directories, in the workshop; true: a crash came in between. */
  #write(plan: RecoveryPlan): boolean {
    const crashAfterUs = this.#random.chance(0.3) ? this.#random.doublings(10, 30_000) : null;
    if (crashAfterUs !== null && !this.#writeOnce(plan, 1, crashAfterUs)) {
      for (const { memberId } of plan.survivors) {
        const path = newDirectoryOf(this.#nameOf(memberId));
        if (this.#workshop.nodeAt(path) !== null) this.#workshop.wipe(path);
      }
      assert.ok(this.#writeOnce(plan, 2, null), "the new directories are written");
      return true;
    }
    if (crashAfterUs === null) assert.ok(this.#writeOnce(plan, 1, null), "they are written");
    return false;
  }

  /** False: it was killed before it was done. */
  #writeOnce(plan: RecoveryPlan, attempt: number, crashAfterUs: number | null): boolean {
    const world = this.#world;
    const { network, members } = this.#cluster;
    const disk = this.#workshop;
    const random = world.random(`apply ${attempt}`);
    const { clock } = members[0]!;
    const parts = { world, network, disk, clock, random, machine: workshop };
    const process = new SimProcess(`apply ${attempt}`, parts, {
      crashPlan: null,
      onMark: () => undefined,
      onEnd: () => undefined,
    });
    let isDone = false;
    process.run(() => {
      const recovery = {
        plan,
        planId: "0123456789ab",
        clusterId: "00000000c10057ed",
        revisions: revisionBump,
        directories: plan.survivors.map((survivor) => ({
          survivor,
          directory: newDirectoryOf(this.#nameOf(survivor.memberId)),
          walDirectory: null,
        })),
      };
      writeMembers(process, recovery, (refusal) => {
        assert.equal(refusal, null, refusal?.reason);
        isDone = true;
      });
    });
    if (crashAfterUs !== null) {
      world.after(crashAfterUs, () => process.kill(EndKind.Killed, "kill -9"));
    }
    world.runUntil(() => isDone || !process.alive, 600_000);
    assert.equal(process.failure, null, process.failure?.stack);
    if (process.alive) process.kill(EndKind.Killed, "done");
    return isDone;
  }

  #new(name: string): DirectoryCopy {
    return this.#workshop.copyDirectory(newDirectoryOf(name));
  }

  #startWith(name: string, directory: DirectoryCopy): void {
    const member = this.#cluster.member(name);
    const { config } = this.#run.cluster.member(name);
    makeData(member.disk);
    member.disk.restoreDirectory(directoryOf(name), directory);
    member.config = config;
    this.#cluster.start(name);
  }

  // ---- what the survivors hold ---------------------------------------------------------------------

  #compare(name: string, truth: Truth): void {
    const found = this.#readAll(name).filter(({ key }) => !isPassing(latin1Decode(key)));
    const texts = found.map((kv) => kvText(liveKeyOf(kv)));
    assert.deepEqual(
      texts,
      truth.live.filter((text) => !isPassing(text)),
      name,
    );
    const { revision, compactRevision } = this.#cluster.member(name).host!.status();
    const bumped = truth.revision + revisionBump;
    assert.ok(revision >= bumped && compactRevision >= bumped, `${name}: ${revision}, ${bumped}`);
  }

  #readAll(name: string): readonly KeyValue[] {
    const operation = this.#history.call(1, name, planned(new RangeRequest(everything)));
    let answer: Uint8Array | null = null;
    this.#cluster.request(name, operation, {
      reply: (bytes) => (answer = bytes),
      fail: ({ code }) => assert.fail(`${name}: a read failed with ${code}`),
    });
    assert.ok(
      this.#world.runUntil(() => answer !== null, 30_000),
      `${name}: no answer`,
    );
    return decodeRangeResponse(answer!)!.kvs;
  }

  // ---- who was given up ----------------------------------------------------------------------------

  /** All of them at once: they may be a quorum of what was. How many ended with 74. */
  #startOld(survivors: readonly string[], { dead }: RecoveryPlan): number {
    const old = [...this.#left].filter(([name]) => !survivors.includes(name));
    for (const [name, directory] of old) this.#startWith(name, directory);
    const members = old.map(([name]) => this.#cluster.member(name));
    // Who was removed before, and does not know it, knows perhaps none of the survivors, nor they it.
    // Who never took part (a wiped machine whose member was added anew) asks to join, and is told nothing.
    const isKnown = ({ name, config }: SimMember): boolean =>
      dead.some(({ memberId }) => memberId === config.memberId) && this.#tookPart(name);
    const ended = (): boolean => members.every((one) => !one.running || !isKnown(one));
    const inTime = this.#world.runUntil(ended, toldMsMax);
    const codes = members.map(({ name, incarnation }) => `${name} ${incarnation?.exitCode}`);
    assert.ok(inTime, `${codes.join(", ")}\n${describeCluster(this.#cluster)}`);
    return members.filter(({ name, incarnation, running, host }) => {
      if (running) {
        assert.ok(host?.inside()?.raft.isLeader() !== true, `${name} leads all by itself`);
        incarnation?.kill(EndKind.Killed, "it never ends");
        return false;
      }
      assert.equal(incarnation?.failure ?? null, null, incarnation?.failure?.stack);
      const isTold = incarnation?.exitCode === ExitCode.Superseded;
      // Damage that this start came upon; nothing of it is heard either.
      const isDamaged = incarnation?.exitCode === ExitCode.Damaged;
      assert.ok(
        isTold || isDamaged,
        `${name} ended with ${incarnation?.exitCode}: ${incarnation?.reason}`,
      );
      return isTold;
    }).length;
  }

  #tookPart(name: string): boolean {
    const view = new DiskView(this.#cluster.member(name).disk, onlooker);
    const owner = ownerNow({ disk: view }, directoryOf(name));
    return owner !== null && mayRunRaft(owner.genesisState);
  }

  /** With nobody to tell them: they have written it down. */
  #startAgain(survivors: readonly string[]): void {
    for (const name of survivors) this.#cluster.kill(name);
    for (const name of this.#left.keys()) {
      const member = this.#cluster.member(name);
      if (survivors.includes(name)) continue;
      if (member.incarnation?.exitCode !== ExitCode.Superseded) continue;
      if (!this.#tookPart(name)) continue;
      this.#cluster.start(name);
      assert.ok(
        this.#world.runUntil(() => !member.running, 5_000),
        `${name} runs again`,
      );
      assert.equal(member.incarnation?.exitCode, ExitCode.Superseded, member.incarnation?.reason);
    }
  }
}

function newDirectoryOf(name: string): string {
  return `${directoryOf(name)}.recovered`;
}

function makeData(disk: SimDisk): void {
  new DiskView(disk, onlooker).makeDirectoryNow("/data");
}

/** Put by this trial itself, or ends with its lease, which begins anew with the recovery. */
function isPassing(key: string): boolean {
  return key.startsWith("probe/") || key.startsWith("lease/");
}
