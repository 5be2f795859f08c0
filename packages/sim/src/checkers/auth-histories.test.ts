// Method: random changes of users and rights, requests and leases of several users over a real state
// machine; and histories made by hand, one for each way in which rights can be disregarded. Goal: the
// twin says to everything what the state machine says; A1 and A2 accept what was right, and refuse each
// of the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import { CredentialKind, type Credential, Failure, FailureCode } from "@quorate/host";
import {
  AuthAction,
  type AuthCommand,
  encodeAuthCommand,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  Identity,
  KvError,
  leaseIdOf,
  nobody,
  OperationKind,
  PermissionType,
  PutRequest,
  RevokeCause,
  TxnRequest,
  WatchAsk,
  WatchRequest,
} from "@quorate/kv";
import { getOf, HistoryMaker, putOf } from "../../test/history-maker.ts";
import { AuthHistory, type AuthOperation } from "../client/auth-history.ts";
import type { ClientOperation, ClientRequest } from "../client/history.ts";
import { LeaseCall, LeaseHistory, type LeaseOperation } from "../client/lease-history.ts";
import { WatchRecord } from "../client/watch-history.ts";
import { judgeAuth } from "../judge.ts";
import type { SimRandom } from "../sim-random.ts";
import { AuthChanges } from "../workloads/auth-changes.ts";
import { AuthPeople, named, rightsOf, userNames } from "../workloads/auth-people.ts";
import { AuthRequests } from "../workloads/auth-requests.ts";
import { planned } from "../workloads/workload.ts";
import { World } from "../world.ts";
import { checkAcknowledgedWrites } from "./acknowledged-writes.ts";
import { checkLocalReads } from "./auth-local-reads.ts";
import { checkPermitted } from "./auth-permitted.ts";
import { Violation } from "./violation.ts";

const token: Credential = { kind: CredentialKind.Token, hash: "t".repeat(32) };
const readWrite = PermissionType.ReadWrite;

/** A cluster of one state machine, and what its clients hear. */
class Maker extends HistoryMaker {
  readonly auth: AuthHistory = new AuthHistory(this.history);
  readonly leases: LeaseHistory = new LeaseHistory(this.history);
  readonly watchers: WatchRecord[] = [];

  /** By whom a name says that it is, as all members know it. */
  as(user: string): Identity {
    return user === "" ? nobody : this.kv.auth.identityOf(user);
  }

  change(command: AuthCommand, user: string = ""): AuthOperation {
    const credential = user === "" ? null : named(user);
    const operation = this.auth.begin("m0", command, credential);
    const { entrance } = operation;
    entrance.identity = this.as(user);
    entrance.decidedAt = this.index;
    const refusal = this.kv.auth.mayAdminister(entrance.identity);
    entrance.isRefused = refusal !== KvError.None;
    entrance.answeredAt = this.index;
    const error = entrance.isRefused
      ? refusal
      : this.commit(OperationKind.Auth, encodeAuthCommand(command), entrance.identity);
    if (error === KvError.None) this.auth.ok(operation);
    else this.auth.failed(operation, new Failure(FailureCode.Kv, error, []));
    return operation;
  }

  /** As a user that has come in by its name. */
  asks(user: string, request: ClientRequest, serializable = false): ClientOperation {
    const operation = this.lets(user, request, serializable);
    const { bytes, error } = this.answer(operation);
    if (bytes === null) this.refuseFor(operation, error);
    else this.history.ok(operation, bytes);
    return operation;
  }

  lets(user: string, request: ClientRequest, serializable = false): ClientOperation {
    this.identity = this.as(user);
    this.history.credential = user === "" ? null : named(user);
    const operation = this.call(request, serializable);
    operation.entrance.decidedAt = this.index;
    return operation;
  }

  judge(): void {
    const evidence = this.evidence();
    checkPermitted(evidence);
    checkLocalReads(evidence);
    judgeAuth(this.auth, this.leases, this.watchers, evidence);
  }
}

/** On: root, and u0 with the right to "a". */
function begin(): Maker {
  const maker = new Maker();
  const passwordHash = "h";
  const noPassword = false;
  for (const user of ["root", "u0"]) {
    maker.change({ action: AuthAction.UserAdd, user, passwordHash, noPassword });
  }
  maker.change({ action: AuthAction.UserGrantRole, user: "root", role: "root" });
  maker.change({ action: AuthAction.RoleAdd, role: "r0" });
  const permission = { type: readWrite, key: "a", rangeEnd: "" };
  maker.change({ action: AuthAction.RoleGrantPermission, role: "r0", permission });
  maker.change({ action: AuthAction.UserGrantRole, user: "u0", role: "r0" });
  maker.change({ action: AuthAction.Enable });
  return maker;
}

const takeRole: AuthCommand = { action: AuthAction.UserRevokeRole, user: "u0", role: "r0" };

function rejects(maker: Maker, message: RegExp): void {
  const refused = (error: unknown): boolean =>
    error instanceof Violation && message.test(error.message);
  assert.throws(() => maker.judge(), refused);
}

// ---- good ones ------------------------------------------------------------------------------------

/** Mostly as known now; sometimes as it was before, or nobody. */
function drawIdentity(maker: Maker, random: SimRandom): Identity {
  const user = random.pick([...userNames, "root", "root", ""]);
  if (user === "") return nobody;
  const { revision } = maker.kv.auth;
  return random.chance(0.2) ? new Identity(user, random.between(1, revision)) : maker.as(user);
}

function step(maker: Maker, random: SimRandom, changes: AuthChanges, own: AuthRequests): void {
  const draw = random.below(10);
  const identity = drawIdentity(maker, random);
  const id = leaseIdOf(0, random.between(1, 3));
  if (draw < 3) {
    const command = changes.next(maker.kv.auth, random);
    maker.commit(OperationKind.Auth, encodeAuthCommand(command), maker.as("root"));
  } else if (draw === 3) {
    const command = changes.next(maker.kv.auth, random);
    const error = maker.commit(OperationKind.Auth, encodeAuthCommand(command), identity);
    const { outcomes } = maker.evidence().replay.model.auth;
    assert.equal(outcomes.get(maker.index)!.error, error, JSON.stringify(command));
  } else if (draw === 4) {
    maker.commit(OperationKind.LeaseGrant, encodeLeaseGrant({ id, ttlSeconds: 5 }), identity);
    const record = encodeLeaseRevoke({ cause: RevokeCause.Client, id });
    if (random.chance(0.3)) maker.commit(OperationKind.LeaseRevoke, record, identity);
  } else {
    maker.identity = identity;
    const { request, serializable } = own.next(random, rightsOf(maker.kv.auth, identity.user));
    maker.does(request, serializable);
  }
}

test("random users, rights, requests and leases: the twin says what the state machine says", () => {
  const heard = new Map<KvError, number>();
  for (let seed = 0; seed < 25; seed++) {
    const random = new World(seed).random("test");
    const maker = new Maker();
    const changes = new AuthChanges(new AuthPeople());
    const own = new AuthRequests(0);
    for (let at = 0; at < 150; at++) step(maker, random, changes, own);
    const evidence = maker.evidence();
    checkPermitted(evidence);
    checkLocalReads(evidence);
    checkAcknowledgedWrites(evidence);
    const { model } = evidence.replay;
    assert.equal(model.revision, maker.kv.revision);
    assert.equal(model.auth.now.revision, maker.kv.auth.revision);
    for (const { kvError } of maker.history.operations) {
      heard.set(kvError, (heard.get(kvError) ?? 0) + 1);
    }
  }
  const { None, PermissionDenied, AuthOldRevision, UserEmpty } = KvError;
  for (const error of [None, PermissionDenied, AuthOldRevision, UserEmpty]) {
    assert.ok((heard.get(error) ?? 0) > 30, `${error}: ${heard.get(error) ?? 0}`);
  }
});

test("what was permitted is accepted, and what was refused for a reason", () => {
  const maker = begin();
  maker.asks("u0", putOf("a", "1"));
  const denied = maker.asks("u0", putOf("b", "1"));
  assert.equal(denied.kvError, KvError.PermissionDenied);
  maker.asks("u0", getOf("a"));
  assert.equal(maker.change(takeRole, "u0").kvError, KvError.PermissionDenied);
  maker.change(takeRole, "root");
  assert.equal(maker.asks("u0", getOf("a")).kvError, KvError.PermissionDenied);
  assert.equal(maker.asks("u0", getOf("a"), true).kvError, KvError.PermissionDenied);
  maker.judge();
});

// ---- A1 -------------------------------------------------------------------------------------------

/** What root hears. */
function answerTo(request: ClientRequest): Uint8Array {
  const other = begin();
  other.identity = other.as("root");
  return other.answer(other.call(request)).bytes!;
}

test("A1: a write that was not permitted and is acknowledged is rejected, nested or not", () => {
  const put = putOf("b", "1");
  const nested = new TxnRequest({ success: [getOf("a"), new TxnRequest({ failure: [put] })] });
  for (const request of [put, nested]) {
    const maker = begin();
    const operation = maker.lets("u0", request);
    assert.equal(maker.answer(operation).error, KvError.PermissionDenied);
    maker.history.ok(operation, answerTo(request));
    rejects(maker, /A1 permitted answers: operation 0 .*PermissionDenied/);
  }
});

test("A1: a read that was not permitted, and one refused that was, are rejected", () => {
  const maker = begin();
  const stolen = maker.lets("u0", getOf("b"));
  maker.answer(stolen);
  maker.history.ok(stolen, answerTo(getOf("b")));
  rejects(maker, /A1 permitted answers: read 0 .*twin says error PermissionDenied/);

  const refused = begin();
  const due = refused.lets("u0", getOf("a"));
  refused.answer(due);
  refused.refuseFor(due, KvError.PermissionDenied);
  rejects(refused, /A1 permitted answers: read 0 .*twin says error None/);
});

test("A1: an old revision counts: what was found out before a change is not good behind it", () => {
  const maker = begin();
  const operation = maker.lets("u0", putOf("a", "1"));
  const permission = { type: readWrite, key: "c", rangeEnd: "" };
  maker.change({ action: AuthAction.RoleGrantPermission, role: "r0", permission }, "root");
  assert.equal(maker.answer(operation).error, KvError.AuthOldRevision);
  maker.judge();
  maker.history.ok(operation, answerTo(putOf("a", "1")));
  rejects(maker, /A1 permitted answers: operation 0 .*AuthOldRevision/);
});

test("A1: a serializable read by a right that its member's state lacks is rejected", () => {
  const maker = begin();
  maker.change(takeRole, "root");
  const operation = maker.lets("u0", getOf("a"), true);
  maker.answer(operation);
  maker.history.ok(operation, answerTo(getOf("a")));
  rejects(maker, /A1 serializable reads by the member's own state: read 0/);
  // By one that is behind it is fine.
  operation.entrance.decidedAt = operation.entrance.answeredAt = maker.index - 1;
  operation.entrance.identity = new Identity("u0", maker.kv.auth.revision - 1);
  maker.judge();
});

test("A1: whoever is let in is who it said, and known", () => {
  const stranger = begin();
  const unknown = stranger.history.call(0, "m0", planned(getOf("a")), token);
  unknown.entrance.identity = stranger.as("root");
  unknown.entrance.decidedAt = unknown.entrance.answeredAt = stranger.index;
  stranger.history.ok(unknown, answerTo(getOf("a")));
  rejects(stranger, /A1 permitted answers: operation 0 by .* was let in as root .*nobody known/);

  const other = begin();
  const operation = other.lets("u0", getOf("a"));
  operation.entrance.identity = other.as("root");
  other.answer(operation);
  other.history.ok(operation, answerTo(getOf("a")));
  rejects(other, /A1 permitted answers: operation 0 by .*u0.* was let in as root/);

  const refused = begin();
  const due = refused.lets("u0", getOf("a"));
  due.entrance.isRefused = true;
  refused.refuseFor(due, KvError.InvalidAuthToken);
  rejects(refused, /A1 permitted answers: operation 0 .*refused with/);
});

test("A1: a token is good from its login to the change of the password", () => {
  const issue = { action: AuthAction.IssueToken, user: "u0", token: token.hash, ttlMs: 1000 };
  for (const isChanged of [false, true]) {
    const maker = begin();
    const checkedRevision = maker.kv.auth.revision;
    const command = { ...issue, checkedRevision } as const;
    assert.equal(maker.commit(OperationKind.Auth, encodeAuthCommand(command)), KvError.None);
    const newHash = { user: "u0", passwordHash: "new" };
    if (isChanged) maker.change({ action: AuthAction.UserChangePassword, ...newHash }, "root");
    const operation = maker.history.call(0, "m0", planned(getOf("a")), token);
    operation.entrance.identity = maker.as("u0");
    operation.entrance.decidedAt = maker.index;
    maker.history.ok(operation, maker.read(operation));
    if (isChanged) rejects(maker, /A1 permitted answers: operation 0 .*nobody known/);
    else maker.judge();
  }
});

test("A1: a change of rights, and a login, that the twin refuses and somebody heard OK for", () => {
  const maker = begin();
  const change = maker.change({ action: AuthAction.RoleAdd, role: "r1" }, "root");
  const again = maker.change({ action: AuthAction.RoleAdd, role: "r1" }, "root");
  assert.equal(again.kvError, KvError.RoleExists);
  maker.judge();
  again.kvError = KvError.None;
  again.outcome = change.outcome;
  rejects(maker, /A1 permitted answers: change .*RoleExists/);

  const login = begin();
  const checkedRevision = 1;
  const command = {
    ...{ action: AuthAction.IssueToken, user: "u0", token: token.hash, ttlMs: 1000 },
    checkedRevision,
  } as const;
  const attempt = login.auth.begin("m0", { user: "u0", passwordHash: "h" }, null);
  attempt.entrance.answeredAt = login.index;
  const error = login.commit(OperationKind.Auth, encodeAuthCommand(command));
  assert.equal(error, KvError.AuthOldRevision);
  attempt.token = token.hash;
  login.auth.ok(attempt);
  rejects(login, /A1 permitted answers: login .* that the twin refused/);
});

test("A1: a lease is renewed, and its keys are told, by rights to them", () => {
  const id = leaseIdOf(0, 1);
  const leased = (maker: Maker, key: string): LeaseOperation => {
    maker.commit(
      OperationKind.LeaseGrant,
      encodeLeaseGrant({ id, ttlSeconds: 5 }),
      maker.as("root"),
    );
    const value = latin1Encode("1");
    maker.asks("root", new PutRequest({ key: latin1Encode(key), value, leaseLow: 1 }));
    const operation = maker.leases.begin(LeaseCall.KeepAlive, "m0", 1, 0, named("u0"));
    operation.entrance.identity = maker.as("u0");
    operation.entrance.decidedAt = operation.entrance.answeredAt = maker.index;
    operation.outcome = maker.history.operations[0]!.outcome;
    return operation;
  };
  const fine = begin();
  leased(fine, "a");
  fine.judge();
  const renewed = begin();
  leased(renewed, "b");
  rejects(renewed, /A1 permitted answers about leases: operation 0: u0 renewed lease 1/);
  const told = begin();
  const operation = leased(told, "b");
  Object.assign(operation, { call: LeaseCall.TimeToLive, keys: ["b"] });
  rejects(told, /A1 permitted answers about leases: operation 0: u0 was told the keys b/);
});

// ---- A2 -------------------------------------------------------------------------------------------

test("A2: a read by a state from before a change that was answered is rejected", () => {
  const maker = begin();
  const early = maker.lets("u0", getOf("a"));
  const { bytes } = maker.answer(early);
  maker.change(takeRole, "root");
  // Called before the change was answered, it may be answered by what was.
  maker.history.ok(early, bytes!);
  maker.judge();
  const late = maker.history.call(0, "m0", planned(getOf("a")), named("u0"));
  Object.assign(late.entrance, early.entrance);
  maker.history.ok(late, bytes!);
  rejects(maker, /A2 what was taken away is gone: operation 1 .* a change at/);
});

test("A2: the password from before a change that was answered is rejected", () => {
  const maker = begin();
  const change = {
    action: AuthAction.UserChangePassword,
    user: "u0",
    passwordHash: "new",
  } as const;
  const early = maker.auth.begin("m0", { user: "u0", passwordHash: "h" }, null);
  early.entrance.answeredAt = maker.index;
  maker.change(change, "root");
  maker.auth.ok(early);
  maker.judge();
  const late = maker.auth.begin("m0", { user: "u0", passwordHash: "h" }, null);
  late.entrance.answeredAt = maker.index;
  maker.auth.ok(late);
  rejects(maker, /A2 what was taken away is gone: login .* of u0 succeeded with h/);
});

test("A2: nobody who watches is told anything by a member that knows that the right is gone", () => {
  const request = new WatchRequest({ ask: WatchAsk.Create, key: latin1Encode("a") });
  const watching = (): { maker: Maker; record: WatchRecord; identity: Identity } => {
    const maker = begin();
    const record = new WatchRecord(0, request, null);
    const identity = maker.as("u0");
    maker.watchers.push(record);
    record.permitted(identity, maker.index, true);
    return { maker, record, identity };
  };
  const fine = watching();
  fine.record.permitted(fine.identity, fine.maker.index, false);
  // What has nothing to do with it ends nothing, though its revision is old then.
  fine.maker.change({ action: AuthAction.RoleAdd, role: "r1" }, "root");
  fine.record.permitted(fine.identity, fine.maker.index, false);
  fine.maker.judge();

  const told = watching();
  told.maker.change(takeRole, "root");
  told.record.permitted(told.identity, told.maker.index, false);
  rejects(told.maker, /A2 what was taken away is gone: watcher 0 of u0 .* told of events/);

  const begun = watching();
  begun.maker.change(takeRole, "root");
  begun.record.permitted(begun.maker.as("u0"), begun.maker.index, true);
  rejects(begun.maker, /A2 what was taken away is gone: watcher 0 of u0 .* begun/);
});
