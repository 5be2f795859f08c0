// What must happen after the heal point (reliability.md §2.3): everything is mended, and then within
// bounds there is a leader that all follow, a write commits, all states are equal, and reads are
// answered everywhere. Members that take no part (stopped by damage, an older copy of their directory)
// are left out; one whose disk was wiped comes back, if those with a disk are a quorum (P3); one that
// finds damage only now stops now, and then the others have their time anew.
// Without a quorum of the others nothing can be demanded.
import { Phase } from "@quorate/host";
import type { HashKvTask, KvError } from "@quorate/kv";
import { isVoter, ProgressKind } from "@quorate/raft";
import { allStream, checkTermGrowth } from "./checkers/no-livelock.ts";
import { isQuorum } from "./checkers/quorum.ts";
import { demand } from "./checkers/violation.ts";
import type { History } from "./client/history.ts";
import { Probe } from "./client/probe.ts";
import type { SimCluster } from "./cluster.ts";
import { describeCluster } from "./describe.ts";
import { PartitionShape, pairsOf } from "./nemesis/partition-shapes.ts";
import { networkDefaults } from "./network/network-options.ts";
import type { SimRandom } from "./sim-random.ts";

/** Between two looks at all members: a look costs more than an event. */
const lookEveryUs = 5_000;

export class Liveness {
  readonly #cluster: SimCluster;
  readonly #history: History;
  readonly #timeoutMs: number;
  /**
   * Starts of the members that something is demanded of; null: they may start yet. Whoever finds damage
   * ends, and mends itself in its next start: what it was asked before is answered by nobody.
   */
  #boots: number | null;
  /** The last demand was met, not excused. */
  served: boolean;

  constructor(cluster: SimCluster, history: History, electionTimeoutMs: number) {
    this.#cluster = cluster;
    this.#history = history;
    this.#timeoutMs = electionTimeoutMs;
    this.#boots = null;
    this.served = false;
  }

  heal(): void {
    const { network } = this.#cluster;
    network.mend();
    Object.assign(network.options, networkDefaults);
  }

  /**
   * Heals everything and waits for a leader that all follow. A process that died with the last fault
   * starts within two seconds, a link that was stalled is given up or retried within one more, and a
   * genesis needs a few rounds. False: excused.
   */
  settle(property: string): boolean {
    this.#boots = null;
    this.heal();
    const settleMs = 5_000 + 20 * this.#timeoutMs;
    const settled = this.#becomes(() => this.#hasSettled(), settleMs);
    if (!settled && this.#excused()) return false;
    demand(settled, property, () => `not after ${settleMs} ms\n${this.#describe()}`);
    return true;
  }

  /**
   * L8: all run, and reach each other only through one of them. With that one, one side or the other
   * is a quorum, so there is a leader that it follows, and its writes commit.
   */
  demandThroughBridge(random: SimRandom): void {
    const { network, world, members, memberNames, changing } = this.#cluster;
    // A bridge of a learner is none.
    if (changing || members.length < 3 || !this.#allVote()) return;
    this.#boots = null;
    this.heal();
    const names = random.shuffle([...memberNames]);
    const bridge = names[0]!;
    world.note("liveness", "bridge", { bridge });
    world.faults.count("network.cut-bridge");
    for (const [from, to] of pairsOf(PartitionShape.Bridge, names, random)) {
      network.cutOneWay(from, to);
      network.cutOneWay(to, from);
    }
    const property = "L8 liveness through a bridge";
    const probe = new Probe(world, this.#cluster, this.#history);
    const led = (): boolean =>
      members.every(({ running, disk }) => running && !disk.stalled) && this.#isLed(bridge);
    if (this.#comes(names, led, 5_000 + 20 * this.#timeoutMs, property)) {
      probe.put(bridge);
      const succeeded = (): boolean => probe.answered && probe.succeeded;
      this.#comes(names, succeeded, 9_000 + 4 * this.#timeoutMs, property);
    }
    probe.giveUp();
    network.heal();
  }

  /** One that rejoins may be a learner yet. */
  #allVote(): boolean {
    const { members } = this.#cluster;
    const conf = this.#cluster.leader()?.host?.status().confState;
    const voters = conf?.voters ?? [];
    const vote = members.every(({ host }) => voters.includes(host?.status().raftId ?? 0));
    return vote && this.core().length === members.length;
  }

  #isLed(name: string): boolean {
    const status = this.#cluster.member(name).host?.status();
    return status !== undefined && status.phase === Phase.Running && status.leaderMemberId !== "";
  }

  /** L1 a leader, L2 writes and reads at every member, L3 equal states, L5 no livelock. */
  demandAll(): void {
    this.served = false;
    for (;;) {
      if (!this.settle("L1 a leader")) return;
      const members = this.core();
      if (this.#demandOf(members)) {
        this.served = true;
        return;
      }
      this.#cluster.world.note("liveness", "a member stopped meanwhile", {
        left: this.core().length,
      });
    }
  }

  /** False: not all of them take part any more. */
  #demandOf(members: readonly string[]): boolean {
    this.#boots = this.#bootsOf(members);
    const term = this.#termMax(members);
    const probe = new Probe(this.#cluster.world, this.#cluster, this.#history);
    const answered = (): boolean => probe.answered;
    const detail = (): string => `${probe.describe()}\n${this.#describe()}`;
    for (const name of members) probe.put(name);
    const served =
      this.#comes(members, answered, 9_000 + 4 * this.#timeoutMs, "L2 a write", detail) &&
      this.#comes(members, () => probe.succeeded, 0, "L2 a write", detail) &&
      this.#comes(
        members,
        () => this.#allEqual(members),
        5_000 + 30 * this.#timeoutMs,
        "L3 equal state",
      );
    if (served) {
      for (const name of members) probe.readAll(name, this.#cluster.member(name).host!.status());
    }
    const read =
      served &&
      this.#comes(members, answered, 6_000 + 4 * this.#timeoutMs, "L2 a read", detail) &&
      this.#comes(members, () => probe.succeeded, 0, "L2 a read", detail);
    probe.giveUp();
    if (!read || !this.#comes(members, () => this.#allStream(members), 10_000, "L5 no livelock")) {
      return false;
    }
    checkTermGrowth(term, this.#termMax(members));
    return this.#hashesAgree(members);
  }

  /** What etcd's HashKV says of the rows is the same everywhere; they are read from the disks for it. */
  #hashesAgree(members: readonly string[]): boolean {
    const hashes = new Map<string, string>();
    for (const name of members) {
      const { incarnation, host } = this.#cluster.member(name);
      incarnation!.run(() => {
        host!.hashKv(0, (result) => hashes.set(name, hashText(result)));
      });
    }
    const property = "HashKV is equal";
    if (!this.#comes(members, () => hashes.size === members.length, 5_000, property)) return false;
    const texts = [...hashes].map(([name, text]) => `${name}: ${text}`).join("; ");
    const hashed = [...hashes.values()].every((text) => !text.startsWith("error"));
    demand(hashed && new Set(hashes.values()).size === 1, property, () => texts);
    return true;
  }

  /** False: it did not come in time, and not all of the members take part any more. */
  #comes(
    members: readonly string[],
    condition: () => boolean,
    withinMs: number,
    property: string,
    detail: () => string = () => this.#describe(),
  ): boolean {
    const complete = (): boolean =>
      this.core().length === members.length &&
      (this.#boots === null || this.#boots === this.#bootsOf(members));
    const came = this.#becomes(() => condition() || !complete(), withinMs);
    if (!complete()) return false;
    demand(came, property, detail);
    return true;
  }

  #bootsOf(members: readonly string[]): number {
    return members.reduce((sum, name) => sum + this.#cluster.member(name).boots, 0);
  }

  /** Members that can take part. */
  core(): string[] {
    const { operator } = this.#cluster;
    return this.#cluster
      .present()
      .filter(
        (name) =>
          this.#cluster.phase(name) !== Phase.Refused && operator?.leftAlone.has(name) !== true,
      );
  }

  #memberCount(): number {
    return this.#cluster.present().length;
  }

  #termMax(members: readonly string[]): number {
    const terms = members.map((name) => this.#cluster.member(name).host?.status().term ?? 0);
    return Math.max(...terms);
  }

  #allStream(members: readonly string[]): boolean {
    const leader = this.#cluster.leader();
    const raft = leader?.host?.inside()?.raft;
    if (raft === undefined) return false;
    const ids = members.map((name) => this.#cluster.member(name).host?.status().raftId ?? 0);
    const followers = raft.status().progress.map(({ id, kind }) => ({
      raftId: id,
      streams: kind === ProgressKind.Replicate,
    }));
    return allStream(raft.core.id, ids, followers);
  }

  #hasSettled(): boolean {
    const core = this.core();
    return (
      core.length * 2 > this.#memberCount() &&
      core.every((name) => this.#cluster.member(name).running) &&
      this.#cluster.members.every((member) => !member.disk.stalled) &&
      this.#cluster.settledLeader(core) !== null
    );
  }

  #becomes(condition: () => boolean, withinMs: number): boolean {
    const { world } = this.#cluster;
    let nextUs = 0;
    const look = (): boolean => {
      if (world.nowUs < nextUs) return false;
      nextUs = world.nowUs + lookEveryUs;
      return condition();
    };
    return world.runUntil(look, withinMs) || condition();
  }

  /** Faults that no protocol mends have cost a quorum. */
  #excused(): boolean {
    if (this.#nobodyMayLead()) return true;
    const { faults } = this.#cluster.world;
    const wiped = faults.of("process.wipe") + faults.of("disk.wiped") + this.#cluster.setAsides;
    if (wiped > 0 && this.#tooManyDisksLost()) return true;
    const lost = this.#memberCount() - this.core().length;
    const stopped = this.#cluster.operator?.leftAlone.size ?? 0;
    const mayBeLost = wiped + stopped;
    return lost > 0 && lost <= mayBeLost && this.core().length * 2 <= this.#memberCount();
  }

  /**
   * Somebody takes no part, and of the others damage has taken so much that nobody may be elected: whoever
   * could lead lacks what a quorum's promises speak of, and nobody here has that (§3.10). Where somebody
   * has it, the hole must be filled. Beyond the atlas it may come to all of them, and a guest, whose
   * directory is lost, takes no part there.
   */
  #nobodyMayLead(): boolean {
    const count = this.#memberCount();
    const cores = this.core().map((name) => this.#cluster.member(name).host?.inside()?.raft.core);
    if (cores.includes(undefined)) return false;
    const all = cores
      .flatMap((core) => core ?? [])
      .filter(({ conf, id }) => !this.#isBeyond || isVoter(conf, id));
    if ((all.length === count && !this.#isBeyond) || all.length * 2 <= count) return false;
    if (all.every(({ log, stateLost }) => log.promised === null && !stateLost)) return false;
    const isMendable = all.some(({ log: { promised } }) => {
      if (promised === null) return false;
      const { index, term } = promised;
      return all.some(({ log }) => log.tail.termAt(index) === term);
    });
    const mayLead = all.some(({ log, stateLost }) => {
      if (log.promised !== null || stateLost) return false;
      const votes = all.filter((voter) => voter.log.isUpToDate(log.lastIndex, log.lastTerm));
      return votes.length * 2 > count;
    });
    return !isMendable && !mayLead;
  }

  get #isBeyond(): boolean {
    return this.#cluster.budget?.mode === "beyond";
  }

  /**
   * By what any running member has applied: no quorum is left under the raft ids that it names. Beyond the
   * atlas by the newest of them: a directory that was put back may name a quorum of long ago.
   */
  #tooManyDisksLost(): boolean {
    const core = new Set(this.core());
    const running = this.#cluster.members.filter(
      ({ name, running: runs }) => runs && core.has(name),
    );
    const ids = new Set(running.map(({ host }) => host?.status().raftId ?? 0));
    const statuses = running.map(({ host }) => host?.status() ?? null);
    const appliedMax = Math.max(...statuses.map((status) => status?.applied ?? 0));
    return statuses
      .filter((status) => !this.#isBeyond || status?.applied === appliedMax)
      .every((status) => {
        const conf = status?.confState ?? null;
        return conf === null || !isQuorum(conf, (id) => ids.has(id));
      });
  }

  #allEqual(members: readonly string[]): boolean {
    const states = members.map((name) => this.#cluster.member(name).host?.status() ?? null);
    const first = states[0]!;
    return states.every(
      (status) =>
        status !== null &&
        first !== null &&
        status.phase === Phase.Running &&
        status.applied === first.applied &&
        status.applied === status.lastIndex &&
        status.liveDigest.low === first.liveDigest.low &&
        status.liveDigest.high === first.liveDigest.high &&
        status.applyDigest.low === first.applyDigest.low &&
        status.applyDigest.high === first.applyDigest.high,
    );
  }

  #describe(): string {
    return describeCluster(this.#cluster);
  }
}

function hashText(result: HashKvTask | KvError): string {
  if (typeof result === "number") return `error ${result}`;
  const { hash, hashRevision, compactRevision } = result;
  return `${hash} at ${hashRevision}, compacted at ${compactRevision}`;
}
