// Users, roles and permissions for whoever copies the state out of this member: names as they are,
// passwords as their hashes, no tokens.
import { latin1Encode, utf8Encode } from "@quorate/base";
import type { AuthView, Permission } from "@quorate/kv";
import type { HeldAuth, HeldPermission } from "../held-state-api.ts";

export function heldAuthOf(auth: AuthView): HeldAuth {
  const users = auth.userNames().map((name) => auth.user(name)!);
  const roles = auth.roleNames().map((name) => auth.role(name)!);
  return {
    enabled: auth.enabled,
    revision: auth.revision,
    users: users.map(({ name, passwordHash, noPassword, roles: granted }) => ({
      name,
      passwordHash: utf8Encode(passwordHash),
      roles: granted,
      noPassword,
    })),
    roles: roles.map(({ name, permissions }) => ({
      name,
      permissions: permissions.map(heldPermissionOf),
    })),
  };
}

function heldPermissionOf({ type, key, rangeEnd }: Permission): HeldPermission {
  return { type, key: latin1Encode(key), rangeEnd: latin1Encode(rangeEnd) };
}
