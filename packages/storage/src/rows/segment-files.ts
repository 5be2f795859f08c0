// Open files of row segments for reading, at most so many at once: a large store has more segments
// than a process may have files. Oldest opened goes first. Reads are synchronous, so that a file is
// never closed under one.
import { isRefused } from "../directory/access.ts";
import { DiskError, ExitCode } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { Medium } from "../medium.ts";
import type { RowSegment } from "./row-segment.ts";

const openFilesMax = 256;

export class SegmentFiles {
  readonly #medium: Medium;
  readonly #directory: string;
  readonly #open: Map<string, DiskFile>;

  constructor(medium: Medium, directory: string) {
    this.#medium = medium;
    this.#directory = directory;
    this.#open = new Map();
  }

  pathOf(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** Fills `into` from the segment's saved part; bytes that are not there are damage. */
  readNow(segment: RowSegment, offset: number, into: Uint8Array): void {
    const read = this.#fileOf(segment, offset).readNow(offset, into);
    if (read instanceof DiskError) this.damaged(segment, offset, null, `read: ${read.code}`);
    if (read < into.length) {
      this.damaged(segment, offset + read, null, "the file ends within its length in force");
    }
  }

  /** A damaged row is an outcome that only peers or a backup can mend: the process ends (72). */
  damaged(segment: RowSegment, offset: number, main: number | null, what: string): never {
    this.#medium.env.trace.mark("rows.recover.row14");
    const revision = main === null ? "" : `, revision ${main}`;
    return this.#medium.env.fatal(
      ExitCode.Damaged,
      `${this.pathOf(segment.name)}: offset ${offset}${revision}: ${what}; the row segment is ` +
        "damaged: move the data directory away and let this member rejoin, or restore a backup",
    );
  }

  close(segment: RowSegment): void {
    this.#open.get(segment.name)?.close();
    this.#open.delete(segment.name);
  }

  closeAll(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  #fileOf(segment: RowSegment, offset: number): DiskFile {
    const open = this.#open.get(segment.name);
    if (open !== undefined) return open;
    const file = this.#medium.env.disk.openNow(this.pathOf(segment.name), false);
    if (file instanceof DiskError) {
      if (isRefused(file)) return this.#medium.fail(file);
      return this.damaged(segment, offset, null, `cannot be opened: ${file.code}`);
    }
    if (this.#open.size >= openFilesMax) {
      const oldest = this.#open.entries().next().value!;
      oldest[1].close();
      this.#open.delete(oldest[0]);
    }
    this.#open.set(segment.name, file);
    return file;
  }
}
