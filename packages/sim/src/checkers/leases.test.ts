// Method: lives of leases and what clients heard, made by hand: a history that is right, and one for each
// way in which it can be wrong. Goal: T1, T3 and T4 refuse each of these, by name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import {
  encodeLeaseGrant,
  encodeLeaseRevoke,
  KvError,
  leaseIdOf,
  OperationKind,
  PutRequest,
  RevokeCause,
} from "@quorate/kv";
import { Outcome } from "../client/history.ts";
import { LeaseCall, LeaseOperation } from "../client/lease-history.ts";
import { KvModel } from "../model/kv-model.ts";
import { checkLeaseAnswers } from "./lease-answers.ts";
import { type TimedLife, timedLives } from "./lease-lives.ts";
import { checkNeverEarly } from "./lease-never-early.ts";
import { LeaseRevokes, type SeenRevoke } from "./lease-revokes.ts";
import { Violation } from "./violation.ts";

const ms = 1_000;

function life(fields: Partial<TimedLife> = {}): TimedLife {
  const never = { endedUs: Infinity, expired: false, byClient: false };
  return { lease: 7, granted: 3, ttlSeconds: 5, grantedUs: 100 * ms, ...never, ...fields };
}

const expiredAt = (endedMs: number): TimedLife => life({ endedUs: endedMs * ms, expired: true });

let operations = 0;

/** Called and returned: ms. */
function heard(
  call: LeaseCall,
  calledMs: number,
  returnedMs: number,
  fields: Partial<LeaseOperation> = {},
): LeaseOperation {
  const lease = call === LeaseCall.Grant ? 0 : 7;
  const operation = new LeaseOperation(operations++, call, "m0", lease, calledMs * ms, 1);
  operation.outcome = Outcome.Ok;
  operation.returnedUs = returnedMs * ms;
  operation.granted = 7;
  operation.ttlSeconds = 5;
  return Object.assign(operation, fields);
}

const refused = (call: LeaseCall, calledMs: number, kvError: KvError): LeaseOperation =>
  heard(call, calledMs, calledMs + 1, { outcome: Outcome.NotCommitted, kvError });

function rejects(check: () => void, property: RegExp): void {
  const isIt = (error: unknown): boolean =>
    error instanceof Violation && property.test(error.property);
  assert.throws(check, isIt);
}

test("T1: as long as was promised, from when it was asked; a tenth less, for clocks that are too fast", () => {
  const grant = heard(LeaseCall.Grant, 99, 101);
  const renewal = heard(LeaseCall.KeepAlive, 3_000, 3_400);
  const check =
    (life: TimedLife, ...heardOf: LeaseOperation[]) =>
    () =>
      checkNeverEarly(heardOf, [life]);
  check(expiredAt(4_700), grant)();
  rejects(check(expiredAt(4_600), grant), /^T1/);
  check(expiredAt(7_600), grant, renewal)();
  rejects(check(expiredAt(7_500), grant, renewal), /^T1/);
  check(life({ endedUs: 300 * ms, byClient: true }), grant)();
  check(expiredAt(4_700), { ...renewal, outcome: Outcome.Unknown })();
  check(expiredAt(3_200), { ...renewal, ttlSeconds: 0 })();
});

test("T1: of two lives under one id a promise is held to the one that it can only be about", () => {
  const lives = [expiredAt(3_100), life({ granted: 9, grantedUs: 3_200 * ms })];
  const renewal = heard(LeaseCall.KeepAlive, 3_150, 3_300);
  checkNeverEarly([renewal], lives);
  checkNeverEarly([heard(LeaseCall.KeepAlive, 3_000, 3_300)], lives);
  rejects(() => checkNeverEarly([heard(LeaseCall.KeepAlive, 3_000, 3_100)], lives), /^T1/);
});

test("T4: renewed and found is what was there, unknown what was missing, at some time in between", () => {
  const model = new KvModel();
  const there = life();
  const ended = expiredAt(6_000);
  const check =
    (operation: LeaseOperation, ...lives: TimedLife[]) =>
    () =>
      checkLeaseAnswers([operation], lives, model);
  const { Grant, KeepAlive, Revoke, TimeToLive } = LeaseCall;
  check(heard(KeepAlive, 200, 300), there)();
  check(heard(KeepAlive, 5_900, 6_100), ended)();
  rejects(check(heard(KeepAlive, 6_001, 6_100), ended), /^T4/);
  rejects(check(heard(KeepAlive, 50, 99), there), /^T4/);
  check(heard(KeepAlive, 6_001, 6_100, { ttlSeconds: 0 }), ended)();
  check(heard(KeepAlive, 5_900, 6_100, { ttlSeconds: 0 }), ended)();
  rejects(check(heard(KeepAlive, 200, 300, { ttlSeconds: 0 }), ended), /^T4/);
  check(heard(TimeToLive, 200, 300, { ttlSeconds: 0 }), there)();
  rejects(check(heard(TimeToLive, 200, 300, { ttlSeconds: -1 }), there), /^T4/);
  rejects(check(heard(TimeToLive, 200, 300, { ttlSeconds: 6 }), there), /^T4/);
  check(heard(Grant, 99, 101), there)();
  rejects(check(heard(Grant, 101, 102), there), /^T4/);
  rejects(check(heard(Grant, 99, 101, { ttlSeconds: 4 }), there), /^T4/);
  const revoked = life({ endedUs: 500 * ms, byClient: true });
  check(heard(Revoke, 400, 600), revoked)();
  rejects(check(heard(Revoke, 501, 600), revoked), /^T4/);
  rejects(check(heard(Revoke, 5_900, 6_100), ended), /^T4/);
  check(refused(Grant, 200, KvError.LeaseExists), there);
  check(refused(Revoke, 7_000, KvError.LeaseNotFound), ended)();
  rejects(check(refused(Revoke, 200, KvError.LeaseNotFound), there), /^T4/);
});

test("T4: keys that are listed are those of the revision; lives are those of the log", () => {
  const model = new KvModel();
  const id = leaseIdOf(0, 7);
  const grant = encodeLeaseGrant({ id, ttlSeconds: 5 });
  model.lease({ index: 3, term: 1, kind: OperationKind.LeaseGrant, payload: grant }, 0);
  for (const key of ["b", "a"]) {
    model.apply(new PutRequest({ key: latin1Encode(key), leaseLow: 7 }));
  }
  const expired = { cause: RevokeCause.Expired, id, grantIndex: 3, term: 1 };
  const revoke = (term: number): void => {
    const payload = encodeLeaseRevoke({ ...expired, term: 1 });
    model.lease({ index: 8, term, kind: OperationKind.LeaseRevoke, payload }, 0);
  };
  revoke(2);
  assert.equal(model.revision, 3, "void in another term");
  revoke(1);
  assert.deepEqual([model.revision, model.leases.lives[0]!.end!.deleted], [4, 2]);
  const lives = timedLives(model.leases, (index) => index * 1_000 * ms);
  assert.deepEqual(
    lives.map(({ grantedUs, endedUs, expired: up }) => [grantedUs, endedUs, up]),
    [[3_000 * ms, 8_000 * ms, true]],
  );
  const listed = (revision: number, ...keys: string[]): LeaseOperation =>
    heard(LeaseCall.TimeToLive, 3_100, 3_200, { revision, keys });
  checkLeaseAnswers([listed(3, "a", "b"), listed(2, "b")], lives, model);
  rejects(() => checkLeaseAnswers([listed(2, "a", "b")], lives, model), /^T4/);
  rejects(() => checkLeaseAnswers([listed(4, "a")], lives, model), /^T4/);
});

test("T3: after its time, by a quorum's word since, in the record's term", () => {
  const conf = { voters: [1, 2, 3], votersOutgoing: [], learners: [4], learnersNext: [] };
  const seen: SeenRevoke = {
    leader: "m0#1",
    raftId: 1,
    term: 5,
    recordTerm: 5,
    lease: 7,
    conf: conf as unknown as SeenRevoke["conf"],
    overdueMs: 12,
    dueUs: 1_000,
  };
  const revokes = new LeaseRevokes();
  revokes.followed(2, 1, 5, 999);
  rejects(() => revokes.appended(seen), /^T3/);
  revokes.followed(4, 1, 5, 1_500);
  rejects(() => revokes.appended(seen), /^T3/);
  revokes.followed(2, 1, 6, 1_500);
  rejects(() => revokes.appended(seen), /^T3/);
  revokes.followed(2, 1, 5, 1_000);
  revokes.appended(seen);
  // It has gone on to a newer term, and the leader has not heard of it.
  revokes.followed(2, 1, 6, 1_600);
  revokes.appended(seen);
  rejects(() => revokes.appended({ ...seen, recordTerm: 4 }), /^T3/);
  rejects(() => revokes.appended({ ...seen, overdueMs: -1 }), /^T3/);
  rejects(() => revokes.appended({ ...seen, overdueMs: null }), /^T3/);
  const joint = { ...conf, votersOutgoing: [1, 3, 5] } as unknown as SeenRevoke["conf"];
  rejects(() => revokes.appended({ ...seen, conf: joint }), /^T3/);
});
