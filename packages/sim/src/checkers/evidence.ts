// What the checkers of client histories judge: the history, the committed log replayed through the
// naive twin, and what every operation was answered, decoded once for all of them.
import { FailureCode, rangeRequest } from "@quorate/host";
import { CompactionRequest, KvError, OpType } from "@quorate/kv";
import {
  type ClientOperation,
  type ClientRequest,
  type History,
  Outcome,
} from "../client/history.ts";
import { isDenial } from "../model/auth-rights.ts";
import { errorText } from "../model/canonical.ts";
import { replyText } from "../model/reply-text.ts";
import type { CommittedEntry } from "./committed-log.ts";
import { Replay } from "./replay.ts";

/** Of the hosts, equal on all members. */
export interface Limits {
  readonly requestBytesMax: number;
  readonly txnOpsMax: number;
}

/** What a state said to an operation: a reply, or a refusal by the state machine. */
export interface Answer {
  readonly operation: ClientOperation;
  /** `requestKey` of what was asked. */
  readonly key: string;
  readonly text: string;
  /** Of the header; null for a refusal. */
  readonly revision: number | null;
  /** It changed the state: the revision is its own. */
  readonly changed: boolean;
}

export class Evidence {
  readonly history: History;
  readonly limits: Limits;
  readonly replay: Replay;
  /** In order of the calls. */
  readonly answers: readonly Answer[];

  constructor(history: History, entries: readonly CommittedEntry[], limits: Limits) {
    this.history = history;
    this.limits = limits;
    const requests = new Map<string, ClientRequest>();
    for (const { key, request } of history.operations) requests.set(key, request);
    this.replay = new Replay(entries, (key) => requests.get(key) ?? null);
    this.answers = history.operations.flatMap((operation) => this.#answerOf(operation) ?? []);
  }

  /** Null: it was not answered by a state (not at all, or refused before it came to one). */
  #answerOf(operation: ClientOperation): Answer | null {
    const { key, kvError } = operation;
    if (operation.outcome === Outcome.Ok) {
      return { operation, key, ...replyText(operation.kind, operation.reply!) };
    }
    if (!isStateError(operation)) return null;
    // Above its quota a member refuses without asking the log.
    if (kvError === KvError.NoSpace && this.replay.operationsOf(key).length === 0) return null;
    return refusalOf(operation);
  }
}

function refusalOf(operation: ClientOperation): Answer {
  const { key } = operation;
  return { operation, key, text: errorText(operation.kvError), revision: null, changed: false };
}

/** Refusals that only a state can decide; all others are known at the edge. */
const stateErrors: ReadonlySet<KvError> = new Set([
  KvError.KeyNotFound,
  KvError.Compacted,
  KvError.FutureRevision,
  KvError.LeaseNotFound,
  KvError.NoSpace,
  KvError.Corrupt,
]);

function isStateError({ outcome, failure, kvError }: ClientOperation): boolean {
  return outcome === Outcome.NotCommitted && failure === FailureCode.Kv && stateErrors.has(kvError);
}

/** It may stand in the log: everything but what was refused for certain before that. */
export function mayBeCommitted(operation: ClientOperation): boolean {
  const { outcome, kvError } = operation;
  return outcome !== Outcome.NotCommitted || isStateError(operation) || isDenial(kvError);
}

/** It goes through the log, whatever it then does there. */
export function isLogged({ kind, request }: ClientOperation): boolean {
  if (kind === rangeRequest) return false;
  if (request instanceof CompactionRequest || request.type !== OpType.Txn) return true;
  return [...request.success, ...request.failure].some((op) => op?.type !== OpType.Range);
}
