// The atlas of allowed damage (reliability.md §1.6): which members may be damaged now, so that the
// rest of the cluster still has to answer for everything. The budget counts members that are damaged,
// down for good, or without their promises: wiped, rolled back or set aside, until they vote again under
// another raft id (P3). At most f at a time; it gives back whose damage has gone with the file it was
// in. Until the other classes are repaired, their members stop and stay down. Crash faults, failed
// operations and full disks need no budget.
import { isJoint, type NodeId } from "@quorate/raft";
import { ExitCode } from "@quorate/storage";
import type { SimCluster } from "./cluster.ts";
import { directoryOf } from "./cluster-options.ts";
import type { DamageMode, DiskBudget } from "./damage/disk-budget.ts";
import { hasLog, isNoticed } from "./damage/noticed.ts";
import { raftIdOn } from "./durable/durable-reading.ts";
import type { SimMember } from "./sim-member.ts";

export class Atlas implements DiskBudget {
  readonly mode: DamageMode;
  readonly #cluster: SimCluster;
  /** Members that do not know what they have promised → under which raft id that was. */
  readonly #lost: Map<string, NodeId>;
  /** Member → the boot that damage, and that a failing operation, was there in. */
  readonly #damagedIn: Map<string, number>;
  readonly #blamedIn: Map<string, number>;
  #founded: boolean;

  constructor(cluster: SimCluster, mode: DamageMode) {
    this.mode = mode;
    this.#cluster = cluster;
    this.#lost = new Map();
    this.#damagedIn = new Map();
    this.#blamedIn = new Map();
    this.#founded = false;
  }

  /** f: so many can be down and the others go on. */
  get membersMax(): number {
    return Math.floor((this.#cluster.members.length - 1) / 2);
  }

  /** Members that do not count any more, or may find out that they do not. */
  affected(): Set<string> {
    this.#giveBack();
    const names = new Set(this.#lost.keys());
    for (const { name, disk } of this.#cluster.members) {
      const down = this.#cluster.operator?.leftAlone.has(name) === true;
      if (down || disk.damage.alive(directoryOf(name)).length > 0) names.add(name);
    }
    return names;
  }

  damage(member: SimMember, act: () => void): boolean {
    const { name, disk } = member;
    const directory = directoryOf(name);
    if (!this.#admits(name, this.mode === "beyond") || this.#lost.has(name)) return false;
    const before = disk.damage.alive(directory).length;
    const undo = disk.damage.remember(directory);
    act();
    const noticed = isNoticed(disk, directory);
    if (!noticed) undo();
    if (!noticed || (before === 0 && disk.damage.alive(directory).length === 0)) return false;
    this.#damagedIn.set(name, member.boots);
    return true;
  }

  lose(member: SimMember): boolean {
    // Enough lost directories make a second history, and nobody can tell (P1).
    if (!this.#admits(member.name, false)) return false;
    this.setAside(member);
    return true;
  }

  setAside(member: SimMember): void {
    this.#lost.set(member.name, raftIdOn(member.disk, member.config));
  }

  /** Whoever votes under another raft id than the one that it has lost is as good as any other. */
  #giveBack(): void {
    const conf = this.#cluster.leader()?.host?.status().confState ?? null;
    if (conf === null || isJoint(conf)) return;
    for (const [name, lost] of this.#lost) {
      const { host, running } = this.#cluster.member(name);
      const raftId = running ? (host?.status().raftId ?? 0) : 0;
      const votes = raftId !== 0 && raftId !== lost && conf.voters.includes(raftId);
      if (votes) this.#lost.delete(name);
    }
  }

  #admits(name: string, anyNumber: boolean): boolean {
    // A single member has nobody to be replaced by, and founding needs all.
    if (this.mode === "none" || this.membersMax === 0 || !this.#isFounded()) return false;
    const affected = this.affected();
    return anyNumber || affected.has(name) || affected.size < this.membersMax;
  }

  #isFounded(): boolean {
    this.#founded ||= this.#cluster.members.every(({ name, disk }) =>
      hasLog(disk, directoryOf(name)),
    );
    return this.#founded;
  }

  blame(member: SimMember): void {
    this.#blamedIn.set(member.name, member.boots);
  }

  explains(member: SimMember, exitCode: ExitCode): boolean {
    const { name, disk, boots } = member;
    const damaged =
      this.#lost.has(name) ||
      this.#damagedIn.get(name) === boots ||
      disk.damage.alive(directoryOf(name)).length > 0;
    switch (exitCode) {
      case ExitCode.Damaged:
      case ExitCode.Foreign:
        return damaged;
      // A running process may meet damage as an operation that fails.
      case ExitCode.WriteFailed:
        return damaged || this.#blamedIn.get(name) === boots;
      case ExitCode.Usage:
        return this.#blamedIn.get(name) === boots;
      default:
        return false;
    }
  }
}
