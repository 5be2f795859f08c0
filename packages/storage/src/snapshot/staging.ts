// Whole files of checkpoints on their way in: which are here, durable, and in force nowhere. A transfer
// that is cut off, by this process's end or the other's, goes on with them, whatever the next offer is
// about: a sealed segment is the same file in every later checkpoint of its owner. At most what one
// transfer has brought is kept, for a while; the rest of what stands around is removed.
import { ByteReader, ByteWriter } from "@quorate/base";
import { isCheckpointFile, stagingName } from "../directory/layout.ts";
import { Magic, RecordFile } from "../directory/record-file.ts";
import { CopiesState, readCopiesNow, replaceCopies } from "../directory/two-copies.ts";
import type { Disk } from "../env.ts";
import type { Medium } from "../medium.ts";
import type { SnapshotFile } from "../storage-api.ts";

const stagingFormat = 1;
const filesMax = 65_536;
/** Nobody has offered a snapshot for so long: what is kept goes. */
const keptMsMax = 600_000;

export interface WholeFile {
  /** Of the file in this directory. */
  readonly name: string;
  /** As its owner offers it: random there, so that with length and CRC it names the content. */
  readonly offeredAs: string;
  readonly bytes: number;
  readonly crc: number;
}

/** What the record names and is there in its full length; the content is verified before use. */
export function readStagingNow(disk: Disk, directory: string): WholeFile[] {
  const read = readCopiesNow(disk, directory, stagingName, Magic.Staging);
  // Of a newer version, or damaged: then a transfer begins anew.
  if (read.state !== CopiesState.Good || read.record.format !== stagingFormat) return [];
  const files = decodeStaging(read.record.body) ?? [];
  return files.filter(({ name, bytes }) => disk.sizeNow(`${directory}/${name}`) === bytes);
}

function encodeStaging(files: readonly WholeFile[]): Uint8Array {
  const writer = new ByteWriter(64 + 64 * files.length);
  writer.varint(files.length);
  for (const { name, offeredAs, bytes, crc } of files) {
    writer.text(name);
    writer.text(offeredAs);
    writer.varint(bytes);
    writer.u32(crc);
  }
  return writer.take();
}

function decodeStaging(body: Uint8Array): WholeFile[] | null {
  const reader = new ByteReader(body);
  const count = reader.varint();
  if (count > filesMax) return null;
  const files: WholeFile[] = [];
  for (let left = count; left > 0 && reader.ok; left--) {
    const name = reader.text();
    const offeredAs = reader.text();
    files.push({ name, offeredAs, bytes: reader.varint(), crc: reader.u32() });
  }
  return reader.done && files.every(({ name }) => isCheckpointFile(name)) ? files : null;
}

export interface StagingOptions {
  readonly directory: string;
  /** As found at the start. */
  readonly found: readonly WholeFile[];
  /** Bytes that may have come whole before the record names them. */
  readonly recordBytes: number;
}

export class Staging {
  readonly #medium: Medium;
  readonly #options: StagingOptions;
  /** By name; those of the transfer that is under way too. */
  readonly #files: Map<string, WholeFile>;
  /** Names that no transfer has taken. */
  readonly #free: Set<string>;
  #freeSinceMs: number;
  #generation: number;
  /** Whole, and not named by the record yet. */
  #unrecordedBytes: number;
  #dirty: boolean;
  #writing: boolean;
  #whenWritten: (() => void) | null;

  constructor(medium: Medium, options: StagingOptions) {
    this.#medium = medium;
    this.#options = options;
    this.#files = new Map(options.found.map((file) => [file.name, file]));
    this.#free = new Set(this.#files.keys());
    this.#freeSinceMs = medium.env.clock.monotonicMs();
    const read = readCopiesNow(medium.env.disk, options.directory, stagingName, Magic.Staging);
    this.#generation = read.state === CopiesState.Good ? read.record.generation : 0;
    this.#unrecordedBytes = 0;
    this.#dirty = false;
    this.#writing = false;
    this.#whenWritten = null;
  }

  /** Of each offered file the one that is here, or null; what fits none of them is removed. */
  take(offered: readonly SnapshotFile[]): (WholeFile | null)[] {
    const taken = offered.map((file) => {
      for (const name of this.#free) {
        const found = this.#files.get(name)!;
        if (!isSame(found, file)) continue;
        this.#free.delete(name);
        return found;
      }
      return null;
    });
    this.#removeFree();
    return taken;
  }

  /** Its bytes are synced; they have the CRC that was offered. */
  whole(file: WholeFile): void {
    this.#files.set(file.name, file);
    this.#dirty = true;
    this.#unrecordedBytes += file.bytes;
    if (this.#unrecordedBytes >= this.#options.recordBytes) this.#record();
  }

  /** The transfer has ended: another one may go on with them. */
  keep(names: readonly string[]): void {
    for (const name of names) this.#free.add(name);
    this.#freeSinceMs = this.#medium.env.clock.monotonicMs();
    if (this.#dirty) this.#record();
  }

  /** Their content is not what was offered, or they are in force now (`remove` false). */
  forget(names: readonly string[], remove: boolean): void {
    for (const name of names) {
      if (!this.#files.delete(name)) continue;
      this.#dirty = true;
      if (remove) this.#medium.remove(`${this.#options.directory}/${name}`, () => {});
    }
    if (this.#dirty) this.#record();
  }

  tick(): void {
    if (this.#free.size === 0) return;
    const ms = this.#medium.env.clock.monotonicMs() - this.#freeSinceMs;
    if (ms > keptMsMax) this.#removeFree();
  }

  /** Nothing is being written any more. */
  idle(done: () => void): void {
    if (this.#writing) this.#whenWritten = done;
    else done();
  }

  #removeFree(): void {
    const names = [...this.#free];
    this.#free.clear();
    if (names.length > 0) this.forget(names, true);
  }

  /** Names first: a file that the record names must be there. One record at a time. */
  #record(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.#dirty = false;
    this.#unrecordedBytes = 0;
    const body = encodeStaging([...this.#files.values()]);
    const { directory } = this.#options;
    const medium = this.#medium;
    this.#generation += 1;
    medium.env.trace.mark("staging.record");
    medium.syncDirectory(directory, () => {
      const record = new RecordFile(stagingFormat, this.#generation, body);
      const { disk } = medium.env;
      replaceCopies(disk, directory, stagingName, Magic.Staging, record, (error) => {
        if (error !== null) medium.fail(error);
        medium.env.trace.mark("staging.recorded");
        this.#writing = false;
        const written = this.#whenWritten;
        this.#whenWritten = null;
        if (written !== null) written();
        else if (this.#dirty) this.#record();
      });
    });
  }
}

function isSame(whole: WholeFile, { name, bytes, crc }: SnapshotFile): boolean {
  return whole.offeredAs === name && whole.bytes === bytes && whole.crc === crc;
}
