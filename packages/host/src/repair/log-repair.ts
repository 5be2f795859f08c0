// A member whose log has lost entries that it had acknowledged, and knows where the log ended, keeps its
// promises (reliability.md §3.3 rows 3, 5 and 9): it votes by that end, acknowledges what it has, and
// does not lead until the log is whole again. What is missing comes in a leader's ordinary appends.
// This watches it, and says how far it has come.
import { EntryKind, type Index, type LogEnd, type RaftApi } from "@quorate/raft";
import type { Recovered, Trace } from "@quorate/storage";

export interface LogRepairParts {
  readonly raft: Pick<RaftApi, "promised" | "lastIndex" | "termAt">;
  readonly trace: Trace;
  /** What has happened to the hole, for the journal. */
  onHole(index: Index, what: string): void;
}

export class LogRepair {
  readonly #parts: LogRepairParts;
  /** Null: nothing is missing, or nothing is missing any more. */
  #promised: LogEnd | null;
  /** The last entry below the hole, at this process's start. */
  readonly #from: Index;

  constructor(parts: LogRepairParts) {
    this.#parts = parts;
    this.#promised = parts.raft.promised();
    this.#from = parts.raft.lastIndex();
    if (this.#promised !== null) this.#report(this.#promised);
  }

  /** One line; empty: the log is whole. */
  get reason(): string {
    const promised = this.#promised;
    if (promised === null) return "";
    const filled = Math.max(0, this.#parts.raft.lastIndex() - this.#from);
    return `a hole in the log is being filled: ${filled} of ${promised.index - this.#from}`;
  }

  tick(): void {
    const promised = this.#promised;
    const { raft, trace } = this.#parts;
    if (promised === null || raft.promised() !== null) return;
    this.#promised = null;
    const term = raft.termAt(promised.index);
    // Below the log's first entry: a snapshot has brought it.
    const isCovered = term === null && raft.lastIndex() >= promised.index;
    if (isCovered || term === promised.term) {
      trace.info("the hole in the log is filled", { upTo: promised.index });
      trace.mark("repair.log.filled");
      this.#parts.onHole(promised.index, "filled");
    } else {
      trace.info("what the log had lost was never committed", { upTo: promised.index });
      trace.mark("repair.log.void");
      this.#parts.onHole(promised.index, "void: it was never committed");
    }
  }

  #report(promised: LogEnd): void {
    const { trace } = this.#parts;
    const { index, term } = promised;
    trace.error("entries of the log are lost: they come again from other members", {
      from: this.#from + 1,
      upTo: index,
      term,
    });
    trace.mark("repair.log.promised");
    this.#parts.onHole(index, `entries from ${this.#from + 1} on are lost`);
  }
}

/** Nobody else has been a member, as far as the log below its hole tells: there is nobody to ask. */
export function isHoleForGood(recovered: Recovered, members: number): boolean {
  if (recovered.promised === null || members > 1) return false;
  return recovered.entries.every(({ kind }) => kind !== EntryKind.ConfChange);
}
