// One record of the replicated log. Immutable once constructed; its payload is a view of the
// buffer it arrived in, which nobody mutates.
import type { Index, Term } from "./types.ts";

/**
 * What a payload is. Kinds below `applicationKindMin` concern the core; the others are the state
 * machine's and opaque here. Values are on the wire and on disk: never reuse one.
 */
export const EntryKind = {
  /** Appended by a new leader (thesis §6.4), or in place of a refused configuration change. */
  Empty: 0,
  /** Payload: an encoded ConfChange (confchange/codec). */
  ConfChange: 1,
  /** Payload: u32 little-endian, the feature level that holds from the next entry on (P11). */
  Level: 2,
} as const;
export type EntryKind = number;

export const applicationKindMin = 16;

export class Entry {
  readonly term: Term;
  readonly index: Index;
  readonly kind: EntryKind;
  /** Feature level by which apply interprets the payload; stamped by the leader (P11). */
  readonly level: number;
  /** The leader's clock at append, ms since 1970; never below the entry before (P11). */
  readonly wallMs: number;
  readonly payload: Uint8Array;

  constructor(
    term: Term,
    index: Index,
    kind: EntryKind,
    level: number,
    wallMs: number,
    payload: Uint8Array,
  ) {
    this.term = term;
    this.index = index;
    this.kind = kind;
    this.level = level;
    this.wallMs = wallMs;
    this.payload = payload;
  }
}

/** What an entry costs against byte budgets: its payload and a fixed part for everything else. */
export function entryBytes(entry: Entry): number {
  return entry.payload.length + entryOverheadBytes;
}

export const entryOverheadBytes = 32;

/** A client operation offered to the log; the leader adds term, index, level and clock. */
export class Proposal {
  readonly kind: EntryKind;
  readonly payload: Uint8Array;

  constructor(kind: EntryKind, payload: Uint8Array) {
    this.kind = kind;
    this.payload = payload;
  }
}
