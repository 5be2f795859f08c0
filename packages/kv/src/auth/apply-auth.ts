// Carries out a command on the auth table: etcd's rules and its errors (server/auth/store.go), decided by
// the table and the entry alone. A refusal changes nothing. Whether the asker may is asked before
// (auth-gate.ts).
import { utf8Length } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { AuthAction } from "./auth-command.ts";
import type { AuthCommand } from "./auth-command.ts";
import {
  authBytesMax,
  nameBytesMax,
  passwordHashCharsMax,
  permissionsPerRoleMax,
  rolesMax,
  usersMax,
} from "./auth-limits.ts";
import type { AuthTable } from "./auth-table.ts";
import { byBytes, rootName } from "./user.ts";
import type { Permission, User } from "./user.ts";

type CommandOf<Action extends AuthAction> = Extract<AuthCommand, { readonly action: Action }>;

export function applyAuthCommand(table: AuthTable, command: AuthCommand, stampMs: number): KvError {
  switch (command.action) {
    case AuthAction.Enable:
      return enable(table);
    case AuthAction.Disable:
      if (table.enabled) table.disable();
      return KvError.None;
    case AuthAction.UserAdd:
      return addUser(table, command);
    case AuthAction.UserDelete:
      return deleteUser(table, command.user);
    case AuthAction.UserChangePassword:
      return changePassword(table, command.user, command.passwordHash);
    case AuthAction.UserGrantRole:
      return grantRole(table, command.user, command.role);
    case AuthAction.UserRevokeRole:
      return revokeRole(table, command.user, command.role);
    case AuthAction.RoleAdd:
      return addRole(table, command.role);
    case AuthAction.RoleDelete:
      return deleteRole(table, command.role);
    case AuthAction.RoleGrantPermission:
      return grantPermission(table, command.role, command.permission);
    case AuthAction.RoleRevokePermission:
      return revokePermission(table, command.role, command.permission);
    case AuthAction.IssueToken:
      return issueToken(table, command, stampMs);
    case AuthAction.RenewTokens:
      for (const token of command.tokens) table.tokens.renew(token, stampMs);
      return KvError.None;
    case AuthAction.ExpireTokens:
      table.tokens.expire(stampMs);
      return KvError.None;
  }
}

function enable(table: AuthTable): KvError {
  if (table.enabled) return KvError.None;
  const root = table.user(rootName);
  if (root === null) return KvError.RootUserNotFound;
  if (!root.roles.includes(rootName)) return KvError.RootRoleNotGranted;
  table.enable();
  return KvError.None;
}

// ---- Users -------------------------------------------------------------------------------------------

function addUser(table: AuthTable, command: CommandOf<typeof AuthAction.UserAdd>): KvError {
  const { user: name, passwordHash, noPassword } = command;
  if (name === "") return KvError.UserEmpty;
  if (table.user(name) !== null) return KvError.UserExists;
  const isTooLong = utf8Length(name) > nameBytesMax || passwordHash.length > passwordHashCharsMax;
  if (isTooLong) return KvError.InvalidAuthManagement;
  if (table.users >= usersMax || table.bytes >= authBytesMax) return KvError.AuthStoreFull;
  const since = table.raiseRevision();
  table.putUser({
    name,
    passwordHash: noPassword ? "" : passwordHash,
    noPassword,
    roles: [],
    since,
  });
  return KvError.None;
}

function deleteUser(table: AuthTable, name: string): KvError {
  if (table.enabled && name === rootName) return KvError.InvalidAuthManagement;
  if (table.user(name) === null) return KvError.UserNotFound;
  table.raiseRevision();
  table.deleteUser(name);
  table.tokens.dropUser(name);
  return KvError.None;
}

function changePassword(table: AuthTable, name: string, passwordHash: string): KvError {
  const user = table.user(name);
  if (user === null) return KvError.UserNotFound;
  if (passwordHash.length > passwordHashCharsMax) return KvError.InvalidAuthManagement;
  const since = table.raiseRevision();
  // Who has no password keeps none, as in etcd.
  table.putUser({ ...user, passwordHash: user.noPassword ? "" : passwordHash, since });
  table.tokens.dropUser(name);
  return KvError.None;
}

function grantRole(table: AuthTable, name: string, role: string): KvError {
  const user = table.user(name);
  if (user === null) return KvError.UserNotFound;
  if (role !== rootName && table.role(role) === null) return KvError.RoleNotFound;
  if (user.roles.includes(role)) return KvError.None;
  if (table.bytes >= authBytesMax) return KvError.AuthStoreFull;
  table.raiseRevision();
  table.putUser({ ...user, roles: [...user.roles, role].sort(byBytes) });
  return KvError.None;
}

function revokeRole(table: AuthTable, name: string, role: string): KvError {
  if (table.enabled && name === rootName && role === rootName) {
    return KvError.InvalidAuthManagement;
  }
  const user = table.user(name);
  if (user === null) return KvError.UserNotFound;
  if (!user.roles.includes(role)) return KvError.RoleNotGranted;
  table.raiseRevision();
  table.putUser(withoutRole(user, role));
  return KvError.None;
}

function withoutRole(user: User, role: string): User {
  return { ...user, roles: user.roles.filter((other) => other !== role) };
}

// ---- Roles -------------------------------------------------------------------------------------------

function addRole(table: AuthTable, name: string): KvError {
  if (name === "") return KvError.RoleEmpty;
  if (table.role(name) !== null) return KvError.RoleExists;
  if (utf8Length(name) > nameBytesMax) return KvError.InvalidAuthManagement;
  if (table.roles >= rolesMax || table.bytes >= authBytesMax) return KvError.AuthStoreFull;
  table.raiseRevision();
  table.putRole({ name, permissions: [] });
  return KvError.None;
}

function deleteRole(table: AuthTable, name: string): KvError {
  if (table.enabled && name === rootName) return KvError.InvalidAuthManagement;
  if (table.role(name) === null) return KvError.RoleNotFound;
  table.raiseRevision();
  table.deleteRole(name);
  for (const userName of table.userNames()) {
    const user = table.user(userName)!;
    if (user.roles.includes(name)) table.putUser(withoutRole(user, name));
  }
  return KvError.None;
}

function grantPermission(table: AuthTable, name: string, permission: Permission): KvError {
  if (!isRange(permission)) return KvError.InvalidAuthManagement;
  const role = table.role(name);
  if (role === null) return KvError.RoleNotFound;
  const permissions = [...role.permissions];
  const at = permissions.findIndex((other) => isSameRange(other, permission));
  if (at >= 0) {
    permissions[at] = permission;
  } else {
    const isFull = permissions.length >= permissionsPerRoleMax || table.bytes >= authBytesMax;
    if (isFull) return KvError.AuthStoreFull;
    const behind = permissions.findIndex(({ key }) => key > permission.key);
    permissions.splice(behind < 0 ? permissions.length : behind, 0, permission);
  }
  table.raiseRevision();
  table.putRole({ name, permissions });
  return KvError.None;
}

function revokePermission(table: AuthTable, name: string, permission: Permission): KvError {
  const role = table.role(name);
  if (role === null) return KvError.RoleNotFound;
  const permissions = role.permissions.filter((other) => !isSameRange(other, permission));
  if (permissions.length === role.permissions.length) return KvError.PermissionNotGranted;
  table.raiseRevision();
  table.putRole({ name, permissions });
  return KvError.None;
}

/** One key, everything from it on, or up to an end behind it (as of etcd 3.5). */
function isRange({ key, rangeEnd }: Permission): boolean {
  return key !== "" && (rangeEnd === "" || rangeEnd === "\0" || key < rangeEnd);
}

function isSameRange(a: Permission, b: Permission): boolean {
  return a.key === b.key && a.rangeEnd === b.rangeEnd;
}

// ---- Tokens ------------------------------------------------------------------------------------------

/**
 * The password was checked by whoever proposes this, on a state that may be older: the token is refused
 * when the user's password, or the user, has changed since.
 */
function issueToken(
  table: AuthTable,
  command: CommandOf<typeof AuthAction.IssueToken>,
  stampMs: number,
): KvError {
  const { user: name, token, ttlMs, checkedRevision } = command;
  if (!table.enabled) return KvError.AuthNotEnabled;
  const user = table.user(name);
  if (user === null || user.noPassword) return KvError.AuthFailed;
  if (user.since > checkedRevision) return KvError.AuthOldRevision;
  table.tokens.issue(token, name, ttlMs, stampMs);
  return KvError.None;
}
