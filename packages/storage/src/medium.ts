// The disk for everything after a directory has been opened: a failed write, sync, rename or
// creation ends the process (71, DESIGN.md 16), so that completions carry no error. Counts what it
// does. It knows nothing of formats and never retries.
import type { DiskError, DiskFile, Env } from "./env.ts";
import { DiskError as DiskErrorClass, ExitCode } from "./env.ts";

/** A sector that was synced is not written again: everything is padded to this (P8, P9). */
export const padBytes = 4096;

/** Longest single write, so that its checksum and copy hold the event loop at most ~1 ms. */
export const writeBytesMax = 1_048_576;

export function padded(bytes: number): number {
  return Math.ceil(bytes / padBytes) * padBytes;
}

export class Medium {
  readonly env: Env;
  #syncs: number;
  #bytesWritten: number;

  constructor(env: Env) {
    this.env = env;
    this.#syncs = 0;
    this.#bytesWritten = 0;
  }

  get syncs(): number {
    return this.#syncs;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  create(path: string): DiskFile {
    return this.#opened(this.env.disk.openNow(path, true));
  }

  open(path: string): DiskFile {
    return this.#opened(this.env.disk.openNow(path, false));
  }

  write(file: DiskFile, position: number, bytes: Uint8Array, done: () => void): void {
    this.#bytesWritten += bytes.length;
    file.write(position, bytes, (error) => {
      if (error !== null) this.fail(error);
      done();
    });
  }

  sync(file: DiskFile, done: () => void): void {
    this.#syncs += 1;
    file.sync((error) => {
      if (error !== null) this.fail(error);
      done();
    });
  }

  syncDirectory(directory: string, done: () => void): void {
    this.#syncs += 1;
    this.env.disk.syncDirectory(directory, (error) => {
      if (error !== null) this.fail(error);
      done();
    });
  }

  /** Of a file that nothing names any more: a failure costs room, not safety, and is only told. */
  remove(path: string, done: () => void): void {
    this.env.disk.remove(path, (error) => {
      if (error !== null) {
        this.env.trace.warn("a file that is no longer needed could not be removed", {
          path,
          errno: error.code,
        });
      }
      done();
    });
  }

  fail(error: DiskError): never {
    return this.env.fatal(
      ExitCode.WriteFailed,
      `${error.path}: ${error.operation} failed with ${error.code}; what it should have made ` +
        "durable is lost, the process ends without a retry",
    );
  }

  #opened(file: DiskFile | DiskError): DiskFile {
    if (file instanceof DiskErrorClass) this.fail(file);
    return file;
  }
}
