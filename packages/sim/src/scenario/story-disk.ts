// What a story does to one member's disk: slows and stalls it, makes it refuse, damages what it
// holds. Damage to anything but rows is for members that do not run: a process reads only those again,
// unless it scrubs.
import { assert, latin1Decode } from "@quorate/base";
import { isQuarantine } from "@quorate/storage/internal";
import { directoryOf } from "../cluster-options.ts";
import type { DiskOperation } from "../disk/disk-operation.ts";
import { isIn, nameOf } from "../disk/path.ts";
import { SimDirectory } from "../disk/sim-directory.ts";
import { type RecentWrite, RecentWrites } from "../disk/recent-writes.ts";
import { type DirectoryCopy, diskTimingsDefault, roomyBytes, type SimDisk } from "../sim-disk.ts";
import type { Timeline } from "./timeline.ts";

const blockBytes = 4096;
const rotEveryUs = 5_000;

export class StoryDisk {
  readonly #disk: SimDisk;
  readonly #member: string;
  readonly #timeline: Timeline;

  constructor(disk: SimDisk, member: string, timeline: Timeline) {
    this.#disk = disk;
    this.#member = member;
    this.#timeline = timeline;
  }

  // ---- time -------------------------------------------------------------------------------------

  /** Every operation takes this many times as long. */
  slow(factor: number): void {
    this.#tell(`its disk is ${factor} times as slow`);
    const { timings } = this.#disk;
    timings.writeMinUs = diskTimingsDefault.writeMinUs * factor;
    timings.writeMaxUs = diskTimingsDefault.writeMaxUs * factor;
    timings.syncMinUs = diskTimingsDefault.syncMinUs * factor;
    timings.syncMaxUs = diskTimingsDefault.syncMaxUs * factor;
  }

  /** What is asked for from now on completes after `ms` at the earliest. */
  stall(ms: number): void {
    this.#tell(`its disk stalls for ${ms} ms`);
    this.#disk.stall(ms);
  }

  // ---- refusals -----------------------------------------------------------------------------------

  /** The next operation of this kind on a path that holds the text fails, and no other one. */
  failOnce(operation: DiskOperation, part: string, code: string): void {
    this.#tell(`its disk will answer ${code} to one ${operation} of ${part}`);
    let done = false;
    this.#disk.fault = (kind, path) => {
      if (done || kind !== operation || !path.includes(part)) return null;
      done = true;
      return code;
    };
  }

  /** Every operation of this kind on a path that holds the text fails, until it is mended. */
  refuse(operation: DiskOperation, part: string, code: string): void {
    this.#tell(`its disk answers ${code} to ${operation} of ${part}`);
    this.#disk.fault = (kind, path) => (kind === operation && path.includes(part) ? code : null);
  }

  /** Somebody else's files leave so much room. */
  leaves(bytes: number): void {
    this.#tell(`its disk has room for ${bytes} bytes more`);
    this.#disk.capacityBytes = this.#disk.usedBytes + bytes;
  }

  mend(): void {
    this.#disk.fault = null;
    this.#disk.capacityBytes = roomyBytes;
    Object.assign(this.#disk.timings, diskTimingsDefault);
  }

  // ---- damage -------------------------------------------------------------------------------------

  /** Paths of the files whose names begin so, sorted. */
  files(prefix: string): string[] {
    const directory = directoryOf(this.#member);
    const below = this.#disk.filesBelow(directory);
    return below.filter((path) => isIn(directory, path) && nameOf(path).startsWith(prefix));
  }

  /** How often the member has set its directory aside, as far as it is still there. */
  get quarantines(): number {
    const node = this.#disk.nodeAt(directoryOf(this.#member));
    const names = node instanceof SimDirectory ? [...node.entries.keys()] : [];
    return names.filter(isQuarantine).length;
  }

  /** Names of the files that are in quarantine. */
  quarantined(): string[] {
    const directory = directoryOf(this.#member);
    const below = this.#disk.filesBelow(directory);
    const inside = below.filter((path) => isQuarantine(path.split("/").at(-2) ?? ""));
    return inside.map(nameOf);
  }

  /** One bit of the byte there turns around. */
  flip(path: string, position: number): void {
    const byte = this.#content(path)[position];
    assert(byte !== undefined, () => `no byte ${position} in ${path}`);
    this.#tell(`bit flip in ${path} at ${position}`);
    this.#disk.damage.rot(path, position, Uint8Array.of(byte ^ 0x10));
  }

  /** Reads of the range answer EIO, until it is written anew. */
  refusesReads(path: string, from: number, to: number): void {
    this.#tell(`${path} cannot be read from ${from} to ${to}`);
    this.#disk.damage.failReads(path, from, to);
  }

  /** All that it holds is as it was written. */
  heals(): void {
    this.#tell("its disk is whole again");
    this.#disk.damage.mend(directoryOf(this.#member));
  }

  /** One bit of this word, in the first file of the name that holds it; the file's path. */
  flipWord(prefix: string, word: string): string {
    for (const path of this.files(prefix)) {
      const position = latin1Decode(this.#content(path)).indexOf(word);
      if (position < 0) continue;
      this.flip(path, position);
      return path;
    }
    assert(false, `${this.#member}: no file ${prefix}… holds "${word}"`);
    return "";
  }

  /** The block with this word, in the first file of the name that holds it, never reached the medium. */
  loseBlockOf(prefix: string, word: string): void {
    for (const path of this.files(prefix)) {
      const position = latin1Decode(this.#content(path)).indexOf(word);
      if (position < 0) continue;
      const block = Math.floor(position / blockBytes);
      this.#tell(`block ${block} of ${path} is zeros`);
      this.#disk.damage.rot(path, block * blockBytes, new Uint8Array(blockBytes));
      return;
    }
    assert(false, `${this.#member}: no file ${prefix}… holds "${word}"`);
  }

  /** A bit of the first batch in the newest segment of the log that has more than a few. */
  flipInLog(): void {
    // Those behind it say that it was durable: a flip in the last ones is a torn end to any start.
    const { path, blocks } = this.#newestSegment(8);
    this.flip(path, blocks[0]! * blockBytes + 300);
  }

  /** The last third of what the newest segment of the log holds never reached the medium. */
  loseEndOfLog(): void {
    const { path, blocks } = this.#newestSegment();
    const lost = blocks.slice(Math.floor((blocks.length * 2) / 3));
    this.#tell(`the last ${lost.length} blocks of ${path} are zeros`);
    for (const block of lost) {
      this.#disk.damage.rot(path, block * blockBytes, new Uint8Array(blockBytes));
    }
  }

  /** From now on, for good: what is written to the log and the rows is another thing once durable. */
  rots(): void {
    this.#tell("its disk damages what it writes");
    const recent = new RecentWrites();
    this.#disk.recent = recent;
    let seen: RecentWrite | undefined;
    const damage = (): void => {
      const writes = recent.all();
      const fresh = writes.slice(writes.findIndex((write) => write === seen) + 1);
      for (const write of fresh) this.#damage(write);
      seen = writes.at(-1);
      this.#disk.world.after(rotEveryUs, damage);
    };
    damage();
  }

  #damage({ path, position, bytes }: RecentWrite): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!/^(wal-0|rows-)/.test(name) || this.#disk.fileAt(path) === null) return;
    const at = Math.floor(bytes.length / 2);
    this.#disk.damage.rot(path, position + at, Uint8Array.of(bytes[at]! ^ 0x10));
  }

  copy(): DirectoryCopy {
    this.#tell("somebody copies its directory");
    return this.#disk.copyDirectory(directoryOf(this.#member));
  }

  restore(copy: DirectoryCopy): void {
    this.#tell("its directory is an old copy");
    this.#disk.restoreDirectory(directoryOf(this.#member), copy);
  }

  /** The segment with the newest batch, and its blocks behind the header that are not empty. */
  #newestSegment(blocksMin: number = 3): {
    readonly path: string;
    readonly blocks: readonly number[];
  } {
    const segments = this.files("wal-").filter((path) => !path.endsWith("wal-durable"));
    for (const path of segments.reverse()) {
      const content = this.#content(path);
      const blocks: number[] = [];
      for (let block = 1; block * blockBytes < content.length; block++) {
        if (content[block * blockBytes] !== 0) blocks.push(block);
      }
      if (blocks.length >= blocksMin) return { path, blocks };
    }
    assert(false, `${this.#member}: no segment of the log with batches`);
    return { path: "", blocks: [] };
  }

  #content(path: string): Uint8Array {
    const bytes = this.#disk.cachedBytes(path);
    assert(bytes !== null, () => `no file ${path}`);
    return bytes;
  }

  #tell(what: string): void {
    this.#timeline.tell(this.#member, what);
  }
}
