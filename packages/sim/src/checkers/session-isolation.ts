// S13: what a leader takes for matched on a follower was at some time durable on the disk of that very
// session (P4): no answer to a question of before, and none of a process that is gone, is counted.
import { demand } from "./violation.ts";

const property = "S13 session isolation";

export interface SeenMatch {
  readonly leader: string;
  readonly follower: number;
  readonly session: number;
  readonly match: number;
}

export class SessionIsolation {
  checked: number;

  constructor() {
    this.checked = 0;
  }

  /** `durableMax`: the highest last index that was durable in the session; null: there is none. */
  matched({ leader, follower, session, match }: SeenMatch, durableMax: number | null): void {
    this.checked++;
    demand(
      durableMax !== null,
      property,
      () => `${leader} counts ${match} for ${follower} in a session ${session} that nobody has`,
    );
    demand(
      match <= durableMax,
      property,
      () =>
        `${leader} counts ${match} for ${follower}, whose session ${session} never had more than ` +
        `${durableMax} on its disk`,
    );
  }
}
