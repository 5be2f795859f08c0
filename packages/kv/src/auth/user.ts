// Users, roles and permissions as values, and their bytes in the table's snapshot. Keys are latin1
// strings here: their order is the order of the bytes.
import { compareBytes, latin1Decode, latin1Encode, utf8Encode } from "@quorate/base";
import type { ByteReader, ByteWriter } from "@quorate/base";

/** The user and the role that etcd gives all rights. */
export const rootName = "root";

/** etcd's numbers (authpb.Permission.Type); on disk as well. */
export const PermissionType = { Read: 0, Write: 1, ReadWrite: 2 } as const;
export type PermissionType = (typeof PermissionType)[keyof typeof PermissionType];

export function isPermissionType(value: number): value is PermissionType {
  return value === 0 || value === 1 || value === 2;
}

export interface Permission {
  readonly type: PermissionType;
  readonly key: string;
  /** Empty: the key alone; "\0": everything from the key on; else exclusive. */
  readonly rangeEnd: string;
}

export interface User {
  readonly name: string;
  /** bcrypt's text; empty where there is no password. */
  readonly passwordHash: string;
  /** May come by a certificate's common name only. */
  readonly noPassword: boolean;
  /** Sorted by their bytes. */
  readonly roles: readonly string[];
  /** Auth revision of the last change of its password, or of its making: who said earlier that he is it must say so again. */
  readonly since: number;
}

export interface Role {
  readonly name: string;
  /** Sorted by key; of equal keys the older first, as etcd lists them. */
  readonly permissions: readonly Permission[];
}

/** The order of etcd's buckets. */
export function byBytes(a: string, b: string): number {
  return a === b ? 0 : compareBytes(utf8Encode(a), utf8Encode(b));
}

export function writeUser(writer: ByteWriter, user: User): void {
  writer.text(user.name);
  writer.text(user.passwordHash);
  writer.u8(user.noPassword ? 1 : 0);
  writer.varint(user.since);
  writer.varint(user.roles.length);
  for (const role of user.roles) writer.text(role);
}

export function readUser(reader: ByteReader): User {
  const name = reader.text();
  const passwordHash = reader.text();
  const noPassword = reader.u8() === 1;
  const since = reader.varint();
  const roles: string[] = [];
  for (let left = reader.varint(); left > 0 && reader.ok; left -= 1) roles.push(reader.text());
  return { name, passwordHash, noPassword, since, roles };
}

export function writeRole(writer: ByteWriter, role: Role): void {
  writer.text(role.name);
  writer.varint(role.permissions.length);
  for (const permission of role.permissions) writePermission(writer, permission);
}

export function readRole(reader: ByteReader): Role {
  const name = reader.text();
  const permissions: Permission[] = [];
  for (let left = reader.varint(); left > 0 && reader.ok; left -= 1) {
    permissions.push(readPermission(reader));
  }
  return { name, permissions };
}

export function writePermission(writer: ByteWriter, permission: Permission): void {
  writer.u8(permission.type);
  writer.lengthBytes(latin1Encode(permission.key));
  writer.lengthBytes(latin1Encode(permission.rangeEnd));
}

export function readPermission(reader: ByteReader): Permission {
  const type = reader.u8();
  const key = latin1Decode(reader.lengthBytes());
  const rangeEnd = latin1Decode(reader.lengthBytes());
  if (isPermissionType(type)) return { type, key, rangeEnd };
  reader.fail();
  return { type: PermissionType.Read, key, rangeEnd };
}
