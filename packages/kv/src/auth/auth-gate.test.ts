// Who may do what: rows for each operation, and random requests, transactions in transactions among
// them, against an oracle that flattens them (A1, CVE-2026-33343, CVE-2026-44283).
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Encode } from "@quorate/base";
import { AlarmCause } from "../alarm/alarm-causes.ts";
import { AlarmAction, encodeAlarmCommand } from "../alarm/alarm-command.ts";
import { AlarmType } from "../alarm/alarm-type.ts";
import { KvError } from "../kv-error.ts";
import { encodeLeaseGrant, encodeLeaseRevoke, RevokeCause } from "../lease/lease-commands.ts";
import { leaseIdOf } from "../lease/lease-id.ts";
import { OperationKind } from "../operation.ts";
import { AuthMember } from "../test/auth-member.ts";
import { isGiven, neededBy } from "../test/flat-rights.ts";
import { Member, term } from "../test/member.ts";
import { allKeys, rangeKind, Request, request } from "../test/requests.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import {
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../wire/request.ts";
import type { RequestOp } from "../wire/request.ts";
import { AuthAction } from "./auth-command.ts";
import { AuthGate } from "./auth-gate.ts";
import { Identity, nobody } from "./identity.ts";
import type { PermissionType } from "./user.ts";

const b = latin1Encode;
const { None, PermissionDenied, UserEmpty, AuthOldRevision } = KvError;

const put = (key: string, fields: Partial<PutRequest> = {}): PutRequest =>
  new PutRequest({ key: b(key), value: b("v"), ...fields });
const del = (key: string, rangeEnd: string = "", prevKv: boolean = false): DeleteRangeRequest =>
  new DeleteRangeRequest({ key: b(key), rangeEnd: b(rangeEnd), prevKv });
const get = (key: string, rangeEnd: string = ""): RangeRequest =>
  new RangeRequest({ key: b(key), rangeEnd: b(rangeEnd) });
const txn = (fields: Partial<TxnRequest>): TxnRequest => new TxnRequest(fields);
const compared = (key: string, rangeEnd: string = ""): Compare =>
  new Compare({ key: b(key), rangeEnd: b(rangeEnd) });

/** u reads [a, c), writes [b, d) and w; v has no role. */
function members(): AuthMember {
  const member = new AuthMember();
  member.addRole("r", ["r a b", "r b c", "w b d", "w w"]);
  member.addUser("u", ["r"]);
  member.addUser("v");
  member.enable();
  return member;
}

function kindOf(content: NonNullable<RequestOp>): OperationKind | typeof rangeKind {
  if (content instanceof RangeRequest) return rangeKind;
  if (content instanceof PutRequest) return OperationKind.Put;
  return content instanceof TxnRequest ? OperationKind.Txn : OperationKind.DeleteRange;
}

function ask(member: AuthMember, content: NonNullable<RequestOp>, identity: Identity): KvError {
  const asked = new Request(kindOf(content) as Request["kind"], content);
  if (asked.kind === rangeKind) return member.kv.range(asked.bytes, term, identity).error;
  return member.ask(asked, identity);
}

test("each operation by what it reads and writes, alone and in a transaction in a transaction", () => {
  const rows: [NonNullable<RequestOp>, boolean][] = [
    [get("a"), true],
    [get("b\xff"), true],
    [get("c"), false],
    [get("w"), false],
    [get("a", "c"), true],
    [get("a", "c\0"), false],
    [get("a", "\0"), false],
    [get("\0", "\0"), false],
    [get("b", "a"), true],
    [get("d", "c"), false],
    [put("b"), true],
    [put("a"), false],
    [put("w"), true],
    [put("b", { prevKv: true }), true],
    [put("c", { prevKv: true }), false],
    [put("w", { prevKv: true }), false],
    [del("b", "d"), true],
    [del("a", "c"), false],
    [del("b", "c", true), true],
    [del("b", "d", true), false],
    [del("w"), true],
    [del("w", "\0"), false],
    [txn({ compare: [compared("a", "c")] }), true],
    [txn({ compare: [compared("d")] }), false],
    [txn({ compare: [compared("a", "\0")] }), false],
  ];
  const member = members();
  const u = member.as("u");
  for (const [content, may] of rows) {
    const wanted = may ? None : PermissionDenied;
    const text = new Request(kindOf(content) as Request["kind"], content).toString();
    equal(ask(member, content, u), wanted, text);
    const branches = [
      txn({ success: [content] }),
      txn({ compare: [compared("a")], failure: [put("w"), txn({ success: [content] })] }),
      txn({ failure: [txn({ failure: [txn({ success: [get("a"), content] })] })] }),
    ];
    for (const nested of branches) equal(ask(member, nested, u), wanted, `nested ${text}`);
    equal(ask(member, content, member.as("root")), None, `root ${text}`);
    equal(ask(member, content, member.as("v")), PermissionDenied, `v ${text}`);
    equal(ask(member, content, member.as("stranger")), PermissionDenied, `stranger ${text}`);
    equal(ask(member, content, nobody), UserEmpty, `nobody ${text}`);
  }
});

test("who was found out before the newest change of rights must be found out again, to read too", () => {
  const member = members();
  const [u, root] = [member.as("u"), member.as("root")];
  equal(ask(member, get("a"), u), None);
  member.addRole("other", [], root);
  for (const content of [get("a"), put("b"), txn({ success: [get("a")] })]) {
    equal(ask(member, content, u), AuthOldRevision);
    equal(ask(member, content, root), AuthOldRevision);
    equal(ask(member, content, member.as("u")), None);
  }
  equal(
    ask(member, get("a"), new Identity("u", 1000)),
    None,
    "a member that knows more may be ahead",
  );
});

test("while authentication is off, everybody may do everything", () => {
  const member = members();
  const stranger = new Identity("stranger", 1);
  equal(member.auth({ action: AuthAction.Disable }, member.as("root")), None);
  for (const identity of [nobody, stranger]) {
    for (const content of [get("x", "\0"), put("x"), del("x"), txn({ success: [put("y")] })]) {
      equal(ask(member, content, identity), None);
    }
  }
});

test("compaction and alarms by hand are an administrator's; a member's own alarms need nobody", () => {
  const member = members();
  const compact = new Request(OperationKind.Compact, new CompactionRequest({ revision: 1 }));
  const alarm = (cause: AlarmCause): Uint8Array =>
    encodeAlarmCommand({
      action: AlarmAction.Activate,
      memberId: "0".repeat(16),
      type: AlarmType.DiskFailing,
      cause,
      text: "",
    });
  const raise = (cause: AlarmCause, identity: Identity): KvError =>
    member.apply(OperationKind.Alarm, alarm(cause), true, term, identity).error;
  const wanted: [Identity, KvError][] = [
    [nobody, UserEmpty],
    [member.as("u"), PermissionDenied],
    [member.as("root"), None],
  ];
  for (const [identity, error] of wanted) {
    equal(member.ask(compact, identity), error);
    equal(raise(AlarmCause.Operator, identity), error);
  }
  equal(raise(AlarmCause.ReadErrors, nobody), None);
});

test("to attach a key to a lease takes the right to write all that the lease holds", () => {
  const member = members();
  const held: Record<number, string[]> = { 1: ["b", "w"], 2: ["b", "x"], 3: [] };
  const gate = new AuthGate(member.kv.auth, (_high, low) => held[low] ?? []);
  const attach = (leaseLow: number, user: string): KvError => {
    const asked = txn({ success: [put("b", { leaseLow })] });
    return gate.mayRunTxn(member.as(user), asked);
  };
  deepEqual(
    [1, 2, 3, 4].map((low) => attach(low, "u")),
    [None, PermissionDenied, None, None],
  );
  deepEqual(
    [1, 2].map((low) => attach(low, "root")),
    [None, None],
  );
});

const permission = fc.record({
  type: fc.constantFrom<PermissionType>(0, 1, 2),
  key: fc.constantFrom(...allKeys),
  rangeEnd: fc.oneof(fc.constant(""), fc.constant("\0"), fc.constantFrom(...allKeys)),
});

test("a request passes exactly if each of its parts, flattened, is given; refused, it changes nothing", () => {
  let passed = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(permission, { maxLength: 8 }),
      fc.array(request, { maxLength: 12 }),
      check,
    ),
    { numRuns: 400 },
  );
  ok(passed > 50 && refused > 50, `${passed} passed, ${refused} refused`);

  function check(
    permissions: { type: PermissionType; key: string; rangeEnd: string }[],
    requests: readonly Request[],
  ): void {
    const valid = permissions.filter(
      ({ key, rangeEnd }) => rangeEnd === "" || rangeEnd === "\0" || key < rangeEnd,
    );
    const member = new AuthMember();
    const twin = new Member(new MemoryRows());
    member.addRole("r");
    for (const one of valid) {
      member.auth({ action: AuthAction.RoleGrantPermission, role: "r", permission: one });
    }
    member.addUser("u", ["r"]);
    member.enable();
    const granted = member.kv.auth.role("r")!.permissions;
    for (const one of requests) {
      if (one.kind === OperationKind.Compact) continue;
      const given = neededBy(one.content).every((needed) => isGiven(needed, granted));
      const { revision } = member.kv;
      const isRead = one.kind === rangeKind;
      const error = isRead
        ? member.kv.range(one.bytes, term, member.as("u")).error
        : member.ask(one, member.as("u"));
      if (given) {
        passed += 1;
        const plain = isRead ? twin.kv.range(one.bytes, term) : twin.apply(one.kind, one.bytes);
        equal(error, plain.error, one.toString());
        continue;
      }
      refused += 1;
      notEqual(error, None, one.toString());
      deepEqual(member.kv.revision, revision);
    }
    equal(member.kv.revision, twin.kv.revision);
    equal(member.kv.keys, twin.kv.keys);
  }
});

test("a lease is renewed and revoked by who may write all its keys, an empty one by any user, its end by nobody", () => {
  const member = members();
  const id = leaseIdOf(0, 7);
  const grant = encodeLeaseGrant({ id, ttlSeconds: 60 });
  const granted = (identity: Identity): KvError =>
    member.apply(OperationKind.LeaseGrant, grant, true, term, identity).error;
  equal(granted(nobody), UserEmpty);
  equal(granted(member.as("stranger")), PermissionDenied);
  equal(granted(member.as("v")), None);
  const revoke = (identity: Identity): KvError => {
    const record = encodeLeaseRevoke({ cause: RevokeCause.Client, id });
    return member.apply(OperationKind.LeaseRevoke, record, true, term, identity).error;
  };
  equal(ask(member, put("b", { leaseLow: 7 }), member.as("u")), None);
  equal(revoke(member.as("v")), PermissionDenied);
  equal(revoke(nobody), UserEmpty);
  equal(ask(member, put("x", { leaseLow: 7 }), member.as("root")), None);
  equal(revoke(member.as("u")), PermissionDenied);
  equal(ask(member, put("w", { leaseLow: 7 }), member.as("u")), PermissionDenied);
  equal(member.kv.mayKeepLease(member.as("u"), id), PermissionDenied);
  equal(member.kv.mayKeepLease(member.as("root"), id), None);
  equal(ask(member, del("x"), member.as("root")), None);
  equal(member.kv.mayKeepLease(member.as("u"), id), None);
  equal(revoke(member.as("u")), None);
  equal(granted(member.as("v")), None);
  equal(revoke(member.as("v")), None, "it holds nothing");
  equal(granted(member.as("v")), None);
  const grantIndex = member.index;
  const ended = encodeLeaseRevoke({ cause: RevokeCause.Expired, id, grantIndex, term });
  equal(member.apply(OperationKind.LeaseRevoke, ended).error, None);
});
