// Open files of row segments for reading, at most so many at once: a large store has more segments
// than a process may have files. Oldest opened goes first. Reads are synchronous, so that a file is
// never closed under one.
import { isRefused } from "../directory/access.ts";
import { DiskError, ExitCode } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { Medium } from "../medium.ts";
import type { RowSegment } from "./row-segment.ts";

const openFilesMax = 256;

/** Thrown to whoever reads rows in order to find out (`finding`), and to nobody else. */
class RowDamage extends Error {}

export class SegmentFiles {
  readonly #medium: Medium;
  readonly #directory: string;
  readonly #open: Map<string, DiskFile>;
  #finding: boolean;

  constructor(medium: Medium, directory: string) {
    this.#medium = medium;
    this.#directory = directory;
    this.#open = new Map();
    this.#finding = false;
  }

  /** Reads on purpose: what is damaged is the answer, not the end of the process. Null: nothing is. */
  finding(read: () => void): string | null {
    this.#finding = true;
    try {
      read();
      return null;
    } catch (error) {
      if (error instanceof RowDamage) return error.message;
      throw error;
    } finally {
      this.#finding = false;
    }
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

  /**
   * A damaged row that is needed now: the process ends (72), and the next start finds out what else is
   * (row-scan.ts) and has the state rebuilt from a peer's.
   */
  damaged(segment: RowSegment, offset: number, main: number | null, what: string): never {
    const revision = main === null ? "" : `, revision ${main}`;
    const where = `${this.pathOf(segment.name)}: offset ${offset}${revision}: ${what}`;
    if (this.#finding) throw new RowDamage(where);
    this.#medium.env.trace.mark("rows.recover.row14");
    return this.#medium.env.fatal(
      ExitCode.Damaged,
      `${where}; the row segment is damaged: start the member again, and it rebuilds its state from ` +
        "another member's; without one, restore a backup",
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
