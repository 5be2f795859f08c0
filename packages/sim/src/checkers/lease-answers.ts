// What members say of leases is so: one that was renewed, or found, was there between the question and the
// answer (etcd #20616: renewed after its revoke), one that was not known was missing then; a grant and a
// revoke that were answered stand in the log; the keys that are listed are those of the revision.
import { latin1Encode } from "@quorate/base";
import { KvError } from "@quorate/kv";
import { Outcome } from "../client/history.ts";
import { LeaseCall, type LeaseOperation } from "../client/lease-history.ts";
import type { KvModel } from "../model/kv-model.ts";
import { livesDuring, type TimedLife } from "./lease-lives.ts";
import { demand } from "./violation.ts";

const property = "T4 answers about leases";

export function checkLeaseAnswers(
  operations: readonly LeaseOperation[],
  lives: readonly TimedLife[],
  model: KvModel,
): void {
  for (const operation of operations) {
    if (operation.outcome === Outcome.Ok) checkAnswer(operation, lives, model);
    else if (operation.outcome === Outcome.NotCommitted) checkRefusal(operation, lives);
  }
}

function checkAnswer(operation: LeaseOperation, lives: readonly TimedLife[], model: KvModel): void {
  const { call, granted, lease, calledUs, returnedUs, ttlSeconds } = operation;
  switch (call) {
    case LeaseCall.Grant: {
      const made = lives.some(
        (life) =>
          life.lease === granted &&
          life.ttlSeconds === ttlSeconds &&
          life.grantedUs >= calledUs &&
          life.grantedUs <= returnedUs,
      );
      return demand(made, property, () => `${textOf(operation)}: no such grant was committed then`);
    }
    case LeaseCall.Revoke: {
      const ended = lives.some(
        (life) =>
          life.lease === lease &&
          life.byClient &&
          life.endedUs >= calledUs &&
          life.endedUs <= returnedUs,
      );
      return demand(ended, property, () => `${textOf(operation)}: it did not end then`);
    }
    default:
      if (ttlSeconds < 0 || (call === LeaseCall.KeepAlive && ttlSeconds === 0)) {
        return demandMissing(operation, lives);
      }
      demandThere(operation, lives);
      if (call === LeaseCall.TimeToLive && operation.keys.length > 0) checkKeys(operation, model);
  }
}

function checkRefusal(operation: LeaseOperation, lives: readonly TimedLife[]): void {
  if (operation.kvError === KvError.LeaseExists) demandThere(operation, lives);
  if (operation.kvError === KvError.LeaseNotFound) demandMissing(operation, lives);
}

function demandThere(operation: LeaseOperation, lives: readonly TimedLife[]): void {
  const there = livesDuring(lives, operation.lease, operation);
  const fits = there.some(({ ttlSeconds }) => ttlSeconds >= operation.ttlSeconds);
  demand(fits, property, () => `${textOf(operation)}: it was not there`);
}

/** One and the same was there all the time. */
function demandMissing(operation: LeaseOperation, lives: readonly TimedLife[]): void {
  const { lease, calledUs, returnedUs } = operation;
  const all = lives.find(
    (life) => life.lease === lease && life.grantedUs < calledUs && life.endedUs > returnedUs,
  );
  demand(all === undefined, property, () => `${textOf(operation)}: it was there all the time`);
}

function checkKeys(operation: LeaseOperation, model: KvModel): void {
  const { revision, lease, keys } = operation;
  const all = model.liveAt(latin1Encode("\0"), latin1Encode("\0"), revision);
  const expected = all.filter((kv) => kv.lease === lease).map(({ key }) => key);
  demand(
    keys.join() === expected.join(),
    property,
    () => `${textOf(operation)}: keys [${keys.join()}], at ${revision} it had [${expected.join()}]`,
  );
}

function textOf({ id, call, member, lease, granted, ttlSeconds, kvError }: LeaseOperation): string {
  const names = ["", "grant", "revoke", "keep-alive", "time to live"];
  const answer = kvError === KvError.None ? `${ttlSeconds} s` : `error ${kvError}`;
  return `operation ${id} (${names[call]} of ${granted || lease} at ${member}) heard ${answer}`;
}
