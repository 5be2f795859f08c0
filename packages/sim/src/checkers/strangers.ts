// Who does not belong to the cluster is refused with the reason that holds, and never let in; and
// nothing that a stranger says, or a dead process said once, is stepped.
import { demand } from "./violation.ts";

const property = "strangers are refused by name";

/** Terms of strangers' messages start here: no cluster gets there by itself. */
export const strangersTerm: number = 2 ** 40;

/** What a connection from outside has heard. */
export interface StrangerHeard {
  /** The member said its own hello. */
  readonly letIn: boolean;
  /** Code of the refusal; 0: none came, or not yet. */
  readonly refusal: number;
}

/** `expected`: refusals that hold against it; none: it makes no sense, and gets no answer. */
export function checkStranger(
  member: string,
  stranger: string,
  heard: StrangerHeard,
  expected: readonly number[],
): void {
  demand(!heard.letIn, property, () => `${member} let in: ${stranger}`);
  demand(
    heard.refusal === 0 || expected.includes(heard.refusal),
    property,
    () => `${member} refused with ${heard.refusal}, not ${expected.join(" or ")}: ${stranger}`,
  );
}

export function checkTermIsOwn(member: string, term: number): void {
  demand(term < strangersTerm, property, () => `${member} is in term ${term} of a stranger`);
}

/** A repeated hello of a process whose successor the member has accepted. */
export function checkDeadProcess(member: string, heard: StrangerHeard): void {
  demand(
    !heard.letIn,
    "P4 sessions",
    () => `${member} let in a repeated hello of a process that it knows to be dead`,
  );
}
