// What a medium does to durable bytes and names behind everyone's back: they rot, cannot be read, are
// cut off, vanish or change places, and writes turn out to be lost or to stand elsewhere. All of it
// lies over the truth (file-damage.ts): a member that writes anew is whole again, and `mend` takes
// everything away.
import { assert } from "@quorate/base";
import { isQuarantine } from "@quorate/storage/internal";
import { nameOf, parentOf } from "./path.ts";
import type { RecentWrite } from "./recent-writes.ts";
import { SimDirectory, type SimNode } from "./sim-directory.ts";
import type { SimFile } from "./sim-file.ts";

/** The disk, as far as damage goes by paths. */
export interface DamagedTree {
  nodeAt(path: string): SimNode | null;
  fileAt(path: string): SimFile | null;
  durableFileAt(path: string): SimFile | null;
}

export interface DamagedFile {
  readonly path: string;
  /** Null: the name itself is damaged. */
  readonly file: SimFile | null;
}

export class DiskDamage {
  readonly #tree: DamagedTree;
  /** Where the two halves of the one misdirected write are. */
  #misdirected: readonly { readonly file: SimFile; readonly from: number; readonly to: number }[];

  constructor(tree: DamagedTree) {
    this.#tree = tree;
    this.#misdirected = [];
  }

  /** The bytes there read as these. */
  rot(path: string, position: number, bytes: Uint8Array): void {
    this.#fileAt(path).damage.garble(position, bytes);
  }

  /** A latent error: reads of the range say EIO until it is written anew. */
  failReads(path: string, from: number, to: number): void {
    this.#fileAt(path).damage.failReads(from, to);
  }

  /** The file ends there. */
  cut(path: string, length: number): void {
    const file = this.#fileAt(path);
    assert(length < file.length, "DiskDamage.cut: nothing is cut off");
    file.damage.cut(length);
  }

  /** The name is gone. */
  hide(path: string): void {
    this.#fileAt(path);
    this.#directoryOf(path).damage.set(nameOf(path), null);
  }

  /** Each name means the other's file. */
  swap(one: string, other: string): void {
    const files = [this.#fileAt(one), this.#fileAt(other)] as const;
    this.#directoryOf(one).damage.set(nameOf(one), files[1]);
    this.#directoryOf(other).damage.set(nameOf(other), files[0]);
  }

  /** It never reached the medium, although its sync said so. False: something came over it since. */
  lose(write: RecentWrite): boolean {
    if (!this.#stands(write)) return false;
    write.file.damage.garble(write.position, write.before);
    return true;
  }

  /** It went there instead. False: as with `lose`, or another misdirected write is alive. */
  misdirect(write: RecentWrite, path: string, position: number): boolean {
    const victim = this.#fileAt(path);
    const end = position + write.bytes.length;
    assert(end <= victim.length, "DiskDamage.misdirect: behind the end of the file");
    if (this.misdirectAlive || !this.lose(write)) return false;
    victim.damage.garble(position, write.bytes);
    const from = write.position;
    this.#misdirected = [
      { file: write.file, from, to: from + write.bytes.length },
      { file: victim, from: position, to: end },
    ];
    return true;
  }

  get misdirectAlive(): boolean {
    return this.#misdirected.some(({ file, from, to }) => file.damage.touches(from, to));
  }

  /**
   * Everything below the directory that is not as it was written and has a name. What was set aside is
   * nobody's any more.
   */
  alive(directory: string): DamagedFile[] {
    const found: DamagedFile[] = [];
    const node = this.#tree.nodeAt(directory);
    if (!(node instanceof SimDirectory)) return found;
    for (const [name, entry] of node.entries) {
      const path = `${directory}/${name}`;
      if (isQuarantine(name)) continue;
      if (node.damage.has(name)) found.push({ path, file: null });
      if (entry instanceof SimDirectory) found.push(...this.alive(path));
      else if (!entry.damage.none) found.push({ path, file: entry });
    }
    return found;
  }

  /** What gives the directory its present damage back, and no other. */
  remember(directory: string): () => void {
    const node = this.#tree.nodeAt(directory);
    assert(node instanceof SimDirectory, () => `DiskDamage: no directory ${directory}`);
    const names = new Map(node.damage);
    const undo = [...node.entries.values()].flatMap((entry) =>
      entry instanceof SimDirectory ? [] : [entry.damage.remember()],
    );
    const misdirected = this.#misdirected;
    return () => {
      node.damage.clear();
      for (const [name, meant] of names) node.damage.set(name, meant);
      for (const back of undo) back();
      this.#misdirected = misdirected;
    };
  }

  /** Below the directory everything reads as it was written. */
  mend(directory: string): void {
    const node = this.#tree.nodeAt(directory);
    if (!(node instanceof SimDirectory)) return;
    node.damage.clear();
    for (const [name, entry] of node.entries) {
      if (entry instanceof SimDirectory) this.mend(`${directory}/${name}`);
      else entry.damage.clear();
    }
  }

  /** The medium holds it, under its name, and nothing was written over it. */
  #stands({ path, file, position, bytes }: RecentWrite): boolean {
    if (this.#tree.durableFileAt(path) !== file) return false;
    if (!file.isDurable(position, position + bytes.length)) return false;
    const now = new Uint8Array(bytes.length);
    file.readSynced(position, now);
    return now.every((byte, at) => byte === bytes[at]);
  }

  #fileAt(path: string): SimFile {
    const file = this.#tree.fileAt(path);
    assert(file !== null, () => `DiskDamage: no file ${path}`);
    return file;
  }

  #directoryOf(path: string): SimDirectory {
    const directory = this.#tree.nodeAt(parentOf(path));
    assert(directory instanceof SimDirectory, () => `DiskDamage: no directory of ${path}`);
    return directory;
  }
}
