// The clock of a server's deadlines: one timer for all calls, and none while no call has a deadline.
import { DeadlineWheel, slotMs } from "./deadline-wheel.ts";
import type { Deadline, Expiring } from "./deadline-wheel.ts";

export class DeadlineTimer {
  readonly #wheel: DeadlineWheel;
  #timer: NodeJS.Timeout | null;

  constructor() {
    this.#wheel = new DeadlineWheel(performance.now());
    this.#timer = null;
  }

  /** `dueMs` by performance.now(). */
  add(call: Expiring, dueMs: number): Deadline {
    if (this.#timer === null) {
      // What was idle has slots to catch up with, which are empty.
      this.#wheel.advance(performance.now());
      this.#timer = setInterval(() => this.#tick(), slotMs).unref();
    }
    return this.#wheel.add(call, dueMs);
  }

  remove(deadline: Deadline): void {
    this.#wheel.remove(deadline);
  }

  /** It stops a tick after the last call, not with it: calls one after the other share one timer. */
  #tick(): void {
    this.#wheel.advance(performance.now());
    if (this.#wheel.count > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
