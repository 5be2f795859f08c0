// What apply does for entries about leases. A refusal leaves the state as it was.
import { KvError } from "../kv-error.ts";
import type { OperationHandler } from "../operation-handler.ts";
import { writeHeader } from "../wire/encode-response.ts";
import {
  decodeLeaseCheckpoint,
  decodeLeaseGrant,
  decodeLeaseRevoke,
  RevokeCause,
} from "./lease-commands.ts";
import { writeIdAndTtl } from "./lease-responses.ts";

export const applyLeaseGrant: OperationHandler = (
  state,
  payload,
  at,
  _wallMs,
  reply,
  operation,
) => {
  const command = decodeLeaseGrant(payload, at);
  if (command === null) return KvError.Malformed;
  const { id, ttlSeconds } = command;
  const refusal = state.leases.grant(id, ttlSeconds, operation.index);
  if (refusal !== KvError.None) return refusal;
  if (reply !== null) {
    writeHeader(reply.body, reply, state.store.revision);
    writeIdAndTtl(reply.body, id, ttlSeconds);
  }
  return KvError.None;
};

/** All its keys go in one revision, in order of their bytes, as in etcd. */
export const applyLeaseRevoke: OperationHandler = (
  state,
  payload,
  at,
  wallMs,
  reply,
  operation,
) => {
  const { store, leases } = state;
  const command = decodeLeaseRevoke(payload, at);
  if (command === null) return KvError.Malformed;
  const lease = leases.get(command.id);
  if (lease === null) return KvError.LeaseNotFound;
  if (command.cause === RevokeCause.Expired) {
    const isMeant = command.grantIndex === lease.grantIndex && command.term === operation.term;
    if (!isMeant) return KvError.LeaseNotFound;
  }
  store.begin(wallMs);
  store.deleteAttached(lease);
  store.commit();
  leases.remove(lease);
  if (reply !== null) writeHeader(reply.body, reply, store.revision);
  return KvError.None;
};

export const applyLeaseCheckpoint: OperationHandler = (
  state,
  payload,
  at,
  _wallMs,
  _reply,
  operation,
) => {
  const command = decodeLeaseCheckpoint(payload, at);
  if (command === null) return KvError.Malformed;
  if (command.term !== operation.term) return KvError.None;
  for (const { id, grantIndex, remainingTtlSeconds } of command.remainders) {
    const lease = state.leases.get(id);
    if (lease === null || lease.grantIndex !== grantIndex) continue;
    state.leases.checkpoint(lease, Math.min(remainingTtlSeconds, lease.grantedTtlSeconds));
  }
  return KvError.None;
};
