// Listens to every entry that a process applies, in order, and knows which entry made which revision.
import { assert } from "@quorate/base";
import type { AppliedOperation } from "@quorate/kv";
import { type CommittedEntry, otherKind } from "../checkers/committed-log.ts";
import type { StampWatch } from "./stamp-watch.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** An entry by its name. */
export interface EntryName {
  readonly index: number;
  readonly term: number;
}

export class ApplyWatch {
  readonly #checkers: StateCheckers;
  readonly #stamps: StampWatch;
  readonly #revisions: Map<number, EntryName>;

  constructor(checkers: StateCheckers, stamps: StampWatch) {
    this.#checkers = checkers;
    this.#stamps = stamps;
    this.#revisions = new Map();
  }

  /** The entry that made this revision; undefined: nobody has applied one. */
  maker(revision: number): EntryName | undefined {
    return this.#revisions.get(revision);
  }

  listen(watched: WatchedProcess): void {
    const { kv, pump } = watched.inside;
    this.#checkers.appliedOnce.restored(watched.incarnation.name, pump.applied);
    const beginRebuild = kv.beginRebuild.bind(kv);
    kv.beginRebuild = (records) => {
      watched.restored = true;
      return beginRebuild(records);
    };
    const apply = kv.apply.bind(kv);
    const skip = kv.skip.bind(kv);
    kv.apply = (operation, wantReply, headerTerm) => {
      const before = kv.revision;
      const reply = apply(operation, wantReply, headerTerm);
      watched.applies.push(this.#committedOf(operation));
      if (kv.revision > before) {
        const { index, term } = operation;
        this.#revisions.set(kv.revision, { index, term });
      }
      return reply;
    };
    kv.skip = (index, term) => {
      skip(index, term);
      watched.applies.push({ index, term, kind: otherKind, level: 0, wallMs: 0, payload: nothing });
    };
  }

  /** At the end of the event. */
  judge(watched: WatchedProcess): void {
    if (watched.restored) this.#restored(watched);
    if (watched.applies.length === 0) return;
    const { name } = watched.incarnation;
    const term = watched.inside.raft.term();
    for (const entry of watched.applies) {
      this.#checkers.appliedOnce.applied(name, entry.index);
      const isFirst = entry.index > this.#checkers.committed.lastIndex;
      if (isFirst && entry.kind !== otherKind) this.#stamps.applied(entry);
      this.#checkers.committed.applied(name, term, entry);
    }
    watched.applies.length = 0;
  }

  /** The rows of a snapshot are scanned over several turns: nothing is applied in this one. */
  #restored(watched: WatchedProcess): void {
    watched.restored = false;
    assert(watched.applies.length === 0, "ApplyWatch: applied in the turn of a snapshot");
    this.#checkers.appliedOnce.restored(watched.incarnation.name, watched.inside.pump.applied);
  }

  // Only the first member's payload is kept; the others' are only compared before the event ends.
  #committedOf(operation: AppliedOperation): CommittedEntry {
    const { index, term, kind, level, wallMs } = operation;
    const isFirst = index > this.#checkers.committed.lastIndex;
    const payload = isFirst ? operation.payload.slice() : operation.payload;
    return { index, term, kind, level, wallMs, payload };
  }
}

const nothing = new Uint8Array(0);
