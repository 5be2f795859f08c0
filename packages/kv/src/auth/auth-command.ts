// What an entry of kind Auth asks for: one change of users, roles, rights or tokens. Behind the envelope,
// on disk and between members. Passwords and tokens never stand here: hashes of them do, made before
// proposing (DESIGN.md 10).
import { ByteReader, ByteWriter, latin1Decode, latin1Encode } from "@quorate/base";
import { readPermission, writePermission } from "./user.ts";
import type { Permission } from "./user.ts";

/** On disk: never reuse. */
export const AuthAction = {
  Enable: 1,
  Disable: 2,
  UserAdd: 3,
  UserDelete: 4,
  UserChangePassword: 5,
  UserGrantRole: 6,
  UserRevokeRole: 7,
  RoleAdd: 8,
  RoleDelete: 9,
  RoleGrantPermission: 10,
  RoleRevokePermission: 11,
  /** A user has given its password: a token is good from now on. */
  IssueToken: 12,
  /** They were used: their time begins anew. */
  RenewTokens: 13,
  /** Those go whose time is up by the entry's stamp. */
  ExpireTokens: 14,
} as const;
export type AuthAction = (typeof AuthAction)[keyof typeof AuthAction];

export type AuthCommand =
  | { readonly action: typeof AuthAction.Enable | typeof AuthAction.Disable }
  | {
      readonly action: typeof AuthAction.UserAdd;
      readonly user: string;
      readonly passwordHash: string;
      readonly noPassword: boolean;
    }
  | { readonly action: typeof AuthAction.UserDelete; readonly user: string }
  | {
      readonly action: typeof AuthAction.UserChangePassword;
      readonly user: string;
      readonly passwordHash: string;
    }
  | {
      readonly action: typeof AuthAction.UserGrantRole | typeof AuthAction.UserRevokeRole;
      readonly user: string;
      readonly role: string;
    }
  | {
      readonly action: typeof AuthAction.RoleAdd | typeof AuthAction.RoleDelete;
      readonly role: string;
    }
  | {
      readonly action:
        | typeof AuthAction.RoleGrantPermission
        | typeof AuthAction.RoleRevokePermission;
      readonly role: string;
      /** Its type does not matter where it is revoked. */
      readonly permission: Permission;
    }
  | {
      readonly action: typeof AuthAction.IssueToken;
      readonly user: string;
      readonly token: TokenHash;
      readonly ttlMs: number;
      /** Auth revision by which the password was found right. */
      readonly checkedRevision: number;
    }
  | { readonly action: typeof AuthAction.RenewTokens; readonly tokens: readonly TokenHash[] }
  | { readonly action: typeof AuthAction.ExpireTokens };

/** SHA-256 of a token, 32 chars of latin1. */
export type TokenHash = string;
export const tokenHashBytes = 32;

/** Of one RenewTokens. */
export const renewedTokensMax = 4096;

const format = 1;

export function encodeAuthCommand(command: AuthCommand): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.u8(command.action);
  switch (command.action) {
    case AuthAction.Enable:
    case AuthAction.Disable:
    case AuthAction.ExpireTokens:
      break;
    case AuthAction.UserAdd:
      writer.text(command.user);
      writer.text(command.passwordHash);
      writer.u8(command.noPassword ? 1 : 0);
      break;
    case AuthAction.UserDelete:
      writer.text(command.user);
      break;
    case AuthAction.UserChangePassword:
      writer.text(command.user);
      writer.text(command.passwordHash);
      break;
    case AuthAction.UserGrantRole:
    case AuthAction.UserRevokeRole:
      writer.text(command.user);
      writer.text(command.role);
      break;
    case AuthAction.RoleAdd:
    case AuthAction.RoleDelete:
      writer.text(command.role);
      break;
    case AuthAction.RoleGrantPermission:
    case AuthAction.RoleRevokePermission:
      writer.text(command.role);
      writePermission(writer, command.permission);
      break;
    case AuthAction.IssueToken:
      writer.text(command.user);
      writer.bytes(latin1Encode(command.token));
      writer.varint(command.ttlMs);
      writer.varint(command.checkedRevision);
      break;
    case AuthAction.RenewTokens:
      writer.varint(command.tokens.length);
      for (const token of command.tokens) writer.bytes(latin1Encode(token));
      break;
  }
  return writer.take();
}

/** `bytes` from `at` on; null: not such a command. */
export function decodeAuthCommand(bytes: Uint8Array, at: number = 0): AuthCommand | null {
  const reader = new ByteReader(bytes, at);
  if (reader.u8() !== format) return null;
  const command = readCommand(reader.u8() as AuthAction, reader);
  return reader.ok && reader.done ? command : null;
}

function readCommand(action: AuthAction, reader: ByteReader): AuthCommand | null {
  switch (action) {
    case AuthAction.Enable:
    case AuthAction.Disable:
    case AuthAction.ExpireTokens:
      return { action };
    case AuthAction.UserAdd: {
      const user = reader.text();
      return { action, user, passwordHash: reader.text(), noPassword: reader.u8() === 1 };
    }
    case AuthAction.UserDelete:
      return { action, user: reader.text() };
    case AuthAction.UserChangePassword: {
      const user = reader.text();
      return { action, user, passwordHash: reader.text() };
    }
    case AuthAction.UserGrantRole:
    case AuthAction.UserRevokeRole: {
      const user = reader.text();
      return { action, user, role: reader.text() };
    }
    case AuthAction.RoleAdd:
    case AuthAction.RoleDelete:
      return { action, role: reader.text() };
    case AuthAction.RoleGrantPermission:
    case AuthAction.RoleRevokePermission: {
      const role = reader.text();
      return { action, role, permission: readPermission(reader) };
    }
    case AuthAction.IssueToken: {
      const user = reader.text();
      const token = readTokenHash(reader);
      const ttlMs = reader.varint();
      return { action, user, token, ttlMs, checkedRevision: reader.varint() };
    }
    case AuthAction.RenewTokens:
      return { action, tokens: readTokens(reader) };
    default:
      return null;
  }
}

function readTokens(reader: ByteReader): TokenHash[] {
  const count = reader.varint();
  if (count > renewedTokensMax) reader.fail();
  const tokens: TokenHash[] = [];
  for (let left = count; left > 0 && reader.ok; left -= 1) tokens.push(readTokenHash(reader));
  return tokens;
}

export function readTokenHash(reader: ByteReader): TokenHash {
  return latin1Decode(reader.bytes(tokenHashBytes));
}
