// S10: every member that applies the change at an index comes to the same configuration; a joint phase
// is left before another change begins; and any two quorums, one of the configuration before and one
// of that behind it, have a voter in common, counted here apart from the core. Learners are in none.
import { quorumsIntersect, type Voters } from "./quorum.ts";
import { demand } from "./violation.ts";

const property = "S10 membership";

export class ConfigurationLaw {
  /** Index of the change → what it led to, as whoever applied it first saw it. */
  readonly #reached: Map<number, Voters>;
  checked: number;

  constructor() {
    this.#reached = new Map();
    this.checked = 0;
  }

  /** `who` has applied the change at `index`. */
  changed(who: string, index: number, before: Voters, after: Voters): void {
    this.checked++;
    const reached = this.#reached.get(index);
    demand(
      reached === undefined || sameVoters(reached, after),
      property,
      () => `${who} stands on ${textOf(after)} at ${index}, others on ${textOf(reached!)}`,
    );
    this.#reached.set(index, after);
    const left = before.votersOutgoing.length === 0 || after.votersOutgoing.length === 0;
    demand(
      left || sameVoters(before, after),
      property,
      () => `${who}: at ${index} a change begins while ${textOf(before)} is not left`,
    );
    demand(
      quorumsIntersect(before, after),
      property,
      () => `${who}: at ${index} ${textOf(before)} and ${textOf(after)} decide without each other`,
    );
  }
}

function sameVoters(one: Voters, other: Voters): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ voters, votersOutgoing }: Voters): string {
  const halves = [voters, votersOutgoing].filter((half) => half.length > 0);
  return halves.map((half) => `(${half.toSorted((a, b) => a - b).join(" ")})`).join("&&");
}
