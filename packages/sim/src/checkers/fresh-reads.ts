// R1: a linearizable read answers from a state that holds everything which had been acknowledged when
// it was called. Looks at nothing but the revisions in headers: no log, no twin.
import type { Answer, Evidence } from "./evidence.ts";
import { demand } from "./violation.ts";

const property = "R1 fresh reads";

export function checkFreshReads({ answers }: Evidence): void {
  const heard = answers.filter(({ revision }) => revision !== null);
  const calls = heard
    .filter(({ operation, changed }) => !operation.serializable && !changed)
    .toSorted((a, b) => a.operation.calledAt - b.operation.calledAt);
  const returns = heard.toSorted((a, b) => a.operation.returnedAt - b.operation.returnedAt);
  let next = 0;
  let newest: Answer | null = null;
  for (const read of calls) {
    for (; next < returns.length; next++) {
      const answer = returns[next]!;
      if (answer.operation.returnedAt > read.operation.calledAt) break;
      if (newest === null || answer.revision! > newest.revision!) newest = answer;
    }
    const before = newest;
    demand(
      before === null || read.revision! >= before.revision!,
      property,
      () =>
        `operation ${read.operation.id} (${read.operation.member}) answered from revision ` +
        `${read.revision}, operation ${before?.operation.id} had heard ${before?.revision} before`,
    );
  }
}
