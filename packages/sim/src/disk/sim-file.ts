// One simulated file (inode): what readers see (the page cache), what the medium certainly holds
// (the synced image), and the ordered changes between them. A power loss keeps, drops, tears or
// garbles any of the unsynced 512-byte sectors; sectors without unsynced writes stay as they are.
import { assert } from "@quorate/base";
import type { SimRandom } from "../sim-random.ts";
import { ByteImage } from "./byte-image.ts";

export const sectorBytes = 512;

/** What a power loss does to everything that was not synced, drawn once per loss and file. */
export const UnsyncedFate = {
  /** All of it reached the medium in time. */
  Keep: 1,
  Drop: 2,
  /** In the order of writing, up to some point, the write there torn. */
  Prefix: 3,
  /** Each sector by itself: kept, dropped, torn or garbage. */
  Mix: 4,
} as const;
export type UnsyncedFate = (typeof UnsyncedFate)[keyof typeof UnsyncedFate];

class FileChange {
  readonly number: number;
  readonly position: number;
  /** Null: a truncation or extension to `position` bytes. */
  readonly bytes: Uint8Array | null;

  constructor(number: number, position: number, bytes: Uint8Array | null) {
    this.number = number;
    this.position = position;
    this.bytes = bytes;
  }
}

export class SimFile {
  readonly id: number;
  #cache: ByteImage;
  #synced: ByteImage;
  /** Ascending by number. Invariant: synced image + these changes in order = cache. */
  #pending: FileChange[];
  #changes: number;

  constructor(id: number) {
    this.id = id;
    this.#cache = new ByteImage();
    this.#synced = new ByteImage();
    this.#pending = [];
    this.#changes = 0;
  }

  get length(): number {
    return this.#cache.length;
  }

  /** Nothing is waiting for a sync. */
  get clean(): boolean {
    return this.#pending.length === 0;
  }

  read(position: number, into: Uint8Array): number {
    return this.#cache.read(position, into);
  }

  /** Into the page cache; `bytes` are copied. */
  write(position: number, bytes: Uint8Array): void {
    this.#cache.write(position, bytes);
    this.#pending.push(new FileChange(++this.#changes, position, bytes.slice()));
  }

  resize(length: number): void {
    this.#cache.resize(length);
    this.#pending.push(new FileChange(++this.#changes, length, null));
  }

  /** What a sync that is issued now will cover: `syncUpTo` of this number. */
  get newestChange(): number {
    return this.#changes;
  }

  syncUpTo(number: number): void {
    let covered = 0;
    for (const change of this.#pending) {
      if (change.number > number) break;
      applyChange(this.#synced, change);
      covered++;
    }
    this.#pending.splice(0, covered);
  }

  /** Whether [from, to) is on the medium and no unsynced write touches its sectors. */
  isDurable(from: number, to: number): boolean {
    if (to > this.#synced.length) return false;
    const first = Math.floor(from / sectorBytes);
    const last = Math.ceil(to / sectorBytes);
    for (const change of this.#pending) {
      if (change.bytes === null) {
        if (change.position < to) return false;
        continue;
      }
      const end = change.position + change.bytes.length;
      if (change.position < last * sectorBytes && end > first * sectorBytes) return false;
    }
    return true;
  }

  cachedBytes(): Uint8Array {
    return this.#cache.toBytes();
  }

  syncedBytes(): Uint8Array {
    return this.#synced.toBytes();
  }

  /** A file of its own in the state that a power loss with this fate would leave; this one stays. */
  afterPowerLoss(id: number, fate: UnsyncedFate, random: SimRandom): SimFile {
    const survivor = new SimFile(id);
    const image = this.#survivingImage(fate, random);
    survivor.#synced = image;
    survivor.#cache = image.clone();
    return survivor;
  }

  powerLoss(fate: UnsyncedFate, random: SimRandom): void {
    if (this.#pending.length === 0) return;
    this.#synced = this.#survivingImage(fate, random);
    this.#cache = this.#synced.clone();
    this.#pending = [];
  }

  /** Changes the medium and the cache alike, as rot or an operator would. */
  overwrite(position: number, bytes: Uint8Array): void {
    assert(this.clean, "SimFile.overwrite: unsynced changes");
    this.#cache.write(position, bytes);
    this.#synced.write(position, bytes);
  }

  overwriteLength(length: number): void {
    assert(this.clean, "SimFile.overwriteLength: unsynced changes");
    this.#cache.resize(length);
    this.#synced.resize(length);
  }

  #survivingImage(fate: UnsyncedFate, random: SimRandom): ByteImage {
    if (fate === UnsyncedFate.Keep) return this.#cache.clone();
    const image = this.#synced.clone();
    if (fate === UnsyncedFate.Drop) return image;
    if (fate === UnsyncedFate.Prefix) {
      this.#applyPrefix(image, random);
    } else {
      this.#applyMix(image, random);
    }
    return image;
  }

  #applyPrefix(image: ByteImage, random: SimRandom): void {
    const whole = random.below(this.#pending.length + 1);
    for (let i = 0; i < whole; i++) applyChange(image, this.#pending[i]!);
    const torn = this.#pending[whole];
    if (torn === undefined || torn.bytes === null) return;
    image.write(torn.position, torn.bytes.subarray(0, random.below(torn.bytes.length + 1)));
  }

  #applyMix(image: ByteImage, random: SimRandom): void {
    // Drawn per loss: some losses keep nearly all sectors, others nearly none.
    const keep = random.pick([0.1, 0.5, 0.9]);
    let lengthMin = this.#synced.length;
    for (const change of this.#pending) {
      if (change.bytes !== null) {
        mixSectors(image, change.position, change.bytes, keep, random);
      } else if (random.chance(0.5)) {
        image.resize(change.position);
        lengthMin = Math.min(lengthMin, change.position);
      }
    }
    // The size is metadata with a fate of its own.
    const lengthMax = Math.max(image.length, this.#cache.length);
    if (lengthMax <= lengthMin) return;
    const length = random.pick([image.length, lengthMax, random.between(lengthMin, lengthMax)]);
    image.resize(length);
  }
}

function applyChange(image: ByteImage, change: FileChange): void {
  if (change.bytes === null) image.resize(change.position);
  else image.write(change.position, change.bytes);
}

function mixSectors(
  image: ByteImage,
  position: number,
  bytes: Uint8Array,
  keep: number,
  random: SimRandom,
): void {
  let at = 0;
  while (at < bytes.length) {
    const sectorEnd = (Math.floor((position + at) / sectorBytes) + 1) * sectorBytes;
    const end = Math.min(bytes.length, sectorEnd - position);
    const draw = random.below(1000) / 1000;
    if (draw < keep) {
      image.write(position + at, bytes.subarray(at, end));
    } else if (draw < keep + (1 - keep) * 0.5) {
      // Dropped.
    } else if (draw < keep + (1 - keep) * 0.75) {
      image.write(position + at, bytes.subarray(at, at + random.below(end - at + 1)));
    } else {
      garble(image, sectorEnd - sectorBytes, sectorEnd, position + end, random);
    }
    at = end;
  }
}

// The whole sector is lost, also those of its bytes that this write did not touch; the file does
// not grow by it beyond what was written.
function garble(
  image: ByteImage,
  from: number,
  sectorEnd: number,
  writtenEnd: number,
  random: SimRandom,
): void {
  const end = Math.min(sectorEnd, Math.max(image.length, writtenEnd));
  const noise = new Uint8Array(end - from);
  for (let i = 0; i < noise.length; i++) noise[i] = random.u32();
  image.write(from, noise);
}
