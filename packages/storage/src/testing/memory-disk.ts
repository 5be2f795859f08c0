// A disk in memory for storage's own tests: the page cache outlives a killed process, a power loss
// keeps, drops or tears whatever was not synced, sector by sector. Operations wait until `step`
// performs one, drawn from the seed, so that completions come in every order. Not for production,
// and not the simulator's disk: it knows no rot, no misdirection and no time.
import { assert, Prng } from "@quorate/base";
import { DiskError } from "../env.ts";
import type { Disk, DiskDone, DiskFile } from "../env.ts";

const sectorBytes = 512;
const blockBytes = 4096;

/** A file's content, apart from its name: as the process sees it, and as the medium has it. */
class Inode {
  cache: Uint8Array = new Uint8Array(0);
  durable: Uint8Array = new Uint8Array(0);
  /** Sector → number of its latest write that no sync has covered. */
  readonly dirty: Map<number, number> = new Map();

  resize(length: number): void {
    const grown = new Uint8Array(length);
    grown.set(this.cache.subarray(0, Math.min(length, this.cache.length)));
    this.cache = grown;
  }

  write(position: number, bytes: Uint8Array, stamp: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    if (end > this.cache.length) this.resize(end);
    this.cache.set(bytes, position);
    const last = Math.floor((end - 1) / sectorBytes);
    for (let s = Math.floor(position / sectorBytes); s <= last; s++) this.dirty.set(s, stamp);
  }

  /** Writes stamped up to `stamp` reach the medium. */
  sync(stamp: number): void {
    const medium = new Uint8Array(this.cache.length);
    medium.set(this.durable.subarray(0, Math.min(this.durable.length, medium.length)));
    for (const [sector, written] of this.dirty) {
      if (written > stamp) continue;
      const from = sector * sectorBytes;
      medium.set(this.cache.subarray(from, from + sectorBytes), from);
      this.dirty.delete(sector);
    }
    this.durable = medium;
  }

  losePower(prng: Prng): void {
    const length = prng.chance(0.5) ? this.cache.length : this.durable.length;
    const medium = new Uint8Array(length);
    medium.set(this.durable.subarray(0, Math.min(length, this.durable.length)));
    for (const sector of [...this.dirty.keys()].sort((a, b) => a - b)) {
      const from = sector * sectorBytes;
      const fresh = this.cache.subarray(from, Math.min(from + sectorBytes, length));
      if (from < length) tear(prng, fresh, medium.subarray(from, from + fresh.length));
    }
    this.cache = medium;
    this.durable = medium.slice();
    this.dirty.clear();
  }
}

/** One unsynced sector at a power loss: written, not written, or anything. */
function tear(prng: Prng, fresh: Uint8Array, medium: Uint8Array): void {
  const fate = prng.below(8);
  if (fate < 3) return;
  if (fate < 6) medium.set(fresh);
  else if (fate === 6) medium.set(fresh.subarray(0, prng.below(fresh.length + 1)));
  else for (let i = prng.below(medium.length); i < medium.length; i++) medium[i] = prng.below(256);
}

type Names = Map<string, Inode>;

/** A change of names that its directory's sync makes durable. */
interface NameChange {
  readonly directory: string;
  readonly stamp: number;
  apply(names: Names): void;
}

/** Submitted, not performed. A killed process leaves it done, half done or undone. */
interface Operation {
  readonly name: string;
  readonly path: string;
  perform(): DiskError | null;
  killed(): void;
  readonly done: DiskDone;
}

interface Fault {
  readonly operation: string;
  readonly pathPart: string;
  readonly code: string;
  count: number;
}

export class MemoryDisk implements Disk {
  /** Operations performed since the disk was made. */
  performed: number = 0;
  /** Bytes that may be on the disk; ENOSPC above it. */
  capacityBytes: number = Number.MAX_SAFE_INTEGER;
  #prng: Prng;
  #names: Names;
  #durableNames: Names;
  #changes: NameChange[];
  #directories: Set<string>;
  #locks: Set<string>;
  #pending: Operation[];
  #faults: Fault[];
  #held: string | null;
  /** Path → ranges that cannot be read any more. */
  readonly #spoiled: Map<string, { readonly from: number; readonly to: number }[]>;
  #stamp: number;
  /** Handles of an earlier process are dead. */
  #process: number;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#names = new Map();
    this.#durableNames = new Map();
    this.#changes = [];
    this.#directories = new Set();
    this.#locks = new Set();
    this.#pending = [];
    this.#faults = [];
    this.#held = null;
    this.#spoiled = new Map();
    this.#stamp = 0;
    this.#process = 0;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Performs one waiting operation and tells its owner; false when none waits. */
  step(): boolean {
    const held = this.#held;
    const ready = this.#pending.filter((op) => held === null || !op.path.includes(held));
    if (ready.length === 0) return false;
    const operation = ready[this.#prng.below(ready.length)]!;
    this.#pending.splice(this.#pending.indexOf(operation), 1);
    this.performed++;
    const fault = this.#fault(operation.name, operation.path);
    operation.done(fault ?? operation.perform());
    return true;
  }

  /** Operations on paths that contain it wait, whatever else goes on; null: none does. */
  hold(pathPart: string | null): void {
    this.#held = pathPart;
  }

  /** The next `count` operations of this kind on a path that contains `pathPart` fail. */
  fail(operation: string, pathPart: string, code: string, count: number = 1): void {
    this.#faults.push({ operation, pathPart, code, count });
  }

  /** `length` bytes at `position` give EIO from now on. */
  spoil(path: string, position: number, length: number = blockBytes): void {
    const ranges = this.#spoiled.get(path) ?? [];
    this.#spoiled.set(path, [...ranges, { from: position, to: position + length }]);
  }

  /** The process dies: what it had submitted is done, half done or undone; the cache stays. */
  kill(): void {
    for (const operation of this.#pending) operation.killed();
    this.#pending = [];
    this.#locks.clear();
    this.#faults = [];
    this.#process++;
  }

  powerLoss(): void {
    this.kill();
    for (const change of this.#changes) {
      if (this.#prng.chance(0.5)) change.apply(this.#durableNames);
    }
    this.#changes = [];
    const inodes = new Set([...this.#names.values(), ...this.#durableNames.values()]);
    for (const inode of inodes) inode.losePower(this.#prng);
    this.#names = new Map(this.#durableNames);
  }

  /** The bytes of a file as they are, to damage them in place or to look. */
  content(path: string): Uint8Array {
    return this.#inode(path).cache;
  }

  /** The bytes that a power loss would leave at least, if every name survived. */
  durableContent(path: string): Uint8Array {
    return this.#inode(path).durable;
  }

  /** Puts a file there, or replaces it, durably: damage from outside. */
  put(path: string, bytes: Uint8Array): void {
    const inode = new Inode();
    inode.cache = bytes.slice();
    inode.durable = bytes.slice();
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  erase(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** Something else that becomes durable in one step, as a test's manifest. */
  submit(name: string, apply: () => void, done: () => void): void {
    this.#submit({
      name,
      path: name,
      perform: () => {
        apply();
        return null;
      },
      killed: () => {
        if (this.#prng.chance(0.5)) apply();
      },
      done,
    });
  }

  listNow(directory: string): readonly string[] | null {
    if (!this.#directories.has(directory)) return null;
    const prefix = `${directory}/`;
    const inside = [...this.#names.keys()].filter((path) => path.startsWith(prefix));
    return inside.map((path) => path.slice(prefix.length)).sort();
  }

  makeDirectoryNow(directory: string): DiskError | null {
    this.#directories.add(directory);
    return null;
  }

  sizeNow(path: string): number | null {
    return this.#names.get(path)?.cache.length ?? null;
  }

  freeBytesNow(): number | null {
    return Math.max(0, this.capacityBytes - this.#usedBytes());
  }

  openNow(path: string, create: boolean): DiskFile | DiskError {
    const fault = this.#fault("open", path);
    if (fault !== null) return fault;
    const found = this.#names.get(path);
    if (create && found !== undefined) return new DiskError("EEXIST", path, "open");
    if (!create && found === undefined) return new DiskError("ENOENT", path, "open");
    const inode = found ?? new Inode();
    if (create) this.#change(directoryOf(path), (names) => void names.set(path, inode));
    return this.#file(path, inode);
  }

  lockNow(path: string): DiskError | null {
    if (this.#locks.has(path)) return new DiskError("EBUSY", path, "lock");
    this.#locks.add(path);
    return null;
  }

  rename(from: string, to: string, done: DiskDone): void {
    const move = (names: Names): void => {
      const inode = names.get(from);
      if (inode === undefined) return;
      names.delete(from);
      names.set(to, inode);
    };
    this.#nameOperation("rename", from, to, move, done);
  }

  remove(path: string, done: DiskDone): void {
    this.#nameOperation("remove", path, path, (names) => void names.delete(path), done);
  }

  syncDirectory(directory: string, done: DiskDone): void {
    const stamp = this.#stamp;
    this.#submit({
      name: "syncDirectory",
      path: directory,
      perform: () => {
        const covered = (c: NameChange): boolean => c.directory === directory && c.stamp <= stamp;
        for (const change of this.#changes.filter(covered)) change.apply(this.#durableNames);
        this.#changes = this.#changes.filter((change) => !covered(change));
        return null;
      },
      killed: () => {},
      done,
    });
  }

  #nameOperation(
    name: string,
    path: string,
    target: string,
    apply: (names: Names) => void,
    done: DiskDone,
  ): void {
    const perform = (): DiskError | null => {
      if (!this.#names.has(path)) return new DiskError("ENOENT", path, name);
      this.#change(directoryOf(target), apply);
      return null;
    };
    const killed = (): void => {
      if (this.#names.has(path) && this.#prng.chance(0.5)) perform();
    };
    this.#submit({ name, path, perform, killed, done });
  }

  #change(directory: string, apply: (names: Names) => void): void {
    apply(this.#names);
    this.#changes.push({ directory, stamp: ++this.#stamp, apply });
  }

  #submit(operation: Operation): void {
    this.#pending.push(operation);
  }

  #fault(operation: string, path: string): DiskError | null {
    const fault = this.#faults.find(
      (f) => f.count > 0 && f.operation === operation && path.includes(f.pathPart),
    );
    if (fault === undefined) return null;
    fault.count--;
    return new DiskError(fault.code, path, operation);
  }

  #isSpoiled(path: string, position: number, length: number): boolean {
    const ranges = this.#spoiled.get(path) ?? [];
    return ranges.some(({ from, to }) => from < position + length && to > position);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    assert(inode !== undefined, () => `memory disk: no file ${path}`);
    return inode;
  }

  #usedBytes(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.cache.length;
    return used;
  }

  #file(path: string, inode: Inode): DiskFile {
    const process = this.#process;
    let open = true;
    const alive = (): void => {
      assert(process === this.#process, "memory disk: a handle of a dead process");
      assert(open, () => `memory disk: ${path} is closed`);
    };
    return {
      path,
      readNow: (position, into) => {
        alive();
        if (this.#isSpoiled(path, position, into.length)) return new DiskError("EIO", path, "read");
        const part = inode.cache.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      write: (position, bytes, done) => {
        alive();
        this.#submit(this.#write(path, inode, position, bytes, done));
      },
      sync: (done) => {
        alive();
        this.#submit(this.#sync(path, inode, done));
      },
      sizeNow: () => inode.cache.length,
      truncate: (length, done) => {
        alive();
        const perform = (): null => {
          inode.resize(length);
          return null;
        };
        this.#submit({ name: "truncate", path, perform, killed: () => {}, done });
      },
      close: () => {
        alive();
        open = false;
      },
    };
  }

  #write(
    path: string,
    inode: Inode,
    position: number,
    bytes: Uint8Array,
    done: DiskDone,
  ): Operation {
    const perform = (): DiskError | null => {
      const growth = Math.max(0, position + bytes.length - inode.cache.length);
      if (growth > 0 && this.#usedBytes() + growth > this.capacityBytes) {
        return new DiskError("ENOSPC", path, "write");
      }
      inode.write(position, bytes, ++this.#stamp);
      return null;
    };
    const killed = (): void => {
      const kept = this.#prng.below(3);
      if (kept === 0) return;
      const length = kept === 1 ? bytes.length : this.#prng.below(bytes.length + 1);
      inode.write(position, bytes.subarray(0, length), ++this.#stamp);
    };
    return { name: "write", path, perform, killed, done };
  }

  /** A failed sync drops the dirt: the cache shows bytes that the medium never got (fsyncgate). */
  #sync(path: string, inode: Inode, done: DiskDone): Operation {
    const stamp = this.#stamp;
    const perform = (): null => {
      inode.sync(stamp);
      return null;
    };
    const failed: DiskDone = (error) => {
      if (error !== null) inode.dirty.clear();
      done(error);
    };
    return { name: "sync", path, perform, killed: () => {}, done: failed };
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
