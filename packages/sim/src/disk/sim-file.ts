// One simulated file (inode): what readers see (the page cache), what the medium certainly holds
// (the synced image), and the ordered changes between them. A power loss keeps, drops, tears or
// garbles any of the unsynced 512-byte sectors; sectors without unsynced writes stay as they are.
// Damage to what is on the medium lies over it (file-damage.ts) and changes nothing here.
import type { SimRandom } from "../sim-random.ts";
import { ByteImage } from "./byte-image.ts";
import { FileDamage } from "./file-damage.ts";
import { mixPages, mixSectors, sectorBytes } from "./torn-write.ts";

/** What a power loss does to everything that was not synced, drawn once per loss and file. */
export const UnsyncedFate = {
  /** All of it reached the medium in time. */
  Keep: 1,
  Drop: 2,
  /** In the order of writing, up to some point, the write there torn. */
  Prefix: 3,
  /** Each sector by itself: kept, dropped, torn or garbage. */
  Mix: 4,
  /** As FoundationDB: each page kept, dropped or corrupt, and then each of its sectors by itself. */
  Pages: 5,
} as const;
export type UnsyncedFate = (typeof UnsyncedFate)[keyof typeof UnsyncedFate];

/** One write, or (bytes null) one new length, between the call and a sync. */
export class FileChange {
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
  readonly damage: FileDamage;
  /** Ascending by number. Invariant: synced image + #refused + these changes in order = cache. */
  #pending: FileChange[];
  /**
   * What a failed sync has given up: the cache goes on showing it and takes it for clean, no later
   * sync writes it, and it is gone with the cache (fsyncgate).
   */
  #refused: FileChange[];
  #changes: number;

  constructor(id: number) {
    this.id = id;
    this.#cache = new ByteImage();
    this.#synced = new ByteImage();
    this.damage = new FileDamage();
    this.#pending = [];
    this.#refused = [];
    this.#changes = 0;
  }

  get length(): number {
    return this.#cache.length;
  }

  /** The truth, as the process wrote it. */
  read(position: number, into: Uint8Array): number {
    return this.#cache.read(position, into);
  }

  /** What damage lets a process see; null: EIO. */
  readShown(position: number, into: Uint8Array): number | null {
    const count = this.#cache.read(position, into);
    return this.damage.none ? count : this.damage.show(position, into, count);
  }

  get shownLength(): number {
    return this.damage.shownLength(this.#cache.length);
  }

  /** Into the page cache; `bytes` are kept and must not change any more. */
  write(position: number, bytes: Uint8Array): void {
    this.damage.written(position, position + bytes.length, this.#cache.length);
    this.#cache.write(position, bytes);
    this.#pending.push(new FileChange(++this.#changes, position, bytes));
  }

  resize(length: number): void {
    this.damage.resized(length, this.#cache.length);
    this.#cache.resize(length);
    this.#pending.push(new FileChange(++this.#changes, length, null));
  }

  /** What a sync that is issued now will cover: `syncUpTo` of this number. */
  get newestChange(): number {
    return this.#changes;
  }

  syncUpTo(number: number): void {
    for (const change of this.#takeUpTo(number)) {
      applyChange(this.#synced, change);
      if (this.#refused.length === 0) continue;
      // Written anew, a sector that had been refused is on the medium after all.
      this.#refused = this.#refused.filter((refused) => !covers(change, refused));
    }
  }

  /** A sync of these has failed: any of their pages is on the medium, the others never will be. */
  refuseUpTo(number: number, random: SimRandom): void {
    for (const change of this.#takeUpTo(number)) {
      const { position, bytes } = change;
      if (bytes !== null) mixSectors(this.#synced, position, bytes, 0.5, random);
      else if (random.chance(0.5)) applyChange(this.#synced, change);
      this.#refused.push(change);
    }
  }

  /** What a sync up to this number would write. */
  pendingUpTo(number: number): readonly FileChange[] {
    return this.#pending.filter((change) => change.number <= number);
  }

  #takeUpTo(number: number): FileChange[] {
    const all = this.#pending;
    if (all.length === 0 || all.at(-1)!.number <= number) {
      this.#pending = [];
      return all;
    }
    return all.splice(0, this.pendingUpTo(number).length);
  }

  /** Whether [from, to) is on the medium and no unsynced write touches its sectors. */
  isDurable(from: number, to: number): boolean {
    if (to > this.#synced.length) return false;
    const first = Math.floor(from / sectorBytes) * sectorBytes;
    const last = Math.ceil(to / sectorBytes) * sectorBytes;
    return ![...this.#pending, ...this.#refused].some(({ position, bytes }) =>
      bytes === null ? position < to : position < last && position + bytes.length > first,
    );
  }

  cachedBytes(): Uint8Array {
    return this.#cache.toBytes();
  }

  /** What the medium holds there. */
  readSynced(position: number, into: Uint8Array): number {
    return this.#synced.read(position, into);
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
    if (this.#pending.length === 0 && this.#refused.length === 0) return;
    this.#synced = this.#survivingImage(fate, random);
    this.#cache = this.#synced.clone();
    this.#pending = [];
    this.#refused = [];
  }

  /** Written and synced at once, as an operator's copy. */
  put(bytes: Uint8Array): void {
    this.write(0, bytes);
    this.syncUpTo(this.#changes);
  }

  #survivingImage(fate: UnsyncedFate, random: SimRandom): ByteImage {
    const image = this.#synced.clone();
    if (fate === UnsyncedFate.Keep) for (const change of this.#pending) applyChange(image, change);
    else if (fate === UnsyncedFate.Prefix) this.#applyPrefix(image, random);
    else if (fate !== UnsyncedFate.Drop) this.#applyMix(image, fate, random);
    return image;
  }

  #applyPrefix(image: ByteImage, random: SimRandom): void {
    const whole = random.below(this.#pending.length + 1);
    for (let i = 0; i < whole; i++) applyChange(image, this.#pending[i]!);
    const torn = this.#pending[whole];
    if (torn === undefined || torn.bytes === null) return;
    image.write(torn.position, torn.bytes.subarray(0, random.below(torn.bytes.length + 1)));
  }

  #applyMix(image: ByteImage, fate: UnsyncedFate, random: SimRandom): void {
    // Drawn per loss: some losses keep nearly all sectors, others nearly none.
    const keep = random.pick([0.1, 0.5, 0.9]);
    let lengthMin = this.#synced.length;
    for (const change of this.#pending) {
      if (change.bytes !== null) {
        if (fate === UnsyncedFate.Mix) {
          mixSectors(image, change.position, change.bytes, keep, random);
        } else {
          mixPages(image, change.position, change.bytes, random);
        }
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

/** Nothing of `refused` but what `change` has written is left. */
function covers(change: FileChange, refused: FileChange): boolean {
  if (change.bytes === null) return refused.position >= change.position;
  if (refused.bytes === null) return false;
  const { position, bytes } = change;
  const end = refused.position + refused.bytes.length;
  return position <= refused.position && position + bytes.length >= end;
}
