// S8: a raft id votes once a term, as its disk tells it over all its starts, and only for a candidate
// whose log is at least as up to date as its own (Raft §5.4.1).
import { demand } from "./violation.ts";

const property = "S8 one vote per term";

interface Vote {
  readonly term: number;
  readonly vote: number;
}

export interface LogEnd {
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export class OneVote {
  /** Raft id → its newest hard state on disk. */
  readonly #votes: Map<number, Vote>;
  /** Candidate and term → the end of the log that it quotes. */
  readonly #asked: Map<string, LogEnd>;

  constructor() {
    this.#votes = new Map();
    this.#asked = new Map();
  }

  /** The next hard state that has become durable. */
  durable(raftId: number, term: number, vote: number): void {
    const before = this.#votes.get(raftId);
    if (before?.term === term && before.vote === vote) return;
    if (before !== undefined) {
      demand(
        term >= before.term,
        property,
        () => `the term of ${raftId} went back on its disk from ${before.term} to ${term}`,
      );
      demand(
        term > before.term || before.vote === 0,
        property,
        () => `${raftId} voted for ${before.vote} and then for ${vote} in term ${term}`,
      );
    }
    this.#votes.set(raftId, { term, vote });
  }

  asked(candidate: number, term: number, end: LogEnd): void {
    this.#asked.set(`${candidate} ${term}`, end);
  }

  /** `own`: the end of the voter's durable log when the grant leaves. */
  granted(voter: number, candidate: number, term: number, own: LogEnd): void {
    const asked = this.#asked.get(`${candidate} ${term}`);
    demand(
      asked !== undefined,
      property,
      () => `${voter} grants ${candidate} its vote in term ${term}, nobody has asked for it`,
    );
    // Entries of that term or a later one have come since it was given.
    if (own.lastTerm >= term) return;
    const upToDate =
      asked.lastTerm > own.lastTerm ||
      (asked.lastTerm === own.lastTerm && asked.lastIndex >= own.lastIndex);
    demand(
      upToDate,
      property,
      () =>
        `${voter}, whose log ends at ${own.lastIndex} of term ${own.lastTerm}, grants its vote to ` +
        `${candidate} with ${asked.lastIndex} of term ${asked.lastTerm}`,
    );
  }

  /** Its disk was put back or wiped: what it knew of its votes is gone. */
  forgets(raftId: number): void {
    this.#votes.delete(raftId);
  }
}
