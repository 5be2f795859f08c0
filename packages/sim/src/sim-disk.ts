// The disk of one simulated machine. It outlives processes: a killed process leaves the page cache
// behind, a power loss leaves what was synced and a drawn part of the rest. Operations in flight at
// a kill happen, do not happen, or happen in part. Delays, stalls, refusals and the outcome of every
// crash come from the disk's own random stream. Damage to what is durable: disk/disk-damage.ts.
import { assert } from "@quorate/base";
import { DiskError } from "@quorate/storage";
import { DiskDamage } from "./disk/disk-damage.ts";
import { DiskOperation } from "./disk/disk-operation.ts";
import { nameOf, parentOf, partsOf } from "./disk/path.ts";
import type { RecentWrites } from "./disk/recent-writes.ts";
import { DirectoryChange, SimDirectory, type SimNode } from "./disk/sim-directory.ts";
import { SimFile, UnsyncedFate } from "./disk/sim-file.ts";
import type { SimRandom } from "./sim-random.ts";
import type { SimUser } from "./sim-user.ts";
import type { World, WorldEvent } from "./world.ts";

export interface DiskTimings {
  writeMinUs: number;
  writeMaxUs: number;
  syncMinUs: number;
  syncMaxUs: number;
  /** Chance that an operation stalls the whole disk, and for how long at most. */
  stallChance: number;
  stallMaxUs: number;
}

export const diskTimingsDefault: Readonly<DiskTimings> = {
  writeMinUs: 20,
  writeMaxUs: 200,
  syncMinUs: 100,
  syncMaxUs: 4_000,
  stallChance: 0,
  stallMaxUs: 0,
};

/** Of a disk that nobody else fills. */
export const roomyBytes: number = 2 ** 40;

/** Decides that an operation fails, with this errno; null: it goes on. */
export type DiskFault = (operation: DiskOperation, path: string) => string | null;

/** What one operation does when its moment has come. */
export interface DiskEffect {
  readonly execute: () => DiskError | null;
  /** What a kill in the middle may leave behind; null: all or nothing. */
  readonly executePart: (() => void) | null;
  /** What happens when it fails by a fault; null: nothing. */
  readonly executeRefused: (() => void) | null;
}

export function wholeOrNot(execute: () => DiskError | null): DiskEffect {
  return { execute, executePart: null, executeRefused: null };
}

/** One operation between its call and its completion. */
class InFlight {
  readonly user: SimUser;
  readonly effect: DiskEffect;
  event: WorldEvent | null;

  constructor(user: SimUser, effect: DiskEffect) {
    this.user = user;
    this.effect = effect;
    this.event = null;
  }
}

/** How a disk is forked. */
interface ForkPlan {
  readonly disk: SimDisk;
  readonly kept: ReadonlySet<DirectoryChange>;
  readonly fate: UnsyncedFate;
  readonly random: SimRandom;
  readonly damaged: boolean;
}

/** The content of a directory, as an operator's copy of it. */
export type DirectoryCopy = ReadonlyMap<string, Uint8Array | DirectoryCopy>;

export class SimDisk {
  readonly name: string;
  readonly world: World;
  readonly random: SimRandom;
  readonly timings: DiskTimings;
  readonly damage: DiskDamage;
  fault: DiskFault | null;
  /** Remembers what was written lately, for writes that turn out lost or misdirected; null: off. */
  recent: RecentWrites | null;
  /** Something has been asked for and is not done yet. */
  onSubmit: ((operation: DiskOperation, path: string) => void) | null;
  /** Something was refused for lack of room. */
  onFull: (() => void) | null;
  /** A directory is about to be wiped, or (then `replaced`) to be replaced by a copy. */
  onForget: ((replaced: boolean) => void) | null;
  /** Bytes of all files together; writes beyond it answer ENOSPC. */
  capacityBytes: number;
  syncs: number;
  /** Counts whatever may have changed what a power loss would leave. */
  mediumChanges: number;
  writes: number;
  bytesWritten: number;
  readonly #root: SimDirectory;
  readonly #locks: Map<SimFile, SimUser>;
  readonly #inFlight: Set<InFlight>;
  #nodes: number;
  #changes: number;
  #usedBytes: number;
  #stalledUntilUs: number;

  constructor(world: World, random: SimRandom, name: string) {
    this.name = name;
    this.world = world;
    this.random = random;
    this.timings = { ...diskTimingsDefault };
    this.damage = new DiskDamage(this);
    this.fault = null;
    this.recent = null;
    this.onSubmit = null;
    this.onFull = null;
    this.onForget = null;
    this.capacityBytes = roomyBytes;
    this.syncs = 0;
    this.mediumChanges = 0;
    this.writes = 0;
    this.bytesWritten = 0;
    this.#nodes = 0;
    this.#root = new SimDirectory(this.#nodes++);
    this.#locks = new Map();
    this.#inFlight = new Set();
    this.#changes = 0;
    this.#usedBytes = 0;
    this.#stalledUntilUs = 0;
  }

  // ---- crashes ----------------------------------------------------------------------------------

  /** The process died; what it had asked for may still have happened. The page cache stays. */
  kill(user: SimUser): void {
    for (const operation of this.#inFlight) {
      if (operation.user !== user) continue;
      this.#inFlight.delete(operation);
      if (operation.event !== null) this.world.cancel(operation.event);
      const { execute, executePart } = operation.effect;
      const draw = this.random.below(10);
      if (draw < 4 && executePart !== null) executePart();
      else if (draw < 6) execute();
    }
    for (const [file, holder] of this.#locks) {
      if (holder === user) this.#locks.delete(file);
    }
  }

  /** All processes on it must have been killed before. */
  powerLoss(fate?: UnsyncedFate): void {
    assert(this.#inFlight.size === 0, "SimDisk.powerLoss: operations in flight, kill first");
    assert(this.#locks.size === 0, "SimDisk.powerLoss: a process still holds a lock");
    const drawn = fate ?? this.#drawFate();
    this.#settleNames(drawn);
    for (const file of this.#files()) file.powerLoss(fate ?? this.#drawFate(), this.random);
    this.#recount();
    this.mediumChanges++;
  }

  /**
   * A disk of its own in the state that a power loss now would leave; this one goes on untouched.
   * Drop gives exactly what is certainly durable. Without `damaged` it is the truth.
   */
  fork(world: World, random: SimRandom, fate: UnsyncedFate, damaged = false): SimDisk {
    const copy = new SimDisk(world, random, `${this.name}'`);
    const kept = this.#keptChanges(fate, random);
    this.#forkDirectory(this.#root, copy.#root, { disk: copy, kept, fate, random, damaged });
    copy.#recount();
    return copy;
  }

  #forkDirectory(from: SimDirectory, to: SimDirectory, plan: ForkPlan): void {
    const { disk, kept, fate, random, damaged } = plan;
    const twins = new Map<SimNode, SimNode>();
    for (const [name, node] of from.surviving(kept)) {
      let twin: SimNode;
      if (node instanceof SimFile) {
        twin = node.afterPowerLoss(disk.#nodes++, fate, random);
        if (damaged) twin.damage.copyFrom(node.damage);
      } else {
        twin = new SimDirectory(disk.#nodes++);
        this.#forkDirectory(node, twin, plan);
      }
      twins.set(node, twin);
      to.entries.set(name, twin);
    }
    to.synced = new Map(to.entries);
    if (!damaged) return;
    for (const [name, meant] of from.damage) {
      to.damage.set(name, meant === null ? null : (twins.get(meant) ?? null));
    }
  }

  #drawFate(): UnsyncedFate {
    return this.random.pick([
      UnsyncedFate.Keep,
      UnsyncedFate.Drop,
      UnsyncedFate.Prefix,
      UnsyncedFate.Mix,
      UnsyncedFate.Pages,
    ]);
  }

  #keptChanges(fate: UnsyncedFate, random: SimRandom): Set<DirectoryChange> {
    const all: DirectoryChange[] = [];
    for (const directory of this.#directories()) all.push(...directory.pending);
    all.sort((a, b) => a.number - b.number);
    const prefix = fate === UnsyncedFate.Prefix ? random.below(all.length + 1) : 0;
    const kept = new Set<DirectoryChange>();
    all.forEach((change, place) => {
      const keep =
        fate === UnsyncedFate.Keep ||
        (fate === UnsyncedFate.Prefix && place < prefix) ||
        ((fate === UnsyncedFate.Mix || fate === UnsyncedFate.Pages) && random.chance(0.5));
      if (keep) kept.add(change);
    });
    for (const change of kept) {
      if (change.node === null && change.twin !== null) kept.add(change.twin);
    }
    return kept;
  }

  #settleNames(fate: UnsyncedFate): void {
    const kept = this.#keptChanges(fate, this.random);
    for (const directory of this.#directories()) {
      directory.synced = directory.surviving(kept);
      directory.entries = new Map(directory.synced);
      directory.pending = [];
    }
    this.#changes++;
  }

  // ---- operator and faults ----------------------------------------------------------------------

  /** Removes the directory with all it holds, durably, as an operator's rm -r and sync. */
  wipe(path: string): void {
    this.#remove(path, false);
  }

  #remove(path: string, replaced: boolean): void {
    this.#assertIdle("wipe");
    const parent = this.#directoryAt(parentOf(path));
    assert(parent !== null, "SimDisk.wipe: no such directory");
    this.onForget?.(replaced);
    parent.syncUpTo(this.#changes);
    parent.entries.delete(nameOf(path));
    parent.synced.delete(nameOf(path));
    this.#changes++;
    this.#recount();
    this.mediumChanges++;
  }

  /** An operator's copy; of what processes see. */
  copyDirectory(path: string): DirectoryCopy {
    const directory = this.#directoryAt(path);
    assert(directory !== null, "SimDisk.copyDirectory: no such directory");
    return copyOf(directory);
  }

  /** Puts a copy in place of the directory, durably; those above it are made. */
  restoreDirectory(path: string, copy: DirectoryCopy): void {
    let above: SimNode = this.#root;
    for (const name of partsOf(parentOf(path))) {
      assert(above instanceof SimDirectory, "SimDisk: a file where a directory should be");
      above = above.entries.get(name) ?? this.makeDirectory(above, name);
    }
    this.#root.syncUpTo(this.#changes);
    this.#remove(path, true);
    const parent = this.#directoryAt(parentOf(path))!;
    const restored = this.#nodeOf(copy);
    parent.entries.set(nameOf(path), restored);
    parent.synced.set(nameOf(path), restored);
    this.#changes++;
    this.#recount();
    this.mediumChanges++;
  }

  /** Nothing completes before `ms` have passed. */
  stall(ms: number): void {
    const until = this.world.nowUs + Math.round(ms * 1000);
    this.#stalledUntilUs = Math.max(this.#stalledUntilUs, until);
  }

  get stalled(): boolean {
    return this.#stalledUntilUs > this.world.nowUs;
  }

  // ---- what checkers look at --------------------------------------------------------------------

  /** Paths of all files that processes see below the directory, sorted. */
  filesBelow(path: string): string[] {
    const directory = this.#directoryAt(path);
    return directory === null ? [] : pathsBelow(directory, path).sort();
  }

  cachedBytes(path: string): Uint8Array | null {
    return this.fileAt(path)?.cachedBytes() ?? null;
  }

  /** Content that survives every crash, or null when its name would not. */
  durableBytes(path: string): Uint8Array | null {
    return this.durableFileAt(path)?.syncedBytes() ?? null;
  }

  /** The range of the file would be there, unchanged, after every crash. */
  isDurable(path: string, from: number, to: number): boolean {
    return this.durableFileAt(path)?.isDurable(from, to) ?? false;
  }

  /** Whose name survives every crash; null: none. */
  durableFileAt(path: string): SimFile | null {
    let node: SimNode = this.#root;
    for (const name of partsOf(path)) {
      if (!(node instanceof SimDirectory)) return null;
      const next: SimNode | undefined = node.synced.get(name);
      // A name with an unsynced change may mean something else after a crash.
      if (next === undefined || next !== node.entries.get(name)) return null;
      node = next;
    }
    return node instanceof SimFile ? node : null;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get idle(): boolean {
    return this.#inFlight.size === 0;
  }

  // ---- for DiskView -----------------------------------------------------------------------------

  /** Completes later and takes effect at that moment. */
  submit(
    user: SimUser,
    kind: DiskOperation,
    path: string,
    effect: DiskEffect,
    done: (error: DiskError | null) => void,
  ): void {
    assert(user.alive, "SimDisk: a dead process uses the disk");
    const operation = new InFlight(user, effect);
    this.#inFlight.add(operation);
    operation.event = this.world.after(this.#delayUs(kind), () => {
      this.#inFlight.delete(operation);
      const refused = this.refusal(kind, path);
      if (refused !== null) effect.executeRefused?.();
      const error = refused ?? effect.execute();
      user.run(() => done(error));
    });
    this.onSubmit?.(kind, path);
  }

  noteSync(): void {
    this.syncs++;
    this.mediumChanges++;
  }

  refusal(kind: DiskOperation, path: string): DiskError | null {
    const code = this.fault === null ? null : this.fault(kind, path);
    return code === null ? null : new DiskError(code, path, kind);
  }

  #delayUs(kind: DiskOperation): number {
    const t = this.timings;
    const slow = kind === DiskOperation.Sync || kind === DiskOperation.SyncDirectory;
    let delayUs = slow
      ? this.random.doublings(t.syncMinUs, t.syncMaxUs)
      : this.random.doublings(t.writeMinUs, t.writeMaxUs);
    if (t.stallChance > 0 && this.random.chance(t.stallChance)) {
      this.stall(this.random.doublings(1_000, Math.max(1_000, t.stallMaxUs)) / 1000);
    }
    const stalledUs = this.#stalledUntilUs - this.world.nowUs;
    if (stalledUs > 0) delayUs += stalledUs;
    return delayUs;
  }

  /** Takes up room for a file that grows (or shrinks); false: there is none. */
  reserve(growthBytes: number): boolean {
    if (growthBytes > 0 && this.#usedBytes + growthBytes > this.capacityBytes) {
      this.onFull?.();
      return false;
    }
    this.#usedBytes += growthBytes;
    return true;
  }

  nodeAt(path: string): SimNode | null {
    let node: SimNode = this.#root;
    for (const name of partsOf(path)) {
      if (!(node instanceof SimDirectory)) return null;
      const next: SimNode | undefined = node.entries.get(name);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  /** As a process finds it: damage may hide a name, or let it mean another file. */
  shownAt(path: string): SimNode | null {
    const parent = this.nodeAt(parentOf(path));
    return parent instanceof SimDirectory ? (parent.shown(nameOf(path)) ?? null) : null;
  }

  fileAt(path: string): SimFile | null {
    const node = this.nodeAt(path);
    return node instanceof SimFile ? node : null;
  }

  createFile(directory: SimDirectory, name: string): SimFile {
    const hidden = directory.entries.get(name);
    if (hidden instanceof SimFile) this.reserve(-hidden.length);
    const file = new SimFile(this.#nodes++);
    directory.change(new DirectoryChange(++this.#changes, directory, name, file));
    return file;
  }

  makeDirectory(parent: SimDirectory, name: string): SimDirectory {
    const made = new SimDirectory(this.#nodes++);
    parent.change(new DirectoryChange(++this.#changes, parent, name, made));
    return made;
  }

  rename(from: SimDirectory, fromName: string, to: SimDirectory, toName: string): void {
    const node = from.entries.get(fromName)!;
    const replaced = to.entries.get(toName);
    const gained = new DirectoryChange(++this.#changes, to, toName, node);
    const lost = new DirectoryChange(++this.#changes, from, fromName, null);
    gained.twin = lost;
    lost.twin = gained;
    if (replaced instanceof SimFile) this.reserve(-replaced.length);
    to.change(gained);
    from.change(lost);
  }

  removeName(directory: SimDirectory, name: string): void {
    const node = directory.entries.get(name);
    if (node instanceof SimFile) this.reserve(-node.length);
    directory.change(new DirectoryChange(++this.#changes, directory, name, null));
  }

  /** What a sync of the directory issued now covers. As long as it is the same, no name has changed. */
  get newestChange(): number {
    return this.#changes;
  }

  lock(file: SimFile, user: SimUser): boolean {
    const holder = this.#locks.get(file);
    if (holder !== undefined && holder !== user) return false;
    this.#locks.set(file, user);
    return true;
  }

  // ---- the tree ---------------------------------------------------------------------------------

  #directoryAt(path: string): SimDirectory | null {
    const node = this.nodeAt(path);
    return node instanceof SimDirectory ? node : null;
  }

  #assertIdle(what: string): void {
    assert(this.#inFlight.size === 0, () => `SimDisk.${what}: operations in flight`);
    assert(this.#locks.size === 0, () => `SimDisk.${what}: a process still runs on it`);
  }

  /** Every directory that some crash could leave, once. */
  #directories(): Set<SimDirectory> {
    const found = new Set<SimDirectory>([this.#root]);
    for (const directory of found) {
      for (const node of reachable(directory)) {
        if (node instanceof SimDirectory) found.add(node);
      }
    }
    return found;
  }

  #files(): Set<SimFile> {
    const found = new Set<SimFile>();
    for (const directory of this.#directories()) {
      for (const node of reachable(directory)) {
        if (node instanceof SimFile) found.add(node);
      }
    }
    return found;
  }

  #recount(): void {
    this.#usedBytes = 0;
    for (const path of pathsBelow(this.#root, "")) this.#usedBytes += this.fileAt(path)!.length;
  }

  #nodeOf(copy: DirectoryCopy): SimDirectory {
    const directory = new SimDirectory(this.#nodes++);
    for (const [name, content] of copy) {
      if (content instanceof Uint8Array) {
        const file = new SimFile(this.#nodes++);
        file.put(content);
        directory.entries.set(name, file);
      } else {
        directory.entries.set(name, this.#nodeOf(content));
      }
    }
    directory.synced = new Map(directory.entries);
    return directory;
  }
}

function* reachable(directory: SimDirectory): Generator<SimNode> {
  yield* directory.entries.values();
  yield* directory.synced.values();
  for (const change of directory.pending) {
    if (change.node !== null) yield change.node;
  }
}

function pathsBelow(directory: SimDirectory, path: string): string[] {
  const paths: string[] = [];
  for (const [name, node] of directory.entries) {
    if (node instanceof SimFile) paths.push(`${path}/${name}`);
    else paths.push(...pathsBelow(node, `${path}/${name}`));
  }
  return paths;
}

function copyOf(directory: SimDirectory): DirectoryCopy {
  const copy = new Map<string, Uint8Array | DirectoryCopy>();
  for (const [name, node] of directory.entries) {
    copy.set(name, node instanceof SimFile ? node.cachedBytes() : copyOf(node));
  }
  return copy;
}
