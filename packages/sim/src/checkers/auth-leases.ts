// A1 for leases, as far as the log does not say it (lease-answers.ts): who renewed one could have written
// all that it held, and who was told its keys could have read them.
import { KvError } from "@quorate/kv";
import { Outcome } from "../client/history.ts";
import { LeaseCall, type LeaseOperation } from "../client/lease-history.ts";
import { keepDenialOf } from "../model/auth-rights.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "A1 permitted answers about leases";

export function checkLeaseRights(operations: readonly LeaseOperation[], replay: Replay): void {
  if (replay.model.auth.outcomes.size === 0) return;
  for (const operation of operations) {
    if (operation.outcome !== Outcome.Ok || operation.entrance.identity === null) continue;
    if (operation.call === LeaseCall.KeepAlive) checkRenewal(operation, replay);
    if (operation.call === LeaseCall.TimeToLive) checkKeys(operation, replay);
  }
}

/** At some moment between the member's letting it in and its answer. */
function checkRenewal(operation: LeaseOperation, replay: Replay): void {
  const { id, lease, entrance } = operation;
  const { identity, decidedAt, answeredAt } = entrance;
  if (decidedAt < 0 || answeredAt < 0) return;
  const { model } = replay;
  let isPermitted = false;
  for (let index = decidedAt; index <= answeredAt && !isPermitted; index++) {
    const { revision } = replay.steps[replay.stepAt(index)]!;
    const state = model.auth.at(index);
    const keys = state.enabled ? model.keysOfLease(lease, revision) : [];
    isPermitted = keepDenialOf(state, identity!, keys) === KvError.None;
  }
  demand(
    isPermitted,
    property,
    () =>
      `operation ${id}: ${identity!.user} renewed lease ${lease} between ${decidedAt} and ` +
      `${answeredAt}, and never had the right to all its keys`,
  );
}

function checkKeys({ id, lease, entrance, keys }: LeaseOperation, { model }: Replay): void {
  const { identity, answeredAt } = entrance;
  if (keys.length === 0 || answeredAt < 0) return;
  const needs = keys.map((key) => ({ write: false, key, rangeEnd: "" }));
  demand(
    model.auth.at(answeredAt).mayUse(identity!, needs) === KvError.None,
    property,
    () =>
      `operation ${id}: ${identity!.user} was told the keys ${keys.join(", ")} of lease ${lease} ` +
      `at ${answeredAt}, and may not read them`,
  );
}
