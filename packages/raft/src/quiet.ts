// Quiet start (P5): after a restart a member makes no new promise until somebody who would know
// better had the chance to say so. Keeps the requests that came meanwhile. What ends it: a leader's
// message that echoes this session, the host (all other voters have answered), or T.
import type { RaftConfig } from "./config.ts";
import type { Message } from "./message.ts";
import type { NodeId } from "./types.ts";

/** One per sender: the newest request is the only one that still waits for an answer. */
const requestsMax = 64;

export class QuietStart {
  readonly #electionTimeoutTicks: number;
  active: boolean;
  #ticks: number;
  readonly #requests: Map<NodeId, Message>;

  constructor(config: RaftConfig, active: boolean) {
    this.#electionTimeoutTicks = config.electionTimeoutTicks;
    this.active = active;
    this.#ticks = 0;
    this.#requests = new Map();
  }

  /** True when T has passed. */
  tick(): boolean {
    if (!this.active) return false;
    this.#ticks++;
    return this.#ticks >= this.#electionTimeoutTicks;
  }

  /** Keeps a vote or pre-vote request; beyond the bound it is lost, as messages may be. */
  keep(request: Message): void {
    if (this.#requests.size >= requestsMax && !this.#requests.has(request.from)) return;
    this.#requests.delete(request.from);
    this.#requests.set(request.from, request);
  }

  /** The requests kept, oldest first; they are answered now. */
  end(): Message[] {
    this.active = false;
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    return requests;
  }
}
