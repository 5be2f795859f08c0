// Every write that a client heard OK for is in the committed log, once, with the reply that the
// naive twin gives; every write that was refused for certain is not in it (DESIGN.md 22).
import { rangeRequest } from "@quorate/host";
import { CompactionRequest, OpType } from "@quorate/kv";
import { type ClientOperation, type History, Outcome } from "../client/history.ts";
import { replyText } from "../model/reply-text.ts";
import { type Replay, requestKey } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "acknowledged writes";

export function checkAcknowledgedWrites(history: History, replay: Replay): void {
  for (const operation of history.operations) {
    if (operation.kind === rangeRequest) continue;
    if (operation.outcome === Outcome.Ok) checkAcknowledged(operation, replay);
    else if (operation.outcome === Outcome.NotCommitted) checkRefused(operation, replay);
  }
  checkAppliedOnce(history, replay);
}

function checkAcknowledged(operation: ClientOperation, replay: Replay): void {
  const reply = replyText(operation.kind, operation.reply!);
  if (!reply.changed) return;
  const made = replay.byRevision.get(reply.revision);
  demand(
    made !== undefined,
    property,
    () => `operation ${operation.id} was acknowledged at revision ${reply.revision}, which is lost`,
  );
  demand(
    made.request === requestKey(operation.kind, operation.bytes),
    property,
    () => `revision ${reply.revision} was made by another operation than ${operation.id}`,
  );
  demand(
    made.reply === reply.text,
    property,
    () => `operation ${operation.id} heard "${reply.text}", the twin says "${made.reply}"`,
  );
}

function checkRefused(operation: ClientOperation, replay: Replay): void {
  if (!isUnique(operation)) return;
  const found = replay.byRequest.get(requestKey(operation.kind, operation.bytes));
  // A compare-and-put that was refused by the state machine stands in the log and changed nothing.
  const changed = found?.find((applied) => applied.changed);
  demand(
    changed === undefined,
    property,
    () => `operation ${operation.id} was refused for certain and is at ${changed?.index}`,
  );
}

function checkAppliedOnce(history: History, replay: Replay): void {
  for (const operation of history.operations) {
    if (!isUnique(operation)) continue;
    const found = replay.byRequest.get(requestKey(operation.kind, operation.bytes)) ?? [];
    demand(
      found.length <= 1,
      property,
      () =>
        `operation ${operation.id} was applied ${found.length} times: ` +
        found.map((applied) => applied.index).join(", "),
    );
  }
}

/** Workloads give every put and every writing transaction a value of its own. */
function isUnique(operation: ClientOperation): boolean {
  const { request } = operation;
  if (request instanceof CompactionRequest) return false;
  if (request.type === OpType.Put) return true;
  return request.type === OpType.Txn && request.success.some((op) => op?.type === OpType.Put);
}
