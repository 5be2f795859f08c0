// A request as the plain operations that it ran, one after the other, and the compares that led there.
// Of a request that was answered the answer tells; of any other all ways are listed that write.
import { assert } from "@quorate/base";
import {
  type Compare,
  type DeleteRangeRequest,
  OpType,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type ResponseOp,
} from "@quorate/kv";

/** Compares that all held, or did not all hold, before the whole. */
export interface Guard {
  readonly compares: readonly Compare[];
  readonly holds: boolean;
}

/** Beside the types of requests: no client sends it. */
export const leaseEndType = 100;

/** A lease ends: the keys that carry it go. */
export interface LeaseEndStep {
  readonly type: typeof leaseEndType;
  readonly lease: number;
  /** All that may ever have carried it. */
  readonly keys: readonly string[];
}

export interface Step {
  readonly request: PutRequest | DeleteRangeRequest | RangeRequest | LeaseEndStep;
  /** Null: nothing was heard. */
  readonly reply: ResponseOp;
}

export interface Branch {
  readonly guards: readonly Guard[];
  readonly steps: readonly Step[];
}

type Operation = NonNullable<RequestOp>;

export function heardBranch(request: Operation, reply: NonNullable<ResponseOp>): Branch {
  if (request.type !== OpType.Txn) return { guards: [], steps: [{ request, reply }] };
  assert(reply.type === OpType.Txn, "a transaction is answered by one");
  const { succeeded, responses } = reply;
  const ops = succeeded ? request.success : request.failure;
  assert(ops.length === responses.length, "every operation of a branch is answered");
  const inner = ops.map((op, at) => heardBranch(op!, responses[at]!));
  return join([guarded(request.compare, succeeded), ...inner]);
}

/** Without what only reads. */
export function branchesOf(request: Operation): Branch[] {
  if (request.type === OpType.Range) return [{ guards: [], steps: [] }];
  if (request.type !== OpType.Txn) return [{ guards: [], steps: [{ request, reply: null }] }];
  const { compare, success, failure } = request;
  const ways = (ops: readonly RequestOp[], holds: boolean): Branch[] =>
    ops
      .map((op) => branchesOf(op!))
      .reduce(
        (all, next) => all.flatMap((before) => next.map((after) => join([before, after]))),
        [guarded(compare, holds)],
      );
  return compare.length === 0
    ? ways(success, true)
    : [...ways(success, true), ...ways(failure, false)];
}

function guarded(compares: readonly Compare[], holds: boolean): Branch {
  return { guards: [{ compares, holds }], steps: [] };
}

function join(parts: readonly Branch[]): Branch {
  return {
    guards: parts.flatMap(({ guards }) => guards),
    steps: parts.flatMap(({ steps }) => steps),
  };
}
