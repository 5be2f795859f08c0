// What each request needs of whoever asks, and whether a state of the twin's grants it: every key that any
// branch of it names, however deep, by the bounds that the request has.
import { latin1Decode } from "@quorate/base";
import { CompactionRequest, type Identity, KvError, OpType, type PutRequest } from "@quorate/kv";
import type { AuthStateModel, KeyNeed } from "./auth-state-model.ts";
import { leaseNumber } from "./lease-number.ts";
import type { ModelRequest } from "./request-parts.ts";

/** Keys that carry a lease. */
export type KeysOfLease = (lease: number) => readonly string[];

/** Refusals for who asks, or for what that one may not do. */
const denials: ReadonlySet<KvError> = new Set([
  KvError.UserEmpty,
  KvError.UserNotFound,
  KvError.PermissionDenied,
  KvError.AuthOldRevision,
  KvError.InvalidAuthToken,
]);

export function isDenial(error: KvError): boolean {
  return denials.has(error);
}

/** None: it is permitted. */
export function denialOf(
  state: AuthStateModel,
  identity: Identity,
  request: ModelRequest,
  keysOfLease: KeysOfLease,
): KvError {
  if (!state.enabled) return KvError.None;
  if (request instanceof CompactionRequest) return state.mayAdminister(identity);
  const needs = needsOf(request, keysOfLease);
  return needs.length === 0 ? KvError.None : state.mayUse(identity, needs);
}

/** Renew or take back a lease: all that it holds could be written. */
export function keepDenialOf(
  state: AuthStateModel,
  identity: Identity,
  keys: readonly string[],
): KvError {
  const called = state.mayCall(identity);
  if (called !== KvError.None || state.mayAdminister(identity) === KvError.None) return called;
  return keys.length === 0 ? KvError.None : state.mayUse(identity, keys.map(writeOf));
}

function needsOf(
  request: Exclude<ModelRequest, CompactionRequest>,
  keysOfLease: KeysOfLease,
): KeyNeed[] {
  switch (request.type) {
    case OpType.Put:
      return needsOfPut(request, keysOfLease);
    case OpType.Range:
      return [rangeOf(request, false)];
    case OpType.DeleteRange: {
      const reads = request.prevKv ? [rangeOf(request, false)] : [];
      return [rangeOf(request, true), ...reads];
    }
    default: {
      const compared = request.compare.map((compare) => rangeOf(compare, false));
      const inner = [...request.success, ...request.failure].flatMap((op) =>
        op === null ? [] : needsOf(op, keysOfLease),
      );
      return [...compared, ...inner];
    }
  }
}

function needsOfPut(
  { key: bytes, leaseHigh, leaseLow, prevKv }: PutRequest,
  keysOfLease: KeysOfLease,
): KeyNeed[] {
  const key = latin1Decode(bytes);
  const lease = leaseNumber(leaseHigh, leaseLow);
  const held = lease === 0 ? [] : keysOfLease(lease);
  const shown = prevKv ? [{ write: false, key, rangeEnd: "" }] : [];
  return [writeOf(key), ...held.map(writeOf), ...shown];
}

function writeOf(key: string): KeyNeed {
  return { write: true, key, rangeEnd: "" };
}

function rangeOf(
  { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
  write: boolean,
): KeyNeed {
  return { write, key: latin1Decode(key), rangeEnd: latin1Decode(rangeEnd) };
}
