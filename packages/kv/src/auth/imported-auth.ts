// Users, roles and rights that come from elsewhere: a snapshot of etcd, which has no bounds where this
// table has some.
import { utf8Length } from "@quorate/base";
import {
  authBytesMax,
  nameBytesMax,
  passwordHashCharsMax,
  permissionsPerRoleMax,
  rolesMax,
  usersMax,
} from "./auth-limits.ts";
import { AuthTable } from "./auth-table.ts";
import { byBytes } from "./user.ts";
import type { Role, User } from "./user.ts";

export interface ImportedAuth {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly Omit<User, "since">[];
  readonly roles: readonly Role[];
}

/** The line says why there is no such table. */
export function authTableOf(auth: ImportedAuth): AuthTable | string {
  const { enabled, users, roles } = auth;
  if (users.length > usersMax) return `${users.length} users; a cluster keeps ${usersMax}`;
  if (roles.length > rolesMax) return `${roles.length} roles; a cluster keeps ${rolesMax}`;
  const table = new AuthTable();
  // The first one is that of a table that has never been used, and digests leave it out.
  const isUsed = enabled || users.length + roles.length > 0;
  table.begin(enabled, Math.max(auth.revision, isUsed ? 2 : 1));
  for (const role of roles) {
    const problem = roleProblem(role);
    if (problem !== null) return problem;
    table.putRole({ ...role, permissions: role.permissions.toSorted(byKey) });
  }
  for (const user of users) {
    const problem = userProblem(user);
    if (problem !== null) return problem;
    // Whoever said before who he is, said it to another cluster.
    const since = table.revision;
    table.putUser({ ...user, roles: user.roles.toSorted(byBytes), since });
  }
  // What apply lets a table grow to, and the last user that it lets in then.
  if (table.bytes <= 2 * authBytesMax) return table;
  return `users and roles of ${table.bytes} bytes; a cluster keeps ${authBytesMax}`;
}

/** Null: such a table can be. */
export function authProblem(auth: ImportedAuth): string | null {
  const table = authTableOf(auth);
  return typeof table === "string" ? table : null;
}

function userProblem({ name, passwordHash }: Omit<User, "since">): string | null {
  if (utf8Length(name) > nameBytesMax) return nameTooLong("user");
  return passwordHash.length <= passwordHashCharsMax
    ? null
    : `the password hash of user "${name}" has more than ${passwordHashCharsMax} characters`;
}

function roleProblem({ name, permissions }: Role): string | null {
  if (utf8Length(name) > nameBytesMax) return nameTooLong("role");
  return permissions.length <= permissionsPerRoleMax
    ? null
    : `role "${name}" has more than ${permissionsPerRoleMax} permissions`;
}

function nameTooLong(of: string): string {
  return `a ${of}'s name has more than ${nameBytesMax} bytes`;
}

/** Keys are latin1: the order of their chars is that of their bytes. */
function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
}
