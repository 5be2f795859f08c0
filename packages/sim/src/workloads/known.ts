// What clients have heard of revisions, and the limits of the cluster: shared by all workloads of a
// run, so that each can ask for the present, the past, what was compacted and what is still to come.
import { CompactionRequest } from "@quorate/kv";
import type { Limits } from "../checkers/evidence.ts";
import type { ClientOperation } from "../client/history.ts";
import { replyText } from "../model/reply-text.ts";
import type { SimRandom } from "../sim-random.ts";

export class Known {
  readonly limits: Limits;
  /** Newest revision that any client has heard of. */
  revision: number;
  /** Highest compaction that any client has heard OK for; -1: none. */
  compacted: number;
  #values: number;

  constructor(limits: Limits) {
    this.limits = limits;
    this.revision = 1;
    this.compacted = -1;
    this.#values = 0;
  }

  /** A text that no other operation of the run has in its value. */
  uniqueText(client: number): string {
    return `c${client}v${++this.#values}`;
  }

  heard(operation: ClientOperation): void {
    const { kind, reply, request } = operation;
    this.revision = Math.max(this.revision, replyText(kind, reply!).revision);
    if (request instanceof CompactionRequest) {
      this.compacted = Math.max(this.compacted, request.revision);
    }
  }

  /** Mostly one that can be read; near the compaction or near the present, rarely beyond either. */
  pastRevision(random: SimRandom): number {
    const oldest = Math.max(1, this.compacted);
    const draw = random.below(20);
    if (draw === 0) return this.revision + random.between(1, 20);
    if (draw === 1) return Math.max(1, oldest - random.between(1, 5));
    if (draw < 7) return Math.min(this.revision, oldest + random.below(4));
    if (draw < 12) return Math.max(oldest, this.revision - random.below(5));
    return random.between(oldest, Math.max(oldest, this.revision));
  }
}
