// The log as the core sees it: the entries and the frontiers on them.
//
//   base ≤ applied ≤ handed ≤ committed ≤ last     (a snapshot not yet installed: applied < base)
//   handed ≤ durable: an entry is handed out for apply only once it is on the own disk (lesson 4)
//
// Decides what matches and what conflicts (Raft figure 2, AppendEntries 2 to 4). Who may ask is the
// roles' matter.
import { assert } from "@quorate/base";
import { EntryKind, entryBytes } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { LogTail } from "./log-tail.ts";
import { PersistQueue } from "./persist-queue.ts";
import { HardState } from "./types.ts";
import type { Index, LogPoint, SnapshotMeta, Term } from "./types.ts";
import type { InitialState } from "./config.ts";

export class Log {
  readonly tail: LogTail;
  readonly persist: PersistQueue;
  committed: Index;
  /** Given out in Ready.committed up to here. */
  handed: Index;
  /** The state machine holds everything up to here. */
  applied: Index;
  /** ConfChange entries handed out for apply whose outcome the host has not told, ascending. */
  readonly confChangesHanded: Index[];
  /** Every configuration change up to here has taken effect, or was rejected. */
  confChangeDone: Index;
  /** Restored and not yet handed out in a persist batch. */
  snapshotToInstall: SnapshotMeta | null;
  /** Only the state is replaced by it, the log stays. */
  snapshotKeepsLog: boolean;
  /** Index of a restored snapshot that is not installed yet; 0: none. */
  snapshotPending: Index;
  /**
   * The log has lost bytes: it once ended here, and what was acknowledged and granted rests on that
   * end (§3.3 row 3). Moves only to null, by `settlePromise`. Invariant: lastIndex < promised.index.
   */
  promised: LogPoint | null;
  /** What hellos tell at least, until that which ended the promise is durable; 0: nothing. */
  toldIndex: Index;
  /** Durable up to here, the end of the promise is. */
  #toldUntil: Index;

  constructor(initial: InitialState, level: number, persistBatchesInFlightMax: number) {
    this.tail = new LogTail(initial.snapshotIndex, initial.snapshotTerm, level, 0);
    for (const entry of initial.entries) this.tail.push(entry);
    if (initial.entries.length === 0) this.tail.baseWallMs = initial.wallMs;
    const last = this.tail.lastIndex;
    assert(initial.applied >= initial.snapshotIndex, "initial state: applied below the log");
    assert(initial.applied <= last, "initial state: applied beyond the log");
    // A commit index beyond the log is what the mark of a snapshot leaves whose installation was
    // cut short (P9): all that we have is committed, and nothing that we told anybody is missing.
    this.committed = Math.max(initial.applied, Math.min(initial.hardState.commit, last));
    const { term, vote } = initial.hardState;
    const hardState = new HardState(term, vote, this.committed);
    this.persist = new PersistQueue(persistBatchesInFlightMax, hardState, last);
    this.handed = initial.applied;
    this.applied = initial.applied;
    this.confChangesHanded = [];
    this.confChangeDone = initial.applied;
    this.snapshotToInstall = null;
    this.snapshotKeepsLog = false;
    this.snapshotPending = 0;
    this.promised = initial.promised ?? null;
    assert(this.promised === null || this.promised.index > last, "initial state: no hole");
    assert(this.promised === null || this.promised.term <= term, "initial state: a term to come");
    this.toldIndex = this.promised?.index ?? 0;
    this.#toldUntil = 0;
  }

  get lastIndex(): Index {
    return this.tail.lastIndex;
  }

  get firstIndex(): Index {
    return this.tail.baseIndex + 1;
  }

  get lastTerm(): Term {
    return this.tail.lastTerm;
  }

  /** Whether a log that ends in (index, term) holds all that this one may have committed (§5.4.1). */
  isUpToDate(index: Index, term: Term): boolean {
    const { promised } = this;
    if (promised !== null && !reaches(index, term, promised.index, promised.term)) return false;
    return reaches(index, term, this.lastIndex, this.lastTerm);
  }

  /**
   * After the log has changed by a leader's word, or by what was proved to be its own: the promise
   * is met when the log reaches its end again, and void when the leader's log cannot hold that end.
   * A truncation below it proves nothing: who had it may still be elected.
   */
  settlePromise(): void {
    const { promised } = this;
    if (promised === null) return;
    const isReached = this.lastIndex >= promised.index;
    // Terms never fall along a log: with a higher one before it, the entry there is another.
    const isVoid = this.lastTerm > promised.term;
    if (!isReached && !isVoid) return;
    this.promised = null;
    this.#toldUntil = this.lastIndex;
  }

  /** What hellos tell: nothing less than was ever acknowledged from this disk. */
  get attestedIndex(): Index {
    return Math.max(this.persist.durableIndex, this.toldIndex);
  }

  /** Batches have become durable. */
  forgetPromise(): void {
    if (this.toldIndex === 0 || this.promised !== null) return;
    if (this.persist.durableIndex >= this.#toldUntil) this.toldIndex = 0;
  }

  matches(index: Index, term: Term): boolean {
    return this.tail.termAt(index) === term;
  }

  /**
   * The highest index ≤ `index` whose term is ≤ `term`: where a log of the other side, which has
   * `term` at `index`, may still be equal (lesson 38). Stops at the base.
   */
  findConflictByTerm(index: Index, term: Term): Index {
    let at = Math.min(index, this.lastIndex);
    while (at > this.tail.baseIndex && this.tail.termAt(at)! > term) at--;
    return at;
  }

  /**
   * How many of a leader's entries, which stand behind a matching one, are here already. Only what
   * differs may be replaced: a late message must not cut off what a newer one brought.
   */
  countPresent(entries: readonly Entry[]): number {
    let count = 0;
    while (count < entries.length && this.matches(entries[count]!.index, entries[count]!.term)) {
      count++;
    }
    return count;
  }

  /** Takes over a leader's entries from the `from`-th on; conflicting ones go. */
  merge(entries: readonly Entry[], from: number): void {
    const first = entries[from]!.index;
    assert(first > this.committed, "a leader wants to overwrite a committed entry");
    if (first <= this.lastIndex) {
      this.tail.truncateFrom(first);
      this.persist.truncated(first);
    }
    for (let i = from; i < entries.length; i++) this.tail.push(entries[i]!);
  }

  /**
   * Takes back what was lost: entries that this log held behind its present last one, as the caller
   * has proved. False: they do not continue it, or reach beyond what was promised.
   */
  mend(entries: readonly Entry[]): boolean {
    const { promised, tail } = this;
    if (promised === null || this.snapshotPending > 0) return false;
    let before = { index: tail.lastIndex, term: tail.lastTerm, wallMs: tail.lastWallMs };
    for (const entry of entries) {
      const isNext = entry.index === before.index + 1 && entry.index <= promised.index;
      const isInOrder = entry.term >= before.term && entry.wallMs >= before.wallMs;
      const isOurs =
        entry.index < promised.index ? entry.term <= promised.term : entry.term === promised.term;
      if (!isNext || !isInOrder || !isOurs) return false;
      before = entry;
    }
    for (const entry of entries) tail.push(entry);
    this.settlePromise();
    return true;
  }

  commitTo(index: Index): void {
    assert(index <= this.lastIndex, "log: commit beyond the last entry");
    assert(index >= this.committed, "log: commit went back");
    this.committed = index;
  }

  /** May be handed out for apply up to here. */
  get appliable(): Index {
    return Math.min(this.committed, this.persist.durableIndex);
  }

  /** Moves entries ready for apply into `into`; at least one if there is any. */
  handOut(bytesMax: number, into: Entry[]): void {
    const upTo = this.appliable;
    let bytes = 0;
    while (this.handed < upTo) {
      const entry = this.tail.at(this.handed + 1);
      bytes += entryBytes(entry);
      if (bytes > bytesMax && into.length > 0) return;
      into.push(entry);
      this.handed++;
      if (entry.kind === EntryKind.ConfChange) this.confChangesHanded.push(entry.index);
    }
  }

  appliedTo(index: Index): void {
    if (index <= this.applied) return;
    assert(index <= this.handed, "applied what was not handed out");
    const open = this.confChangesHanded;
    assert(open.length === 0 || open[0]! > index, "applied past an undecided configuration change");
    this.applied = index;
  }

  /** The host decided about the oldest ConfChange entry handed out. */
  confChangeDecided(): Index {
    const index = this.confChangesHanded.shift() ?? 0;
    if (index > 0) this.confChangeDone = index;
    return index;
  }

  /** A configuration change that is committed and has not taken effect yet (lesson 29). */
  get confChangeUnapplied(): boolean {
    return this.tail.confChangeIn(this.confChangeDone, this.committed) > 0;
  }

  /** A configuration change anywhere in the log that has not taken effect yet (lesson 28). */
  get confChangeInFlight(): boolean {
    return this.tail.confChangeIn(this.confChangeDone, this.lastIndex) > 0;
  }

  restore(snapshot: SnapshotMeta): void {
    assert(snapshot.index > this.committed, "log: snapshot of what is committed");
    const level = snapshot.level > 0 ? snapshot.level : this.tail.nextLevel;
    const wallMs = Math.max(snapshot.wallMs, this.tail.lastWallMs);
    this.tail.resetTo(snapshot.index, snapshot.term, level, wallMs);
    this.persist.replaced(snapshot.index);
    this.committed = snapshot.index;
    this.handed = snapshot.index;
    this.confChangesHanded.length = 0;
    this.confChangeDone = snapshot.index;
    this.snapshotToInstall = snapshot;
    this.snapshotKeepsLog = false;
    this.snapshotPending = snapshot.index;
    this.settlePromise();
  }

  /** May take the state of a snapshot that ends where this log has the very entry, durable and kept. */
  holds({ index, term }: SnapshotMeta): boolean {
    return index >= this.applied && index <= this.persist.durableIndex && this.matches(index, term);
  }

  /** The state alone comes anew: the log and all that was promised about it stay (§3.3 row 14). */
  replaceState(snapshot: SnapshotMeta): void {
    assert(this.holds(snapshot), "log: a state that the log does not hold");
    assert(snapshot.index <= this.committed, "log: a state of what is not committed");
    this.handed = snapshot.index;
    this.confChangesHanded.length = 0;
    this.confChangeDone = snapshot.index;
    this.snapshotToInstall = snapshot;
    this.snapshotKeepsLog = true;
    this.snapshotPending = snapshot.index;
  }

  /** The snapshot is durable and in force: the state machine holds it. */
  installed(index: Index): void {
    this.applied = Math.max(this.applied, index);
    if (this.snapshotPending === index) this.snapshotPending = 0;
  }

  compact(index: Index): void {
    if (index <= this.tail.baseIndex) return;
    assert(index <= this.applied, "log: compaction of what is not applied");
    this.tail.compactTo(index);
  }
}

function reaches(index: Index, term: Term, endIndex: Index, endTerm: Term): boolean {
  return term > endTerm || (term === endTerm && index >= endIndex);
}
