// Quiet start (P5): after a restart a member makes no new promise until somebody who would know
// better had the chance to say so; requests that come meanwhile are kept (kept-requests.ts). What
// ends it: a leader's message that echoes this session, the host (all other voters have answered), or
// T.
import type { RaftConfig } from "./config.ts";

export class QuietStart {
  readonly #electionTimeoutTicks: number;
  active: boolean;
  #ticks: number;

  constructor(config: RaftConfig, active: boolean) {
    this.#electionTimeoutTicks = config.electionTimeoutTicks;
    this.active = active;
    this.#ticks = 0;
  }

  /** True when T has passed. */
  tick(): boolean {
    if (!this.active) return false;
    this.#ticks++;
    return this.#ticks >= this.#electionTimeoutTicks;
  }

  end(): void {
    this.active = false;
  }
}
