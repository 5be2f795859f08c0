// When a restarted member may end its quiet start (P5 b): every other voter has answered this
// session's hello, and none knows a leader or a higher boot count of this member.
import type { NodeId } from "@quorate/raft";
import type { Hello } from "./hello.ts";

export class QuietWatch {
  readonly #raftId: NodeId;
  readonly #bootCount: number;
  #voters: readonly NodeId[];
  /** Who answered, and knew nothing better. */
  readonly #answered: Set<NodeId>;
  #resolved: boolean;

  constructor(raftId: NodeId, bootCount: number) {
    this.#raftId = raftId;
    this.#bootCount = bootCount;
    this.#voters = [];
    this.#answered = new Set();
    this.#resolved = false;
  }

  setVoters(voters: readonly NodeId[]): void {
    this.#voters = voters;
  }

  /** The hello with which an accepted session answered a hello of this process. */
  answeredBy(hello: Hello): void {
    if (hello.leader === 0 && hello.toBootCount <= this.#bootCount) {
      this.#answered.add(hello.raftId);
    } else {
      this.#answered.delete(hello.raftId);
    }
  }

  /** Another process speaks for the raft id: it has not answered yet. */
  forget(raftId: NodeId): void {
    this.#answered.delete(raftId);
  }

  /** True once: when the condition holds for the first time. */
  maybeResolve(): boolean {
    if (this.#resolved || this.#voters.length === 0) return false;
    const all = this.#voters.every((id) => id === this.#raftId || this.#answered.has(id));
    if (all) this.#resolved = true;
    return all;
  }
}
