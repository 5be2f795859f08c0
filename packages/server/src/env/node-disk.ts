// Files for production: positional reads in place, everything that waits for the medium on libuv's
// threads. Errors come back as values; what they mean is decided by storage.
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { DiskError } from "@quorate/storage";
import type { Disk, DiskDone, DiskFile } from "@quorate/storage";

export class NodeDisk implements Disk {
  /** Held until the process ends. */
  readonly #locks: Map<string, DatabaseSync>;
  /** fdatasync calls that returned, for metrics. */
  syncs: number;
  onSync: ((milliseconds: number) => void) | null;
  /** Others may read in this directory, and that cannot be changed. */
  onOpenToOthers: ((directory: string, mode: number) => void) | null;

  constructor() {
    this.#locks = new Map();
    this.syncs = 0;
    this.onSync = null;
    this.onOpenToOthers = null;
  }

  listNow(directory: string): readonly string[] | null {
    try {
      return fs
        .readdirSync(directory, "latin1")
        .map((name) => Buffer.from(name, "latin1").toString("utf8"))
        .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    } catch {
      return null;
    }
  }

  makeDirectoryNow(directory: string): DiskError | null {
    try {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
      this.#closeToOthers(directory);
      return null;
    } catch (error) {
      return diskError(error, directory, "mkdir");
    }
  }

  /** Whoever made it may have let others read in it (CVE-2020-15113). */
  #closeToOthers(directory: string): void {
    const mode = fs.statSync(directory).mode & 0o777;
    if ((mode & 0o077) === 0) return;
    try {
      fs.chmodSync(directory, mode & 0o700);
    } catch {
      // Somebody else's, as a mounted volume may be.
      this.onOpenToOthers?.(directory, mode);
    }
  }

  sizeNow(path: string): number | null {
    try {
      return fs.statSync(path).size;
    } catch {
      return null;
    }
  }

  freeBytesNow(path: string): number | null {
    try {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    } catch {
      return null;
    }
  }

  openNow(path: string, create: boolean): DiskFile | DiskError {
    try {
      const flags = create
        ? fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL
        : fs.constants.O_RDWR;
      return new NodeFile(path, fs.openSync(path, flags, 0o600), this);
    } catch (error) {
      return diskError(error, path, "open");
    }
  }

  /**
   * Node has no flock; an exclusive SQLite transaction holds a POSIX lock on the file that the
   * kernel drops with the process, kill -9 included, and that holds across network namespaces.
   */
  lockNow(path: string): DiskError | null {
    if (this.#locks.has(path)) {
      return null;
    }
    try {
      const database = new DatabaseSync(path);
      database.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
      this.#locks.set(path, database);
      return null;
    } catch (error) {
      if (/locked|busy/i.test(String(error))) {
        return new DiskError("EBUSY", path, "lock");
      }
      return new DiskError(
        /readonly|unable to open/i.test(String(error)) ? "EACCES" : "EIO",
        path,
        "lock",
      );
    }
  }

  /** Lets go of all locks, as the end of the process does. */
  unlock(): void {
    for (const database of this.#locks.values()) {
      database.close();
    }
    this.#locks.clear();
  }

  rename(from: string, to: string, done: DiskDone): void {
    fs.rename(from, to, (error) => done(diskError(error, from, "rename")));
  }

  remove(path: string, done: DiskDone): void {
    fs.unlink(path, (error) => {
      if (error !== null && (error.code === "EISDIR" || error.code === "EPERM")) {
        fs.rmdir(path, (rmdirError) => done(diskError(rmdirError, path, "remove")));
      } else {
        done(diskError(error, path, "remove"));
      }
    });
  }

  syncDirectory(directory: string, done: DiskDone): void {
    fs.open(directory, fs.constants.O_RDONLY, (openError, fd) => {
      if (openError !== null) {
        done(diskError(openError, directory, "open"));
        return;
      }
      fs.fsync(fd, (error) => {
        fs.close(fd, () => done(diskError(error, directory, "fsync")));
      });
    });
  }
}

/**
 * A write up to this size goes to the page cache in place (some microseconds) instead of through a
 * thread and back: a log batch then waits for one hop, its fdatasync, and not for two.
 */
const directWriteBytesMax = 262_144;

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  readonly #disk: NodeDisk;

  constructor(path: string, fd: number, disk: NodeDisk) {
    this.path = path;
    this.#fd = fd;
    this.#disk = disk;
  }

  readNow(position: number, into: Uint8Array): number | DiskError {
    try {
      let total = 0;
      while (total < into.length) {
        const count = fs.readSync(this.#fd, into, total, into.length - total, position + total);
        if (count === 0) {
          break;
        }
        total += count;
      }
      return total;
    } catch (error) {
      return diskError(error, this.path, "read");
    }
  }

  write(position: number, bytes: Uint8Array, done: DiskDone): void {
    if (bytes.length <= directWriteBytesMax) {
      const error = this.#writeNow(position, bytes);
      process.nextTick(() => done(error));
      return;
    }
    const step = (offset: number): void => {
      fs.write(
        this.#fd,
        bytes,
        offset,
        bytes.length - offset,
        position + offset,
        (error, count) => {
          if (error !== null) {
            done(diskError(error, this.path, "write"));
          } else if (offset + count < bytes.length) {
            step(offset + count);
          } else {
            done(null);
          }
        },
      );
    };
    step(0);
  }

  #writeNow(position: number, bytes: Uint8Array): DiskError | null {
    try {
      let total = 0;
      while (total < bytes.length) {
        total += fs.writeSync(this.#fd, bytes, total, bytes.length - total, position + total);
      }
      return null;
    } catch (error) {
      return diskError(error, this.path, "write");
    }
  }

  sync(done: DiskDone): void {
    const startedMs = performance.now();
    fs.fdatasync(this.#fd, (error) => {
      this.#disk.syncs += 1;
      this.#disk.onSync?.(performance.now() - startedMs);
      done(diskError(error, this.path, "fdatasync"));
    });
  }

  sizeNow(): number {
    return fs.fstatSync(this.#fd).size;
  }

  truncate(length: number, done: DiskDone): void {
    fs.ftruncate(this.#fd, length, (error) => done(diskError(error, this.path, "truncate")));
  }

  close(): void {
    fs.close(this.#fd, () => undefined);
  }
}

function diskError(error: null, path: string, operation: string): null;
function diskError(error: unknown, path: string, operation: string): DiskError;
function diskError(error: unknown, path: string, operation: string): DiskError | null {
  if (error === null || error === undefined) {
    return null;
  }
  const code = (error as NodeJS.ErrnoException).code ?? "EIO";
  return new DiskError(code, path, operation);
}
