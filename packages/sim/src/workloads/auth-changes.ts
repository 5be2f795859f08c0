// What administrators ask for: they set users and roles up while authentication is off, switch it on, and
// then change whatever there is to be changed, for better or worse, sometimes on top of what they do not
// know to have happened.
import { AuthAction, type AuthCommand, type AuthView, rootName } from "@quorate/kv";
import type { SimRandom } from "../sim-random.ts";
import { type AuthPeople, drawPermission, roleNames, userNames } from "./auth-people.ts";

const enable: AuthCommand = { action: AuthAction.Enable };
const disable: AuthCommand = { action: AuthAction.Disable };

/** Each as often as it stands here. */
const kinds = [
  "disable",
  "add user",
  "delete user",
  "add role",
  "delete role",
  "make root",
  "make no root",
  "make no root",
  ...Array.from({ length: 2 }, () => "change password" as const),
  ...Array.from({ length: 2 }, () => "revoke role" as const),
  ...Array.from({ length: 4 }, () => "grant role" as const),
  ...Array.from({ length: 3 }, () => "revoke permission" as const),
  ...Array.from({ length: 6 }, () => "grant permission" as const),
] as const;

export class AuthChanges {
  readonly #people: AuthPeople;

  constructor(people: AuthPeople) {
    this.#people = people;
  }

  /** `view`: what some member has applied. */
  next(view: AuthView, random: SimRandom): AuthCommand {
    if (!view.enabled && random.chance(0.7)) return this.#missing(view, random) ?? enable;
    const user = random.pick(userNames);
    const role = random.pick(roleNames);
    const kind = random.pick(kinds);
    switch (kind) {
      case "disable":
        return disable;
      case "add user":
        return this.#addUser(user, random);
      case "delete user":
        return { action: AuthAction.UserDelete, user };
      case "add role":
        return { action: AuthAction.RoleAdd, role };
      case "delete role":
        return { action: AuthAction.RoleDelete, role };
      case "make root":
        return { action: AuthAction.UserGrantRole, user, role: rootName };
      case "make no root":
        return { action: AuthAction.UserRevokeRole, user, role: rootName };
      case "change password":
        return this.#changePassword(random.pick([...userNames, rootName]));
      case "revoke role":
        return { action: AuthAction.UserRevokeRole, user, role };
      case "grant role":
        return { action: AuthAction.UserGrantRole, user, role };
      case "revoke permission":
        return revokePermission(view, role, random);
      case "grant permission":
        return grantPermission(role, random);
    }
  }

  /** Null: all that is needed is there. */
  #missing(view: AuthView, random: SimRandom): AuthCommand | null {
    const root = view.user(rootName);
    if (root === null) return this.#addUser(rootName, random);
    if (!root.roles.includes(rootName)) {
      return { action: AuthAction.UserGrantRole, user: rootName, role: rootName };
    }
    const goesOn = random.chance(0.8);
    const user = userNames.find((name) => view.user(name) === null);
    if (user !== undefined && goesOn) return this.#addUser(user, random);
    const role = roleNames.find((name) => view.role(name) === null);
    if (role !== undefined && goesOn) return { action: AuthAction.RoleAdd, role };
    const empty = roleNames.find((name) => view.role(name)?.permissions.length === 0);
    if (empty !== undefined && goesOn) return grantPermission(empty, random);
    const idle = userNames.find((name) => view.user(name)?.roles.length === 0);
    if (idle === undefined || !goesOn) return null;
    return { action: AuthAction.UserGrantRole, user: idle, role: random.pick(roleNames) };
  }

  #addUser(user: string, random: SimRandom): AuthCommand {
    const noPassword = user !== rootName && random.chance(0.1);
    const passwordHash = this.#people.newHash(user);
    return { action: AuthAction.UserAdd, user, passwordHash, noPassword };
  }

  #changePassword(user: string): AuthCommand {
    const passwordHash = this.#people.newHash(user);
    return { action: AuthAction.UserChangePassword, user, passwordHash };
  }
}

function grantPermission(role: string, random: SimRandom): AuthCommand {
  const permission = drawPermission(random);
  return { action: AuthAction.RoleGrantPermission, role, permission };
}

/** Mostly one that is there. */
function revokePermission(view: AuthView, role: string, random: SimRandom): AuthCommand {
  const there = view.role(role)?.permissions ?? [];
  const isThere = there.length > 0 && random.chance(0.9);
  const permission = isThere ? random.pick(there) : drawPermission(random);
  return { action: AuthAction.RoleRevokePermission, role, permission };
}
