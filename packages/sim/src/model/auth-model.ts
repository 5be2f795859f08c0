// The naive twin's auth: every state of users and roles that there was, so that any answer can be judged
// by the very state in which it was given. Shares nothing with `kv` but the commands.
import { type Credential, CredentialKind } from "@quorate/host";
import {
  AuthAction,
  type AuthCommand,
  Identity,
  KvError,
  nobody,
  type Permission,
  rootName,
} from "@quorate/kv";
import { type AuthFields, AuthStateModel, type UserModel } from "./auth-state-model.ts";
import { TokenModel } from "./token-model.ts";

/** What became of an entry about users, roles or tokens. */
export interface AuthOutcome {
  readonly index: number;
  readonly identity: Identity;
  readonly command: AuthCommand;
  readonly error: KvError;
}

/** What a command makes of a state: an error, or the fields that it changes. */
type Verdict = KvError | Partial<Omit<AuthFields, "index" | "revision">>;

export class AuthModel {
  readonly tokens: TokenModel;
  /** In order; the first is that before the first entry. */
  readonly #states: AuthStateModel[];
  /** By index. */
  readonly outcomes: Map<number, AuthOutcome>;

  constructor() {
    this.tokens = new TokenModel();
    const nothing = { users: new Map(), roles: new Map() };
    this.#states = [
      new AuthStateModel({ index: 0, enabled: false, revision: 1, floor: 0, ...nothing }),
    ];
    this.outcomes = new Map();
  }

  get now(): AuthStateModel {
    return this.#states.at(-1)!;
  }

  /** When everything up to the index has been applied. */
  at(index: number): AuthStateModel {
    let low = 0;
    let high = this.#states.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#states[middle]!.index <= index) low = middle;
      else high = middle - 1;
    }
    return this.#states[low]!;
  }

  /** All of them, in order, from that at an index to that at another. */
  during(from: number, to: number): readonly AuthStateModel[] {
    const first = this.#states.indexOf(this.at(from));
    const last = this.#states.indexOf(this.at(to));
    return this.#states.slice(first, last + 1);
  }

  /** Who brings it, to whom has applied everything up to the index; null: a token that it does not know. */
  identityFor(credential: Credential | null, index: number): Identity | null {
    if (credential === null) return nobody;
    const { revision } = this.at(index);
    switch (credential.kind) {
      case CredentialKind.Name:
        return new Identity(credential.user, revision);
      case CredentialKind.Signed:
        return credential.identity;
      default: {
        const owner = this.tokens.ownerAt(credential.hash, index);
        return owner === null ? null : new Identity(owner, revision);
      }
    }
  }

  /** A committed entry. */
  apply(index: number, stampMs: number, identity: Identity, command: AuthCommand): void {
    const error = this.#apply(index, stampMs, identity, command);
    this.outcomes.set(index, { index, identity, command, error });
  }

  #apply(index: number, stampMs: number, identity: Identity, command: AuthCommand): KvError {
    const { tokens, now } = this;
    switch (command.action) {
      case AuthAction.IssueToken: {
        const error = refusedToken(now, command);
        const { token, user, ttlMs } = command;
        if (error === KvError.None) tokens.issue(token, user, ttlMs, index, stampMs);
        return error;
      }
      case AuthAction.RenewTokens:
        for (const token of command.tokens) tokens.renew(token, stampMs);
        return KvError.None;
      case AuthAction.ExpireTokens:
        tokens.expire(index, stampMs);
        return KvError.None;
      case AuthAction.Enable:
      case AuthAction.Disable:
        return now.mayAdminister(identity) || this.#switch(index, command.action);
      default: {
        const denied = now.mayAdminister(identity);
        if (denied !== KvError.None) return denied;
        const verdict = verdictOn(now, command);
        if (typeof verdict === "number") return verdict;
        this.#states.push(now.with({ ...verdict, index, revision: now.revision + 1 }));
        const { action } = command;
        const ends = action === AuthAction.UserDelete || action === AuthAction.UserChangePassword;
        if (ends) tokens.dropUser(command.user, index);
        return KvError.None;
      }
    }
  }

  #switch(index: number, action: AuthAction): KvError {
    const { now } = this;
    if (action === AuthAction.Disable) {
      if (!now.enabled) return KvError.None;
      const revision = now.revision + 1;
      this.tokens.clear(index);
      this.#states.push(now.with({ index, enabled: false, revision, floor: revision }));
      return KvError.None;
    }
    if (now.enabled) return KvError.None;
    const root = now.users.get(rootName);
    if (root === undefined) return KvError.RootUserNotFound;
    if (!root.roles.includes(rootName)) return KvError.RootRoleNotGranted;
    this.#states.push(now.with({ index, enabled: true }));
    return KvError.None;
  }
}

function refusedToken(
  { enabled, users }: AuthStateModel,
  { user, checkedRevision }: Extract<AuthCommand, { action: typeof AuthAction.IssueToken }>,
): KvError {
  if (!enabled) return KvError.AuthNotEnabled;
  const known = users.get(user);
  if (known === undefined || known.noPassword) return KvError.AuthFailed;
  return known.since > checkedRevision ? KvError.AuthOldRevision : KvError.None;
}

type Management = Exclude<
  AuthCommand,
  {
    readonly action:
      | typeof AuthAction.Enable
      | typeof AuthAction.Disable
      | typeof AuthAction.IssueToken
      | typeof AuthAction.RenewTokens
      | typeof AuthAction.ExpireTokens;
  }
>;

function verdictOn(now: AuthStateModel, command: Management): Verdict {
  return "user" in command ? verdictOnUser(now, command) : verdictOnRole(now, command);
}

function verdictOnUser(
  now: AuthStateModel,
  command: Extract<Management, { readonly user: string }>,
): Verdict {
  const { user: name, action } = command;
  const user = now.users.get(name);
  const since = now.revision + 1;
  if (action === AuthAction.UserAdd) {
    if (name === "") return KvError.UserEmpty;
    if (user !== undefined) return KvError.UserExists;
    const { noPassword } = command;
    const passwordHash = noPassword ? "" : command.passwordHash;
    return withUser(now, name, { passwordHash, noPassword, roles: [], since });
  }
  const isRoot = now.enabled && name === rootName;
  if (action === AuthAction.UserDelete && isRoot) return KvError.InvalidAuthManagement;
  const takesRoot = action === AuthAction.UserRevokeRole && command.role === rootName;
  if (isRoot && takesRoot) return KvError.InvalidAuthManagement;
  if (user === undefined) return KvError.UserNotFound;
  switch (action) {
    case AuthAction.UserDelete: {
      const users = new Map(now.users);
      users.delete(name);
      return { users };
    }
    case AuthAction.UserChangePassword: {
      const passwordHash = user.noPassword ? "" : command.passwordHash;
      return withUser(now, name, { ...user, passwordHash, since });
    }
    case AuthAction.UserGrantRole: {
      const { role } = command;
      if (role !== rootName && !now.roles.has(role)) return KvError.RoleNotFound;
      // Changes nothing, not even the revision.
      if (user.roles.includes(role)) return KvError.None;
      return withUser(now, name, { ...user, roles: [...user.roles, role] });
    }
    default: {
      const { role } = command;
      if (!user.roles.includes(role)) return KvError.RoleNotGranted;
      return withUser(now, name, withoutRole(user, role));
    }
  }
}

function verdictOnRole(
  now: AuthStateModel,
  command: Exclude<Management, { readonly user: string }>,
): Verdict {
  const { role: name } = command;
  const permissions = now.roles.get(name);
  if (!("permission" in command)) {
    if (command.action === AuthAction.RoleDelete) return withoutRoleItself(now, name);
    if (name === "") return KvError.RoleEmpty;
    return permissions === undefined ? withRole(now, name, []) : KvError.RoleExists;
  }
  const { key, rangeEnd } = command.permission;
  const others = (permissions ?? []).filter((one) => one.key !== key || one.rangeEnd !== rangeEnd);
  if (command.action === AuthAction.RoleRevokePermission) {
    if (permissions === undefined) return KvError.RoleNotFound;
    const isGranted = others.length < permissions.length;
    return isGranted ? withRole(now, name, others) : KvError.PermissionNotGranted;
  }
  const isRange = key !== "" && (rangeEnd === "" || rangeEnd === "\0" || key < rangeEnd);
  if (!isRange) return KvError.InvalidAuthManagement;
  if (permissions === undefined) return KvError.RoleNotFound;
  return withRole(now, name, [...others, command.permission]);
}

function withUser({ users }: AuthStateModel, name: string, user: UserModel): Verdict {
  return { users: new Map(users).set(name, user) };
}

function withoutRole(user: UserModel, role: string): UserModel {
  return { ...user, roles: user.roles.filter((other) => other !== role) };
}

function withoutRoleItself(now: AuthStateModel, name: string): Verdict {
  if (now.enabled && name === rootName) return KvError.InvalidAuthManagement;
  if (!now.roles.has(name)) return KvError.RoleNotFound;
  const roles = new Map(now.roles);
  roles.delete(name);
  const users = [...now.users].map(([user, own]) => [user, withoutRole(own, name)] as const);
  return { roles, users: new Map(users) };
}

function withRole(
  { roles }: AuthStateModel,
  name: string,
  permissions: readonly Permission[],
): Verdict {
  return { roles: new Map(roles).set(name, permissions) };
}
