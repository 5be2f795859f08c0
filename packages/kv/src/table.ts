// Replicated tables (DESIGN.md 15): state besides the rows that apply changes and checkpoints,
// snapshots and digests must carry. Each registers once, in a fixed order, before anything applies.

export interface ReplicatedTable {
  /** Stable: names the section in checkpoints. */
  readonly name: string;
  /**
   * Two unsigned 32-bit lanes over the present content; equal content, equal digest. Zero and zero: of
   * a table that may be younger than the state, while it is empty; it then does not count.
   */
  digest(): { readonly low: number; readonly high: number };
  /** The whole content, deterministic: equal content, equal bytes. */
  snapshot(): Uint8Array;
  /** Replaces the content; false when the bytes are not a snapshot of this table. */
  restore(bytes: Uint8Array): boolean;
  /** Back to the content before genesis. */
  clear(): void;
}

/** One table's section in a checkpoint. */
export class TableRecord {
  readonly name: string;
  readonly bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
  }
}
