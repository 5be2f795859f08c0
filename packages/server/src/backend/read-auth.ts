// Users, roles and rights of etcd's backend file, as the state machine has them: keys as latin1 strings,
// passwords as the hashes that etcd keeps.
import { fromBinary } from "@bufbuild/protobuf";
import { equalBytes, latin1Decode, utf8Decode, utf8Encode } from "@quorate/base";
import { isPermissionType } from "@quorate/kv";
import type { ImportedAuth, Permission, Role } from "@quorate/kv";
import { auth as pb } from "@quorate/proto";
import { BoltDamage } from "../bolt/reader.ts";
import type { BoltRow } from "../bolt/reader.ts";
import { AuthKey, BucketName } from "./names.ts";
import { decodeAll, findRow } from "./small-rows.ts";

type ImportedUser = ImportedAuth["users"][number];

export function readAuth(
  buckets: ReadonlyMap<string, readonly BoltRow[]>,
): ImportedAuth | BoltDamage {
  const own = buckets.get(BucketName.Auth) ?? [];
  const revision = revisionOf(findRow(own, AuthKey.Revision));
  if (revision === null) {
    return new BoltDamage(`bucket "${BucketName.Auth}": ${AuthKey.Revision} is no number`);
  }
  const users = decodeAll(buckets.get(BucketName.AuthUsers), userOf);
  if (users instanceof BoltDamage) return users;
  const roles = decodeAll(buckets.get(BucketName.AuthRoles), roleOf);
  if (roles instanceof BoltDamage) return roles;
  const enabled = findRow(own, AuthKey.Enabled)?.value;
  return { enabled: enabled?.length === 1 && enabled[0] === 1, revision, users, roles };
}

/** 1 where etcd never wrote one. */
function revisionOf(row: BoltRow | null): number | null {
  if (row === null) return 1;
  if (row.value.length !== 8) return null;
  const revision = Buffer.from(row.value).readBigUInt64BE();
  return revision <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(revision) : null;
}

function userOf({ key, value }: BoltRow): ImportedUser | BoltDamage {
  const user = decoded(pb.UserSchema, value);
  const name = user === null ? null : nameOf(key, user.name);
  if (user === null || name === null) {
    return new BoltDamage(`bucket "${BucketName.AuthUsers}": a user that cannot be read`);
  }
  const { password, roles, options } = user;
  const noPassword = options?.noPassword ?? false;
  return { name, passwordHash: latin1Decode(password), noPassword, roles };
}

function roleOf({ key, value }: BoltRow): Role | BoltDamage {
  const role = decoded(pb.RoleSchema, value);
  const name = role === null ? null : nameOf(key, role.name);
  const permissions = role?.keyPermission.map(permissionOf) ?? [];
  if (name === null || permissions.includes(null)) {
    return new BoltDamage(`bucket "${BucketName.AuthRoles}": a role that cannot be read`);
  }
  return { name, permissions: permissions.filter((one) => one !== null) };
}

function permissionOf({ permType, key, rangeEnd }: pb.Permission): Permission | null {
  const type: number = permType;
  if (!isPermissionType(type)) return null;
  return { type, key: latin1Decode(key), rangeEnd: latin1Decode(rangeEnd) };
}

/** Null: its key is another one, or it is no text. */
function nameOf(key: Uint8Array, name: Uint8Array): string | null {
  const text = utf8Decode(name);
  return equalBytes(key, name) && equalBytes(utf8Encode(text), name) ? text : null;
}

function decoded<Schema extends typeof pb.UserSchema | typeof pb.RoleSchema>(
  schema: Schema,
  bytes: Uint8Array,
): ReturnType<typeof fromBinary<Schema>> | null {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return null;
  }
}
