// The Disk interface for one simulated process over its machine's disk. It also polices the
// contract: bytes must not change before `done`, a file is not closed with operations in flight,
// nothing is used after close. Completions never come inside the call.
import { assert, equalBytes } from "@quorate/base";
import { type Disk, type DiskDone, DiskError, type DiskFile } from "@quorate/storage";
import type { SimUser } from "../sim-user.ts";
import { type DiskEffect, type SimDisk, wholeOrNot } from "../sim-disk.ts";
import { DiskOperation } from "./disk-operation.ts";
import { nameOf, parentOf, partsOf } from "./path.ts";
import { SimDirectory, type SimNode } from "./sim-directory.ts";
import { SimFile } from "./sim-file.ts";
import { sectorBytes } from "./torn-write.ts";

export class DiskView implements Disk {
  readonly #disk: SimDisk;
  readonly #user: SimUser;

  constructor(disk: SimDisk, user: SimUser) {
    this.#disk = disk;
    this.#user = user;
  }

  listNow(directory: string): readonly string[] | null {
    const node = this.#disk.nodeAt(directory);
    return node instanceof SimDirectory ? node.shownNames().sort(compareBytewise) : null;
  }

  makeDirectoryNow(directory: string): DiskError | null {
    const refused = this.#disk.refusal(DiskOperation.Open, directory);
    if (refused !== null) return refused;
    let at = this.#disk.nodeAt("") as SimDirectory;
    for (const name of partsOf(directory)) {
      const next: SimNode = at.entries.get(name) ?? this.#disk.makeDirectory(at, name);
      if (!(next instanceof SimDirectory)) return new DiskError("EEXIST", directory, "mkdir");
      at = next;
    }
    return null;
  }

  sizeNow(path: string): number | null {
    const node = this.#disk.shownAt(path);
    return node instanceof SimFile ? node.shownLength : null;
  }

  freeBytesNow(path: string): number | null {
    if (this.#disk.nodeAt(path) === null) return null;
    return Math.max(0, this.#disk.capacityBytes - this.#disk.usedBytes);
  }

  openNow(path: string, create: boolean): DiskFile | DiskError {
    assert(this.#user.alive, "DiskView.openNow: the process is dead");
    const refused = this.#disk.refusal(DiskOperation.Open, path);
    if (refused !== null) return refused;
    const parent = this.#disk.nodeAt(parentOf(path));
    if (!(parent instanceof SimDirectory)) return new DiskError("ENOENT", path, "open");
    const found = parent.shown(nameOf(path)) ?? null;
    if (found instanceof SimDirectory) return new DiskError("EISDIR", path, "open");
    if (create && found !== null) return new DiskError("EEXIST", path, "open");
    if (!create && found === null) return new DiskError("ENOENT", path, "open");
    const file = found ?? this.#disk.createFile(parent, nameOf(path));
    return new FileView(this.#disk, this.#user, path, file);
  }

  lockNow(path: string): DiskError | null {
    const parent = this.#disk.nodeAt(parentOf(path));
    if (!(parent instanceof SimDirectory)) return new DiskError("ENOENT", path, "lock");
    const file = parent.entries.get(nameOf(path)) ?? this.#disk.createFile(parent, nameOf(path));
    if (!(file instanceof SimFile)) return new DiskError("EISDIR", path, "lock");
    return this.#disk.lock(file, this.#user) ? null : new DiskError("EBUSY", path, "lock");
  }

  rename(from: string, to: string, done: DiskDone): void {
    const execute = (): DiskError | null => {
      const source = this.#disk.nodeAt(parentOf(from));
      const target = this.#disk.nodeAt(parentOf(to));
      const missing = new DiskError("ENOENT", from, DiskOperation.Rename);
      if (!(source instanceof SimDirectory) || !(target instanceof SimDirectory)) return missing;
      if (source.shown(nameOf(from)) === undefined) return missing;
      if (target.entries.get(nameOf(to)) instanceof SimDirectory) {
        return new DiskError("ENOTEMPTY", to, DiskOperation.Rename);
      }
      this.#disk.rename(source, nameOf(from), target, nameOf(to));
      return null;
    };
    this.#disk.submit(this.#user, DiskOperation.Rename, from, wholeOrNot(execute), done);
  }

  remove(path: string, done: DiskDone): void {
    const execute = (): DiskError | null => {
      const parent = this.#disk.nodeAt(parentOf(path));
      const node = parent instanceof SimDirectory ? parent.shown(nameOf(path)) : undefined;
      if (node === undefined) return new DiskError("ENOENT", path, DiskOperation.Remove);
      if (node instanceof SimDirectory && node.entries.size > 0) {
        return new DiskError("ENOTEMPTY", path, DiskOperation.Remove);
      }
      this.#disk.removeName(parent as SimDirectory, nameOf(path));
      return null;
    };
    this.#disk.submit(this.#user, DiskOperation.Remove, path, wholeOrNot(execute), done);
  }

  syncDirectory(directory: string, done: DiskDone): void {
    const node = this.#disk.nodeAt(directory);
    const covered = this.#disk.newestChange;
    const execute = (): DiskError | null => {
      if (!(node instanceof SimDirectory)) {
        return new DiskError("ENOENT", directory, DiskOperation.SyncDirectory);
      }
      node.syncUpTo(covered);
      this.#disk.noteSync();
      return null;
    };
    this.#disk.submit(
      this.#user,
      DiskOperation.SyncDirectory,
      directory,
      wholeOrNot(execute),
      done,
    );
  }
}

class FileView implements DiskFile {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #user: SimUser;
  readonly #file: SimFile;
  #inFlight: number;
  #closed: boolean;

  constructor(disk: SimDisk, user: SimUser, path: string, file: SimFile) {
    this.path = path;
    this.#disk = disk;
    this.#user = user;
    this.#file = file;
    this.#inFlight = 0;
    this.#closed = false;
  }

  readNow(position: number, into: Uint8Array): number | DiskError {
    this.#assertOpen("readNow");
    const refused = this.#disk.refusal(DiskOperation.Read, this.path);
    if (refused !== null) return refused;
    const read = this.#file.readShown(position, into);
    return read ?? new DiskError("EIO", this.path, DiskOperation.Read);
  }

  write(position: number, bytes: Uint8Array, done: DiskDone): void {
    this.#assertOpen("write");
    assert(Number.isSafeInteger(position) && position >= 0, "DiskFile.write: a bad position");
    const asked = bytes.slice();
    const execute = (): DiskError | null => {
      assert(isSame(bytes, asked), () => `${this.path}: bytes changed before the write was done`);
      const growth = Math.max(0, position + bytes.length - this.#file.length);
      if (!this.#disk.reserve(growth)) {
        return new DiskError("ENOSPC", this.path, DiskOperation.Write);
      }
      this.#file.write(position, asked);
      this.#disk.writes++;
      this.#disk.bytesWritten += bytes.length;
      return null;
    };
    const executePart = (): void => {
      const sectors = Math.floor(bytes.length / sectorBytes);
      const part = asked.subarray(0, sectorBytes * this.#disk.random.below(sectors + 1));
      const growth = Math.max(0, position + part.length - this.#file.length);
      if (part.length > 0 && this.#disk.reserve(growth)) this.#file.write(position, part);
    };
    this.#submit(DiskOperation.Write, { execute, executePart, executeRefused: null }, done);
  }

  sync(done: DiskDone): void {
    this.#assertOpen("sync");
    const covered = this.#file.newestChange;
    const execute = (): DiskError | null => {
      this.#disk.recent?.synced(this.path, this.#file, covered);
      this.#file.syncUpTo(covered);
      this.#disk.noteSync();
      return null;
    };
    const executeRefused = (): void => {
      this.#file.refuseUpTo(covered, this.#disk.random);
      this.#disk.mediumChanges++;
    };
    this.#submit(DiskOperation.Sync, { execute, executePart: null, executeRefused }, done);
  }

  sizeNow(): number {
    this.#assertOpen("sizeNow");
    return this.#file.shownLength;
  }

  truncate(length: number, done: DiskDone): void {
    this.#assertOpen("truncate");
    const execute = (): DiskError | null => {
      if (!this.#disk.reserve(length - this.#file.length)) {
        return new DiskError("ENOSPC", this.path, DiskOperation.Truncate);
      }
      this.#file.resize(length);
      return null;
    };
    this.#submit(DiskOperation.Truncate, wholeOrNot(execute), done);
  }

  close(): void {
    this.#assertOpen("close");
    assert(this.#inFlight === 0, () => `${this.path}: closed with operations in flight`);
    this.#closed = true;
  }

  #submit(kind: DiskOperation, effect: DiskEffect, done: DiskDone): void {
    this.#inFlight++;
    this.#disk.submit(this.#user, kind, this.path, effect, (error) => {
      this.#inFlight--;
      done(error);
    });
  }

  #assertOpen(what: string): void {
    assert(this.#user.alive, () => `${this.path}: ${what} by a dead process`);
    assert(!this.#closed, () => `${this.path}: ${what} after close`);
  }
}

/** By words if it can: all bytes of every write are compared. */
function isSame(bytes: Uint8Array, copy: Uint8Array): boolean {
  if (bytes.byteOffset % 4 !== 0) return equalBytes(bytes, copy);
  const words = Math.floor(bytes.length / 4);
  const a = new Int32Array(bytes.buffer, bytes.byteOffset, words);
  const b = new Int32Array(copy.buffer, copy.byteOffset, words);
  for (let i = 0; i < words; i++) if (a[i] !== b[i]) return false;
  return equalBytes(bytes.subarray(4 * words), copy.subarray(4 * words));
}

// Names are ASCII by contract of storage; UTF-16 order equals byte order there.
function compareBytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
