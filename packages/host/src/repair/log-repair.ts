// A member whose log has lost entries that it had acknowledged, and knows where the log ended, keeps its
// promises (reliability.md §3.3 rows 3, 5 and 9): it votes by that end, acknowledges what it has, and
// does not lead until the log is whole again. What is missing comes in a leader's ordinary appends.
// Where nobody leads, perhaps because nobody whole is left, it asks the voters (§3.5); what it still has
// behind a hole it takes from its own disk.
import { EntryKind, isVoter, memberIds } from "@quorate/raft";
import type { Entry, Index, LogPoint, NodeId, RaftApi } from "@quorate/raft";
import type { Recovered, Trace } from "@quorate/storage";
import { LogOutcome } from "../peers/log-codec.ts";
import type { LogAnswer, LogAsk } from "../peers/log-codec.ts";
import type { LogTalkApi } from "../peers/peers-api.ts";
import { answerLogAsk } from "./log-answer.ts";

export interface LogRepairParts {
  readonly raft: Pick<
    RaftApi,
    "promised" | "lastIndex" | "termAt" | "entries" | "mended" | "leader" | "status"
  >;
  readonly talk: LogTalkApi;
  readonly trace: Trace;
  /** Without a leader for so long, others are asked. */
  readonly silentTicks: number;
  /** From one question to the next: twice as long each time that nothing came of it. */
  readonly askTicksMin: number;
  readonly askTicksMax: number;
  /** What has happened to the hole, for the journal. */
  onHole(index: Index, what: string): void;
  /** The log has grown. */
  onMended(): void;
}

export class LogRepair {
  readonly #parts: LogRepairParts;
  /** Null: nothing is missing, or nothing is missing any more. */
  #promised: LogPoint | null;
  /** The last entry below the hole, at this process's start. */
  readonly #from: Index;
  /** What is left behind it, ascending, with gaps. */
  #behind: readonly Entry[];
  /** Of lost entries, each right before one of those. */
  #names: readonly LogPoint[];
  #leaderlessTicks: number;
  #waitTicks: number;
  #askTicks: number;
  /** The question that answers count for; null: none. */
  #asked: LogAsk | null;
  #number: number;

  constructor(parts: LogRepairParts, { behind, names }: Pick<Recovered, "behind" | "names">) {
    this.#parts = parts;
    this.#promised = parts.raft.promised();
    this.#from = parts.raft.lastIndex();
    this.#behind = behind;
    this.#names = names;
    this.#leaderlessTicks = 0;
    this.#waitTicks = 0;
    this.#askTicks = parts.askTicksMin;
    this.#asked = null;
    this.#number = 0;
    if (this.#promised !== null) this.#report(this.#promised);
  }

  /** One line; empty: the log is whole. */
  get reason(): string {
    const promised = this.#promised;
    if (promised === null) return "";
    const filled = Math.max(0, this.#parts.raft.lastIndex() - this.#from);
    return `a hole in the log is being filled: ${filled} of ${promised.index - this.#from}`;
  }

  tick(ticks: number): void {
    const promised = this.#promised;
    if (promised === null) return;
    const { raft, silentTicks } = this.#parts;
    if (raft.promised() === null) return this.#settled(promised);
    this.#leaderlessTicks = raft.leader() === 0 ? this.#leaderlessTicks + ticks : 0;
    if (this.#leaderlessTicks < silentTicks) return;
    this.#waitTicks -= ticks;
    if (this.#waitTicks > 0) return;
    this.#ask(promised);
    this.#waitTicks = this.#askTicks;
    this.#askTicks = Math.min(2 * this.#askTicks, this.#parts.askTicksMax);
  }

  /** A peer asks. */
  asked(from: NodeId, ask: LogAsk): void {
    this.#parts.talk.answer(from, answerLogAsk(this.#parts.raft, ask));
  }

  /** The peer's log holds what was asked about, or it does not; it may be late. */
  answered({ number, outcome, entries }: LogAnswer): void {
    const ask = this.#asked;
    if (ask === null || ask.number !== number || outcome !== LogOutcome.Have) return;
    const { raft } = this.#parts;
    // A leader may have appeared meanwhile: what the answer proves is about that last entry.
    const isJoined =
      raft.lastIndex() === ask.beforeIndex && raft.termAt(ask.beforeIndex) === ask.beforeTerm;
    const isFitting = entries.length > 0 && entries.at(-1)!.index <= ask.upToIndex;
    if (!isJoined || !isFitting || !raft.mended(entries)) return;
    this.#asked = null;
    this.#takeOwn();
    this.#askTicks = this.#parts.askTicksMin;
    this.#waitTicks = 0;
    this.#parts.onMended();
  }

  #ask(promised: LogPoint): void {
    const { raft, talk } = this.#parts;
    const beforeIndex = raft.lastIndex();
    // The nearer the end of what is asked for, the more members have it.
    const upTo = [...this.#names, ...this.#behind, promised]
      .filter(({ index }) => index > beforeIndex)
      .reduce((nearest, point) => (point.index < nearest.index ? point : nearest));
    this.#number++;
    this.#asked = {
      number: this.#number,
      beforeIndex,
      beforeTerm: raft.termAt(beforeIndex) ?? 0,
      upToIndex: upTo.index,
      upToTerm: upTo.term,
    };
    const { id, confState } = raft.status();
    const voters = memberIds(confState).filter((one) => one !== id && isVoter(confState, one));
    talk.ask(voters, this.#asked);
  }

  /**
   * Entries of the own disk that follow one which is in the log again, by itself or by its name. Its index
   * and term show that the log below it is the one in which these stood.
   */
  #takeOwn(): void {
    const { raft } = this.#parts;
    const last = raft.lastIndex();
    const isLast = ({ index, term }: LogPoint): boolean =>
      index === last && term === raft.termAt(last);
    if (!this.#names.some(isLast) && !this.#behind.some(isLast)) return;
    const run: Entry[] = [];
    for (const entry of this.#behind) {
      if (entry.index === last + run.length + 1) run.push(entry);
    }
    if (run.length > 0) raft.mended(run);
  }

  #settled(promised: LogPoint): void {
    const { raft, trace } = this.#parts;
    this.#promised = null;
    this.#behind = [];
    this.#names = [];
    this.#asked = null;
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

  #report({ index, term }: LogPoint): void {
    const { trace } = this.#parts;
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
