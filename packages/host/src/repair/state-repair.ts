// A member whose rows are damaged, or whose state differs from the others', has its promises still: the
// log is whole (reliability.md §3.3 row 14, §3.9). It goes on voting and acknowledging, answers no
// client, hands leadership over, and asks the leader for a snapshot that reaches as far as it had
// applied; what follows it applies from its own log.
import type { NodeId, RaftApi } from "@quorate/raft";
import type { Trace } from "@quorate/storage";
import type { PeersApi } from "../peers/peers-api.ts";

/** So often a state may be found damaged right after it was written. */
const failuresMax = 3;

export interface StateRepairParts {
  readonly raft: RaftApi;
  readonly peers: Pick<PeersApi, "askState">;
  readonly trace: Trace;
  /** From one question to the next: at first, and at most. */
  readonly askTicks: number;
  readonly askTicksMax: number;
  /** Up to here the state was applied. */
  applied(): number;
  /** A snapshot is on its way in, or being installed: nothing is to be asked. */
  isReceiving(): boolean;
  /** That leader's state is not known to be the odd one itself. */
  mayGive(leader: NodeId): boolean;
  /** Nothing is applied or read from now on. */
  fence(): void;
  /** The disk damages what it is given: no use in sending it the same for ever (§3.7). It ends soon. */
  giveUp(failures: number): void;
  /** Hands leadership to somebody whose state is whole; `done` also when there is nobody, or no need. */
  handOver(done: () => void): void;
}

export class StateRepair {
  readonly #parts: StateRepairParts;
  /** Why the state is lost; empty: it is not. */
  #reason: string;
  #sinceAskTicks: number;
  /** From one question to the next: longer after every transfer that came to nothing (§3.7). */
  #askTicks: number;
  #received: boolean;
  /** States installed and found damaged when they were read back, in a row. */
  #failures: number;
  #proving: boolean;

  /** `reason`: found when the storage was opened; empty: nothing was. */
  constructor(parts: StateRepairParts, reason: string) {
    this.#parts = parts;
    this.#reason = reason;
    this.#sinceAskTicks = parts.askTicks;
    this.#askTicks = parts.askTicks;
    this.#received = false;
    this.#failures = 0;
    this.#proving = false;
    if (reason !== "") this.#report();
  }

  get reason(): string {
    return this.#reason;
  }

  /** The state is not to be trusted any more. */
  lose(reason: string): void {
    if (this.#reason !== "") return;
    const parts = this.#parts;
    this.#reason = reason;
    this.#report();
    parts.fence();
    if (this.#proving && ++this.#failures >= failuresMax) return parts.giveUp(this.#failures);
    parts.handOver(() => parts.raft.stateLost());
  }

  tick(ticks: number): void {
    if (this.#reason === "" || this.#failures >= failuresMax) return;
    const parts = this.#parts;
    if (parts.isReceiving()) {
      this.#received = true;
      return;
    }
    if (this.#received) this.#receivedInVain();
    this.#sinceAskTicks += ticks;
    if (this.#sinceAskTicks < this.#askTicks) return;
    const leader = parts.raft.leader();
    if (leader === 0 || parts.raft.isLeader() || !parts.mayGive(leader)) return;
    this.#sinceAskTicks = 0;
    parts.peers.askState(leader, parts.applied());
  }

  /** A snapshot is in force, and will be read back. */
  installed(): void {
    if (this.#reason === "") return;
    this.#proving = true;
    this.#reason = "";
    this.#received = false;
    this.#askTicks = this.#parts.askTicks;
    this.#sinceAskTicks = this.#askTicks;
  }

  #receivedInVain(): void {
    this.#received = false;
    this.#sinceAskTicks = 0;
    this.#askTicks = Math.min(this.#parts.askTicksMax, 2 * this.#askTicks);
  }

  /** The rows are what their checkpoint says. */
  scanned(): void {
    if (!this.#proving) return;
    this.#proving = false;
    this.#failures = 0;
    this.#parts.trace.info("the state is rebuilt");
    this.#parts.trace.mark("repair.state.rebuilt");
  }

  #report(): void {
    this.#parts.trace.error("the state is damaged: it is rebuilt from another member's", {
      reason: this.#reason,
    });
    this.#parts.trace.mark("repair.state.lost");
  }
}
