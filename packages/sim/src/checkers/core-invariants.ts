// The consensus core's own invariants (raft/src/invariants.ts), looked at between its inputs: what a
// single core must keep to whatever the others do, and how it may change from one look to the next.
// They are too thorough for every turn, so every eighth of a process is looked at.
import { RaftNode } from "@quorate/raft";
import type { RaftApi } from "@quorate/raft";
import { checkInvariants, type CoreSnapshot } from "@quorate/raft/internal";

const turnsBetween = 8;

export class CoreInvariants {
  #turns: number;
  #last: CoreSnapshot | null;
  #node: RaftApi | null;

  constructor() {
    this.#turns = 0;
    this.#last = null;
    this.#node = null;
  }

  /** At the end of a turn. What does not hold is an assertion of the process, as inside the core. */
  turn(raft: RaftApi): void {
    if (++this.#turns % turnsBetween !== 0 || !(raft instanceof RaftNode)) return;
    // Of another process nothing is known yet.
    if (this.#node !== raft) this.#last = null;
    this.#node = raft;
    this.#last = checkInvariants(raft, this.#last);
  }
}
