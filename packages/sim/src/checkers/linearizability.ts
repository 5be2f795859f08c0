// Linearizability by witness (reliability.md §2.4, tier A). The order of writes is the log's; an
// answer is right in some states and wrong in others. So every operation has the indexes at which it
// can have taken effect: a write its own, a read those whose state gives that answer. Replaying the
// history in real time and taking the earliest possible point of each operation is complete, because
// writes cannot move: an operation that has none behind everything that returned before its call is
// a stale read, a lost or a reordered write.
import { assert } from "@quorate/base";
import { CompactionRequest, OpType, type RangeRequest, type TxnRequest } from "@quorate/kv";
import { type Answer, type Evidence, isLogged } from "./evidence.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "linearizability";

interface Moment {
  readonly at: number;
  readonly answer: Answer;
  readonly isReturn: boolean;
}

export function checkLinearizability({ answers, replay }: Evidence): void {
  const moments: Moment[] = [];
  for (const answer of answers) {
    if (answer.operation.serializable) continue;
    moments.push({ at: answer.operation.calledAt, answer, isReturn: false });
    moments.push({ at: answer.operation.returnedAt, answer, isReturn: true });
  }
  moments.sort((a, b) => a.at - b.at);
  /** The latest point that anything which has returned took effect at. */
  let floor = 0;
  const floorAtCall = new Map<Answer, number>();
  for (const { answer, isReturn } of moments) {
    if (!isReturn) {
      floorAtCall.set(answer, floor);
      continue;
    }
    const low = floorAtCall.get(answer)!;
    const point = pointOf(answer, low, replay);
    demand(point !== null, property, () => complaint(answer, low, replay));
    floor = Math.max(floor, point);
  }
}

/** The earliest index, not before `low`, at which it can have taken effect; null: none. */
function pointOf(answer: Answer, low: number, replay: Replay): number | null {
  if (isLogged(answer.operation)) {
    // Its own entry, and so behind all that was seen before it was asked.
    const found = replay
      .operationsOf(answer.key)
      .find(
        ({ index, reply, revision }) =>
          index > low && reply === answer.text && (!answer.changed || revision === answer.revision),
      );
    return found?.index ?? null;
  }
  const request = readOf(answer);
  let number = replay.stepAt(low);
  if (answer.revision !== null) {
    const first = replay.firstStepOf(answer.revision);
    if (first === null) return null;
    number = Math.max(number, first);
  }
  for (; number < replay.steps.length; number++) {
    const step = replay.steps[number]!;
    // Later states have later revisions: only a refusal can be right in any of them.
    if (answer.revision !== null && step.revision !== answer.revision) return null;
    if (replay.model.readAt(request, step) === answer.text) return Math.max(step.first, low);
  }
  return null;
}

function readOf({ operation: { request } }: Answer): RangeRequest | TxnRequest {
  assert(!(request instanceof CompactionRequest), "a compaction is no read");
  assert(request.type === OpType.Range || request.type === OpType.Txn, "a read");
  return request;
}

function complaint(answer: Answer, low: number, replay: Replay): string {
  const { operation, text, revision } = answer;
  const heard = `operation ${operation.id} (${operation.member}) heard "${text}"`;
  if (isLogged(operation)) {
    return `${heard}, which no entry behind ${low} says, and something at ${low} had returned before it was called`;
  }
  if (revision === null) return `${heard}, which no state from index ${low} on says`;
  const first = replay.firstStepOf(revision);
  if (first === null) return `${heard} from revision ${revision}, which never was`;
  const step = replay.steps[first]!;
  const last = replay.steps.findLast((other) => other.revision === revision)!.last;
  if (last < low) {
    return (
      `${heard} from revision ${revision}, gone after index ${last}, although something at ` +
      `${low} had returned before it was called`
    );
  }
  return `${heard}, the twin holds "${replay.model.readAt(readOf(answer), step)}"`;
}
