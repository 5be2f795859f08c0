// One simulated directory: names as processes see them, names as the medium certainly has them, and
// the ordered changes between (create, rename, remove), which only a sync of the directory makes
// durable. Which of them survive a power loss is decided for the whole disk at once (sim-disk).
// Damage to names lies over them and is gone as soon as the process changes the name.
import type { SimFile } from "./sim-file.ts";

export type SimNode = SimFile | SimDirectory;

/** A name begins to mean a node, or (node null) ceases to mean one. */
export class DirectoryChange {
  /** Ascending over the whole disk. */
  readonly number: number;
  readonly directory: SimDirectory;
  readonly name: string;
  readonly node: SimNode | null;
  /** The other half of a rename. Invariant: a lost old name implies a durable new one. */
  twin: DirectoryChange | null;

  constructor(number: number, directory: SimDirectory, name: string, node: SimNode | null) {
    this.number = number;
    this.directory = directory;
    this.name = name;
    this.node = node;
    this.twin = null;
  }
}

export class SimDirectory {
  readonly id: number;
  entries: Map<string, SimNode>;
  synced: Map<string, SimNode>;
  pending: DirectoryChange[];
  /** Damaged names: what they mean to a process instead; null: nothing. */
  readonly damage: Map<string, SimNode | null>;

  constructor(id: number) {
    this.id = id;
    this.entries = new Map();
    this.synced = new Map();
    this.pending = [];
    this.damage = new Map();
  }

  /** What the name means to a process; undefined: nothing. */
  shown(name: string): SimNode | undefined {
    const damaged = this.damage.get(name);
    return damaged === undefined ? this.entries.get(name) : (damaged ?? undefined);
  }

  shownNames(): string[] {
    return [...this.entries.keys()].filter((name) => this.shown(name) !== undefined);
  }

  /** Visible at once, durable later. */
  change(change: DirectoryChange): void {
    this.damage.delete(change.name);
    applyTo(this.entries, change);
    this.pending.push(change);
  }

  /** Everything up to this number, and the other half of renames, becomes durable. */
  syncUpTo(number: number): void {
    while (this.pending.length > 0 && this.pending[0]!.number <= number) {
      const change = this.pending.shift()!;
      const twin = change.twin;
      // A name given away is durable only together with the new one; with it, as in a journal,
      // goes everything before it.
      if (change.node === null && twin !== null) twin.directory.syncUpTo(twin.number);
      applyTo(this.synced, change);
    }
  }

  /** The names after a power loss that these changes survived. */
  surviving(kept: ReadonlySet<DirectoryChange>): Map<string, SimNode> {
    const names = new Map(this.synced);
    for (const change of this.pending) {
      if (kept.has(change)) applyTo(names, change);
    }
    return names;
  }
}

function applyTo(names: Map<string, SimNode>, change: DirectoryChange): void {
  if (change.node === null) names.delete(change.name);
  else names.set(change.name, change.node);
}
