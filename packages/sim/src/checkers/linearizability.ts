// Linearizability by witness (reliability.md §2.4, tier A). The order of writes is the log's; a
// reply names the revision of the state that answered it. So every operation has an interval of
// indexes at which it can have taken effect: a write its own, a read all that had its revision.
// Replaying the history in real time and taking the earliest possible point of each operation is
// complete, because writes cannot move: an operation whose earliest point (not before anything that
// returned before its call) lies behind its interval is a stale read, a lost or a reordered write.
import { CompactionRequest, OpType } from "@quorate/kv";
import { type ClientOperation, type History, Outcome } from "../client/history.ts";
import { type ReplyText, replyText } from "../model/reply-text.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "linearizability";

interface Moment {
  readonly at: number;
  readonly operation: ClientOperation;
  readonly isReturn: boolean;
}

export function checkLinearizability(history: History, replay: Replay): void {
  const answered = history.operations.filter((operation) => operation.outcome === Outcome.Ok);
  const moments: Moment[] = [];
  for (const operation of answered) {
    checkContent(operation, replay);
    if (operation.serializable) continue;
    moments.push({ at: operation.calledAt, operation, isReturn: false });
    moments.push({ at: operation.returnedAt, operation, isReturn: true });
  }
  moments.sort((a, b) => a.at - b.at);
  /** The latest point that anything which has returned took effect at. */
  let floor = 0;
  const floorAtCall = new Map<ClientOperation, number>();
  for (const { operation, isReturn } of moments) {
    if (!isReturn) {
      floorAtCall.set(operation, floor);
      continue;
    }
    const reply = replyText(operation.kind, operation.reply!);
    const interval = intervalOf(operation, reply, replay);
    const point = Math.max(interval.first, floorAtCall.get(operation)!);
    demand(
      point <= interval.last,
      property,
      () =>
        `operation ${operation.id} (${operation.member}) answered from revision ` +
        `${reply.revision}, gone after index ${interval.last}, although something at ` +
        `${point} had returned before it was called`,
    );
    floor = Math.max(floor, point);
  }
}

function intervalOf(
  operation: ClientOperation,
  reply: ReplyText,
  replay: Replay,
): { readonly first: number; readonly last: number } {
  const interval = replay.interval(reply.revision);
  demand(
    interval !== null,
    property,
    () => `operation ${operation.id} answered from revision ${reply.revision}, which never was`,
  );
  // A change took effect at the very index that made its revision.
  return reply.changed ? { first: interval.first, last: interval.first } : interval;
}

/** What was read is what the twin holds at that revision. */
function checkContent(operation: ClientOperation, replay: Replay): void {
  const reply = replyText(operation.kind, operation.reply!);
  const { request } = operation;
  if (reply.changed || request instanceof CompactionRequest) return;
  if (request.type === OpType.Put) return;
  const expected =
    request.type === OpType.DeleteRange
      ? `rev=${reply.revision} deleted 0`
      : replay.model.readAt(request, reply.revision);
  demand(
    reply.text === expected,
    property,
    () => `operation ${operation.id} read "${reply.text}", the twin holds "${expected}"`,
  );
}
