// What became of proposals whose place in the log was truncated. That alone does not decide them: a
// later leader that still has such an entry may commit it (Raft figure 8). Certain is only that an
// entry is dead when another one is committed at its index.
import type { Log } from "./log.ts";
import { DroppedProposal } from "./ready.ts";
import type { Index, Term } from "./types.ts";

/** Beyond this many undecided ones the host is not told: its waiters time out as unknown. */
const truncatedMax = 1_048_576;

export class OwnProposals {
  /** Terms that this process led and of which uncommitted entries may still be in the log. */
  #ledTerms: Term[];
  #truncated: DroppedProposal[];

  constructor() {
    this.#ledTerms = [];
    this.#truncated = [];
  }

  led(term: Term): void {
    this.#ledTerms.push(term);
  }

  /** The log is about to be truncated from `first` on. */
  truncating(log: Log, first: Index): void {
    if (this.#ledTerms.length === 0) return;
    for (let index = first; index <= log.lastIndex; index++) {
      const term = log.tail.at(index).term;
      if (!this.#ledTerms.includes(term)) continue;
      if (this.#truncated.length >= truncatedMax) return;
      this.#truncated.push(new DroppedProposal(index, term));
    }
  }

  /** The commit index moved: who lies below it in vain is dead. */
  settle(log: Log, into: DroppedProposal[]): void {
    const committedTerm = log.tail.termAt(log.committed);
    if (this.#ledTerms.length > 0 && committedTerm !== null) {
      this.#ledTerms = this.#ledTerms.filter((term) => term >= committedTerm);
    }
    if (this.#truncated.length === 0) return;
    const open: DroppedProposal[] = [];
    for (const proposal of this.#truncated) {
      if (proposal.index > log.committed) open.push(proposal);
      else if (isReplaced(log, proposal)) into.push(proposal);
    }
    this.#truncated = open;
  }
}

/** False when the very same entry came back, or when a snapshot hides which one it was. */
function isReplaced(log: Log, proposal: DroppedProposal): boolean {
  const term = log.tail.termAt(proposal.index);
  return term !== null && term !== proposal.term;
}
