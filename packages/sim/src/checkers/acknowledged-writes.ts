// Every operation that a client heard OK for and that goes through the log is in the committed log,
// once, with the reply that the naive twin gives; every one that was refused for certain is not in it
// (DESIGN.md 22).
import { type ClientOperation, Outcome } from "../client/history.ts";
import { isUnique } from "../model/request-parts.ts";
import { type Answer, type Evidence, isLogged, mayBeCommitted } from "./evidence.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "acknowledged writes";

export function checkAcknowledgedWrites({ history, answers, replay }: Evidence): void {
  for (const answer of answers) {
    if (!isLogged(answer.operation)) continue;
    if (answer.changed) checkChange(answer, replay);
    else checkWithoutChange(answer, replay);
  }
  for (const operation of history.operations) {
    if (operation.outcome === Outcome.NotCommitted) checkRefused(operation, replay);
  }
  checkAppliedOnce(history.operations, replay);
}

function checkChange({ operation, key, text, revision }: Answer, replay: Replay): void {
  const made = replay.byRevision.get(revision!);
  demand(
    made !== undefined,
    property,
    () => `operation ${operation.id} was acknowledged at revision ${revision}, which is lost`,
  );
  demand(
    made.key === key,
    property,
    () => `revision ${revision} was made by another operation than ${operation.id}`,
  );
  demand(
    made.reply === text,
    property,
    () => `operation ${operation.id} heard "${text}", the twin says "${made.reply}"`,
  );
}

function checkWithoutChange({ operation, key, text }: Answer, replay: Replay): void {
  const replies = replay.operationsOf(key).map(({ reply }) => reply);
  demand(
    replies.includes(text),
    property,
    () => `operation ${operation.id} heard "${text}", the twin says "${replies.join('" or "')}"`,
  );
}

function checkRefused(operation: ClientOperation, replay: Replay): void {
  if (!isUnique(operation.request)) return;
  const found = replay.operationsOf(operation.key);
  // A compare-and-put that was refused by the state machine stands in the log and changed nothing.
  const changed = found.find((applied) => applied.changed);
  demand(
    changed === undefined,
    property,
    () => `operation ${operation.id} was refused for certain and is at ${changed?.index}`,
  );
}

/** The log holds a request no more often than clients asked for it and were not refused. */
function checkAppliedOnce(operations: readonly ClientOperation[], replay: Replay): void {
  const asked = new Map<string, number>();
  for (const operation of operations) {
    if (!isLogged(operation)) continue;
    const { key } = operation;
    asked.set(key, (asked.get(key) ?? 0) + (mayBeCommitted(operation) ? 1 : 0));
  }
  for (const [key, count] of asked) {
    const found = replay.operationsOf(key);
    demand(
      found.length <= count,
      property,
      () =>
        `a request that may have been committed ${count} times was applied ${found.length} times: ` +
        `at ${found.map((applied) => applied.index).join(", ")}`,
    );
  }
}
