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
  const lost = firstLost(before, now);
  demand(
    lost === 0 || isReplaced(before, now, lost),
    property,
    () =>
      `${member}: entry ${lost} of term ${before.termAt(lost)} was durable, its next start ends at ` +
      `${now.lastIndex} and has term ${now.termAt(lost)} there`,
  );
}

/** The first entry that was durable and is not there any more; 0: all are, as far as both logs tell. */
function firstLost(before: DurableView, now: DurableView): number {
  const { lastIndex } = before;
  if (lastIndex <= now.checkpointIndex || isKept(before, now, lastIndex)) return 0;
  let first = lastIndex;
  while (first - 1 > now.checkpointIndex && !isKept(before, now, first - 1)) first--;
  return first;
}

function isKept(before: DurableView, now: DurableView, index: number): boolean {
  const found = now.termAt(index);
  const had = before.termAt(index);
  return index <= now.lastIndex && (found === null || had === null || found === had);
}

/** By a later leader's entry: in a batch that no sync had covered, and that outlived a killed process. */
function isReplaced(before: DurableView, now: DurableView, index: number): boolean {
  return index <= now.lastIndex && (now.termAt(index) ?? 0) > (before.termAt(index) ?? 0);
}
