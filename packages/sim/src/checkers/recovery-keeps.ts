// A start finds at least what was durable when the process before it died: damage to it is noticed, or
// it does not matter. Whoever comes up with less has broken a promise before anybody can see it.
import type { DurableView } from "./durable-before-ack.ts";
import { demand } from "./violation.ts";

const property = "recovery keeps what was durable";

export function checkRecovery(member: string, before: DurableView, now: DurableView): void {
  const revoted = now.term === before.term && before.vote !== 0 && now.vote !== before.vote;
  demand(
    now.term >= before.term && !revoted,
    property,
    () =>
      `${member}: term ${before.term} vote ${before.vote} were durable, its next start knows ` +
      `term ${now.term} vote ${now.vote}`,
  );
  const { lastIndex } = before;
  if (lastIndex <= now.checkpointIndex) return;
  const term = before.termAt(lastIndex);
  const found = now.termAt(lastIndex);
  demand(
    lastIndex <= now.lastIndex && (found === null || found === term),
    property,
    () =>
      `${member}: entry ${lastIndex} of term ${term} was durable, its next start ends at ` +
      `${now.lastIndex} and has term ${found} there`,
  );
}
