// The auth table as a table of the state machine: checkpoints carry it, damage is noticed, a recovery
// keeps users and drops tokens; and commands as bytes.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { KvState } from "../kv-state.ts";
import { withOtherTables } from "../other-tables.ts";
import { AuthMember } from "../test/auth-member.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import { AuthAction, decodeAuthCommand, encodeAuthCommand } from "./auth-command.ts";
import type { AuthCommand } from "./auth-command.ts";
import { AuthTable } from "./auth-table.ts";
import type { PermissionType } from "./user.ts";

const token = "t".repeat(32);

function filled(): AuthMember {
  const member = new AuthMember();
  member.addRole("r", ["r a c", "w z \0", "rw \xff"]);
  member.addUser("u", ["r"]);
  member.enable();
  const checkedRevision = member.kv.auth.revision;
  member.auth({ action: AuthAction.IssueToken, user: "u", token, ttlMs: 1000, checkedRevision });
  return member;
}

function rebuilt(member: AuthMember): KvState | null {
  const kv = new KvState({
    rows: new MemoryRows(),
    clusterId: 1n,
    memberId: 2n,
    txnOpsMax: 5,
    rangeBytesMax: 1 << 20,
  });
  return kv.beginRebuild(member.kv.tables()) && kv.finishRebuild() ? kv : null;
}

test("a checkpoint carries users, roles, tokens and whether all that is in force", () => {
  const member = filled();
  const kv = rebuilt(member)!;
  deepEqual(kv.liveDigest(), member.kv.liveDigest());
  deepEqual(kv.tables(), member.kv.tables());
  equal(kv.auth.enabled, true);
  equal(kv.auth.identityOfToken(token)?.user, "u");
  deepEqual(kv.auth.role("r"), member.kv.auth.role("r"));
  deepEqual(kv.auth.user("u"), member.kv.auth.user("u"));
});

test("any other byte of a snapshot is refused, or makes another digest", () => {
  const member = filled();
  const { bytes } = member.kv.tables().find(({ name }) => name === "auth")!;
  const table = new AuthTable();
  ok(table.restore(bytes));
  const digest = table.digest();
  for (let at = 0; at < bytes.length; at += 1) {
    const broken = bytes.slice();
    broken[at]! ^= 1;
    if (table.restore(broken)) notDeepEqual(table.digest(), digest, `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length += 1) {
    equal(table.restore(bytes.subarray(0, length)), false);
  }
});

test("a recovery keeps users and roles; what tokens the old cluster gave out is over", () => {
  const member = filled();
  const records = withOtherTables(member.kv.tables(), [])!;
  const kv = new KvState({
    rows: new MemoryRows(),
    clusterId: 1n,
    memberId: 2n,
    txnOpsMax: 5,
    rangeBytesMax: 1 << 20,
  });
  ok(kv.beginRebuild(records));
  equal(kv.auth.enabled, true);
  deepEqual(kv.auth.userNames(), ["root", "u"]);
  equal(kv.auth.identityOfToken(token), null);
});

const name = fc.string({ unit: "grapheme", maxLength: 8 });
const key = fc.uint8Array({ maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes));
const tokenHash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => String.fromCharCode(...bytes));
const permission = fc.record({
  type: fc.constantFrom<PermissionType>(0, 1, 2),
  key,
  rangeEnd: key,
});
const { Enable, Disable, UserAdd, UserDelete, UserChangePassword, ExpireTokens } = AuthAction;
const command: fc.Arbitrary<AuthCommand> = fc.oneof(
  fc.record({ action: fc.constantFrom(Enable, Disable, ExpireTokens) }),
  fc.record({
    action: fc.constant(UserAdd),
    user: name,
    passwordHash: name,
    noPassword: fc.boolean(),
  }),
  fc.record({ action: fc.constant(UserDelete), user: name }),
  fc.record({ action: fc.constant(UserChangePassword), user: name, passwordHash: name }),
  fc.record({
    action: fc.constantFrom(AuthAction.UserGrantRole, AuthAction.UserRevokeRole),
    user: name,
    role: name,
  }),
  fc.record({ action: fc.constantFrom(AuthAction.RoleAdd, AuthAction.RoleDelete), role: name }),
  fc.record({
    action: fc.constantFrom(AuthAction.RoleGrantPermission, AuthAction.RoleRevokePermission),
    role: name,
    permission,
  }),
  fc.record({
    action: fc.constant(AuthAction.IssueToken),
    user: name,
    token: tokenHash,
    ttlMs: fc.maxSafeNat(),
    checkedRevision: fc.maxSafeNat(),
  }),
  fc.record({ action: fc.constant(AuthAction.RenewTokens), tokens: fc.array(tokenHash) }),
) as fc.Arbitrary<AuthCommand>;

test("a command is read as it was written, behind anything; cut or with more behind it, never", () => {
  fc.assert(
    fc.property(command, fc.nat(5), (written, before) => {
      const bytes = encodeAuthCommand(written);
      const shifted = new Uint8Array(before + bytes.length);
      shifted.set(bytes, before);
      equal(JSON.stringify(decodeAuthCommand(shifted, before)), JSON.stringify(written));
      for (let length = 0; length < bytes.length; length += 1) {
        equal(decodeAuthCommand(bytes.subarray(0, length)), null);
      }
      equal(decodeAuthCommand(Uint8Array.of(...bytes, 0)), null);
    }),
  );
});
