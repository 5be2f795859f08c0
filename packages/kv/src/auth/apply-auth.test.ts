// Commands on the table of users and roles: etcd's rules and errors, case by case, what a refusal leaves
// as it was, and what raises the auth revision. Method: commands through apply, as a host.
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { KvError } from "../kv-error.ts";
import { AuthMember } from "../test/auth-member.ts";
import { AuthAction } from "./auth-command.ts";
import type { AuthCommand } from "./auth-command.ts";
import { nameBytesMax, permissionsPerRoleMax, rolesMax, usersMax } from "./auth-limits.ts";
import { nobody } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { PermissionType } from "./user.ts";

const { ReadWrite, Read } = PermissionType;
const root = (member: AuthMember): Identity => member.as("root");

function userAdd(user: string, noPassword: boolean = false): AuthCommand {
  return { action: AuthAction.UserAdd, user, passwordHash: "h", noPassword };
}
const userDelete = (user: string): AuthCommand => ({ action: AuthAction.UserDelete, user });
const passwd = (user: string): AuthCommand => ({
  action: AuthAction.UserChangePassword,
  user,
  passwordHash: "new",
});
const grant = (user: string, role: string): AuthCommand => ({
  action: AuthAction.UserGrantRole,
  user,
  role,
});
const revoke = (user: string, role: string): AuthCommand => ({
  action: AuthAction.UserRevokeRole,
  user,
  role,
});
const roleAdd = (role: string): AuthCommand => ({ action: AuthAction.RoleAdd, role });
const roleDelete = (role: string): AuthCommand => ({ action: AuthAction.RoleDelete, role });
const permit = (
  role: string,
  key: string,
  rangeEnd: string = "",
  type: PermissionType = ReadWrite,
): AuthCommand => ({
  action: AuthAction.RoleGrantPermission,
  role,
  permission: { type, key, rangeEnd },
});
const forbid = (role: string, key: string, rangeEnd: string = ""): AuthCommand => ({
  action: AuthAction.RoleRevokePermission,
  role,
  permission: { type: Read, key, rangeEnd },
});
const enable: AuthCommand = { action: AuthAction.Enable };
const disable: AuthCommand = { action: AuthAction.Disable };

test("each change by etcd's rules: its error, and whether the auth revision goes up", () => {
  const rows: [AuthCommand, KvError, number][] = [
    [enable, KvError.RootUserNotFound, 0],
    [disable, KvError.None, 0],
    [userAdd(""), KvError.UserEmpty, 0],
    [userAdd("x".repeat(nameBytesMax + 1)), KvError.InvalidAuthManagement, 0],
    [userAdd("root"), KvError.None, 1],
    [userAdd("root"), KvError.UserExists, 0],
    [enable, KvError.RootRoleNotGranted, 0],
    [grant("root", "root"), KvError.None, 1],
    [grant("root", "root"), KvError.None, 0],
    [grant("root", "none"), KvError.RoleNotFound, 0],
    [grant("none", "root"), KvError.UserNotFound, 0],
    [roleAdd(""), KvError.RoleEmpty, 0],
    [roleAdd("r"), KvError.None, 1],
    [roleAdd("r"), KvError.RoleExists, 0],
    [permit("none", "a"), KvError.RoleNotFound, 0],
    [permit("r", ""), KvError.InvalidAuthManagement, 0],
    [permit("r", "b", "a"), KvError.InvalidAuthManagement, 0],
    [permit("r", "b", "b"), KvError.InvalidAuthManagement, 0],
    [permit("r", "b", "\0"), KvError.None, 1],
    [permit("r", "b", "c"), KvError.None, 1],
    [permit("r", "b", "c", Read), KvError.None, 1],
    [permit("r", "a"), KvError.None, 1],
    [forbid("r", "a", "b"), KvError.PermissionNotGranted, 0],
    [forbid("none", "a"), KvError.RoleNotFound, 0],
    [forbid("r", "a"), KvError.None, 1],
    [userAdd("u"), KvError.None, 1],
    [grant("u", "r"), KvError.None, 1],
    [revoke("u", "none"), KvError.RoleNotGranted, 0],
    [revoke("none", "r"), KvError.UserNotFound, 0],
    [passwd("none"), KvError.UserNotFound, 0],
    [passwd("u"), KvError.None, 1],
    [userDelete("none"), KvError.UserNotFound, 0],
    [enable, KvError.None, 0],
    [enable, KvError.None, 0],
    [userDelete("root"), KvError.InvalidAuthManagement, 0],
    [revoke("root", "root"), KvError.InvalidAuthManagement, 0],
    [roleDelete("root"), KvError.InvalidAuthManagement, 0],
    [roleDelete("none"), KvError.RoleNotFound, 0],
    [roleDelete("r"), KvError.None, 1],
    [userDelete("u"), KvError.None, 1],
    [disable, KvError.None, 1],
    [disable, KvError.None, 0],
    [revoke("root", "root"), KvError.None, 1],
    [userDelete("root"), KvError.None, 1],
  ];
  const member = new AuthMember();
  for (const [command, error, raised] of rows) {
    const { revision } = member.kv.auth;
    const before = member.kv.liveDigest();
    equal(member.auth(command, root(member)), error, JSON.stringify(command));
    equal(member.kv.auth.revision - revision, raised, JSON.stringify(command));
    if (error !== KvError.None) deepEqual(member.kv.liveDigest(), before);
  }
});

test("what is listed: names by their bytes, permissions by key, the older of equal keys first", () => {
  const member = new AuthMember();
  for (const name of ["b", "\u{1f600}", "a", "\uff5e", "B"]) member.addUser(name);
  deepEqual(member.kv.auth.userNames(), ["B", "a", "b", "\uff5e", "\u{1f600}"]);
  member.addRole("r", ["r b c", "w a", "rw b", "r b \0"]);
  const listed = member.kv.auth
    .role("r")!
    .permissions.map((p) => `${p.type} ${p.key} ${p.rangeEnd}`);
  deepEqual(listed, ["1 a ", "0 b c", "2 b ", "0 b \0"]);
  member.addUser("u", ["r", "root"]);
  deepEqual(member.kv.auth.user("u")!.roles, ["r", "root"]);
  equal(member.auth(roleDelete("r")), KvError.None);
  deepEqual(member.kv.auth.user("u")!.roles, ["root"], "who had the role has it no more");
});

test("a user without a password keeps none, whatever it is given", () => {
  const member = new AuthMember();
  equal(member.auth(userAdd("n", true)), KvError.None);
  equal(member.auth(passwd("n")), KvError.None);
  const { passwordHash, noPassword } = member.kv.auth.user("n")!;
  deepEqual([passwordHash, noPassword], ["", true]);
});

test("in force, only who has the root role changes anything; a refused change changes nothing", () => {
  const member = new AuthMember();
  member.addRole("r");
  member.addUser("u", ["r"]);
  member.addUser("second", ["root"]);
  member.enable();
  const before = member.kv.liveDigest();
  const commands = [
    userAdd("x"),
    userDelete("u"),
    passwd("u"),
    grant("u", "root"),
    disable,
    roleAdd("x"),
  ];
  for (const command of commands) {
    equal(member.auth(command, nobody), KvError.UserEmpty);
    equal(member.auth(command, member.as("u")), KvError.PermissionDenied);
    equal(member.auth(command, member.as("gone")), KvError.UserNotFound);
  }
  deepEqual(member.kv.liveDigest(), before);
  equal(member.auth(userAdd("x"), member.as("second")), KvError.None);
});

test("whose password was changed, and who is another of the same name, must say again who it is", () => {
  const member = new AuthMember();
  member.addUser("admin", ["root"]);
  member.enable();
  const old = member.as("admin");
  equal(member.kv.auth.mayAdminister(old), KvError.None);
  equal(member.auth(roleAdd("r1"), root(member)), KvError.None);
  equal(member.auth(roleAdd("r2"), old), KvError.None, "etcd: other changes do not count here");
  equal(member.auth(passwd("admin"), root(member)), KvError.None);
  equal(member.auth(roleAdd("r3"), old), KvError.AuthOldRevision);
  equal(member.auth(roleAdd("r3"), member.as("admin")), KvError.None);
  const again = member.as("admin");
  equal(member.auth(disable, root(member)), KvError.None);
  equal(member.auth(enable), KvError.None);
  equal(member.auth(roleAdd("r4"), again), KvError.AuthOldRevision);
});

test("a role takes no more permissions than its bound, and changes those that it has", () => {
  const member = new AuthMember();
  const keys = Array.from({ length: permissionsPerRoleMax }, (_, at) => `r k${at}`);
  member.addRole("r", keys);
  equal(member.auth(permit("r", "one-more")), KvError.AuthStoreFull);
  equal(member.auth(permit("r", "k7")), KvError.None);
  equal(member.auth(forbid("r", "k7")), KvError.None);
  equal(member.auth(permit("r", "one-more")), KvError.None);
});

test("so many users, and so many roles, of any cluster; who is there may still be changed", () => {
  const member = new AuthMember();
  const before = {
    users: member.kv.auth.userNames().length,
    roles: member.kv.auth.roleNames().length,
  };
  for (let at = before.users; at < usersMax; at += 1) member.auth(userAdd(`u${at}`));
  equal(member.auth(userAdd("one-more")), KvError.AuthStoreFull);
  equal(member.auth(passwd(`u${usersMax - 1}`)), KvError.None);
  equal(member.auth(userDelete(`u${usersMax - 1}`)), KvError.None);
  equal(member.auth(userAdd("one-more")), KvError.None);
  for (let at = before.roles; at < rolesMax; at += 1) member.auth(roleAdd(`r${at}`));
  equal(member.auth(roleAdd("one-more")), KvError.AuthStoreFull);
  equal(member.auth(roleDelete(`r${rolesMax - 1}`)), KvError.None);
  equal(member.auth(roleAdd("one-more")), KvError.None);
});

test("a token is good from its issue to its user's next password, deletion, or the end of it all", () => {
  const member = new AuthMember();
  const hash = (name: string): string => name.padEnd(32, ".");
  const issue = (user: string, token: string, checkedRevision: number): KvError =>
    member.auth({
      action: AuthAction.IssueToken,
      user,
      token: hash(token),
      ttlMs: 1000,
      checkedRevision,
    });
  const now = (): number => member.kv.auth.revision;
  const of = (token: string): string | null =>
    member.kv.auth.identityOfToken(hash(token))?.user ?? null;
  member.addUser("u");
  member.addUser("v");
  equal(member.auth(userAdd("n", true)), KvError.None);
  equal(issue("u", "t", now()), KvError.AuthNotEnabled);
  member.enable();
  equal(issue("gone", "t", now()), KvError.AuthFailed);
  equal(issue("n", "t", now()), KvError.AuthFailed);
  const checked = now();
  equal(member.auth(roleAdd("r"), root(member)), KvError.None);
  equal(issue("u", "t1", checked), KvError.None, "what changed has nothing to do with u");
  equal(member.auth(passwd("u"), root(member)), KvError.None);
  equal(of("t1"), null);
  equal(issue("u", "t2", checked), KvError.AuthOldRevision);
  equal(issue("u", "t2", now()), KvError.None);
  equal(issue("v", "t3", now()), KvError.None);
  deepEqual([of("t2"), of("t3"), of("t1")], ["u", "v", null]);
  equal(member.kv.auth.identityOfToken(hash("t2"))!.authRevision, now());
  equal(member.auth(grant("u", "r"), root(member)), KvError.None);
  equal(of("t2"), "u", "etcd: it outlives a change of roles, and has the new ones");
  equal(member.auth(userDelete("u"), root(member)), KvError.None);
  deepEqual([of("t2"), of("t3")], [null, "v"]);
  equal(member.auth(disable, root(member)), KvError.None);
  equal(member.auth(enable), KvError.None);
  equal(of("t3"), null);
});

test("the digest tells tables apart, and is none before the first use", () => {
  const [one, two] = [new AuthMember(), new AuthMember()];
  const unused = one.kv.liveDigest();
  one.addUser("u");
  notEqual(one.kv.liveDigest().low, unused.low);
  two.addUser("v");
  notEqual(one.kv.liveDigest().low, two.kv.liveDigest().low);
  ok(new AuthMember().kv.liveDigest().low === unused.low);
});
