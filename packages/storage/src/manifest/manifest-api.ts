// The manifest as the WAL and the rows use it: one list of the files in force, two equal copies on
// disk (P9). One writer makes generations; changes queue and are merged.

export interface WalSegmentEntry {
  /** Names the file; ascending without gaps as segments are made. */
  readonly id: number;
  /** Random per use; mixed into every CRC of the segment (reliability.md §3.2). */
  readonly nonce: number;
  readonly bytes: number;
}

export interface RowSegmentEntry {
  readonly name: string;
  readonly nonce: number;
  /** Raft id under which it was written: a transferred segment keeps its bytes (P9). */
  readonly originRaftId: number;
  /** Bytes in force (padded to 4 KiB); the file may be longer, never shorter. */
  readonly bytes: number;
  /** CRC32C over those bytes, also while it grows: a row that became zeros looks like padding. */
  readonly crc: number;
  readonly sealed: boolean;
  readonly firstMain: number;
}

export interface CheckpointEntry {
  readonly id: number;
  readonly index: number;
  readonly term: number;
  /** File with the tables and the peers' records. */
  readonly tablesName: string;
  readonly tablesBytes: number;
  readonly tablesCrc: number;
  /** Copy of the WAL's durableSeq when the checkpoint was made (P8). */
  readonly durableSeq: number;
}

export interface ManifestState {
  readonly generation: number;
  readonly walSegments: readonly WalSegmentEntry[];
  readonly rowSegments: readonly RowSegmentEntry[];
  readonly checkpoint: CheckpointEntry | null;
}

export interface ManifestApi {
  readonly state: ManifestState;
  /**
   * Queues a change; `edit` gets the state at the time it is written and returns the next one
   * (generation is filled in). `done` when both copies are durable.
   */
  change(edit: (state: ManifestState) => ManifestState, done: () => void): void;
}
