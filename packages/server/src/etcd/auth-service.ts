// etcd's Auth: users, roles, rights, and logging in. Rules are the state machine's; here are messages,
// and passwords become hashes before anything is proposed.
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { latin1Decode, latin1Encode } from "@quorate/base";
import type { Logger } from "pino";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi } from "@quorate/host";
import { AuthAction, isPermissionType, KvError, PermissionType, rootName } from "@quorate/kv";
import type { AuthCommand, AuthView, Identity, Permission } from "@quorate/kv";
import { etcd } from "@quorate/proto";
import type { Login } from "../auth/login.ts";
import { passwordBytesMax } from "../auth/passwords.ts";
import type { Passwords } from "../auth/passwords.ts";
import {
  busyError,
  emptyPasswordError,
  errorOf,
  kvErrorOf,
  longPasswordError,
  trailersOf,
  verifyOnlyError,
} from "./errors.ts";
import type { EtcdError } from "./errors.ts";
import type { ServiceFacts } from "./facts.ts";
import { decode, headerOf, sinkOf } from "./messages.ts";

/** Shorter ones are said to be weak in the log. */
const passwordCharsAdvised = 8;

export interface AuthServiceParts {
  readonly host: HostApi;
  readonly facts: ServiceFacts;
  readonly passwords: Passwords;
  readonly login: Login;
  readonly logger: Logger;
}

/** Every response of etcd's Auth has a header. */
type ResponseSchema = typeof etcd.AuthUserAddResponseSchema & DescMessage;

export class AuthService {
  readonly #parts: AuthServiceParts;

  constructor(parts: AuthServiceParts) {
    this.#parts = parts;
  }

  enable(sink: GrpcSink, identity: Identity): void {
    this.#change({ action: AuthAction.Enable }, identity, etcd.AuthEnableResponseSchema, sink);
  }

  disable(sink: GrpcSink, identity: Identity): void {
    this.#change({ action: AuthAction.Disable }, identity, etcd.AuthDisableResponseSchema, sink);
  }

  status(sink: GrpcSink): void {
    this.#read(sink, ({ enabled, revision }) =>
      this.#encode(etcd.AuthStatusResponseSchema, { enabled, authRevision: BigInt(revision) }),
    );
  }

  authenticate(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.AuthenticateRequestSchema, message, sink);
    if (request === null) return;
    const { name, password } = request;
    this.#parts.login.authenticate(name, password, sink.peer.address, {
      token: (token) => sink.reply(this.#encode(etcd.AuthenticateResponseSchema, { token })),
      refused: (error) => fail(sink, kvErrorOf(error)),
      busy: () => fail(sink, busyError),
      cannotSign: () => fail(sink, verifyOnlyError),
      fail: (failure) => {
        const { code, text } = errorOf(failure);
        sink.fail(code, text, trailersOf(failure));
      },
    });
  }

  // ---- Users ----------------------------------------------------------------------------------------

  userAdd(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserAddRequestSchema, message, sink);
    if (request === null) return;
    const { name: user, password, options } = request;
    if (user === "") return fail(sink, kvErrorOf(KvError.UserEmpty));
    const noPassword = options?.noPassword ?? false;
    const add = (passwordHash: string): void => {
      const command = { action: AuthAction.UserAdd, user, passwordHash, noPassword } as const;
      this.#change(command, identity, etcd.AuthUserAddResponseSchema, sink);
    };
    if (noPassword) add("");
    else this.#hash(user, password, sink, add);
  }

  userDelete(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserDeleteRequestSchema, message, sink);
    if (request === null) return;
    const command = { action: AuthAction.UserDelete, user: request.name } as const;
    this.#change(command, identity, etcd.AuthUserDeleteResponseSchema, sink);
  }

  userChangePassword(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserChangePasswordRequestSchema, message, sink);
    if (request === null) return;
    const { name: user, password } = request;
    this.#hash(user, password, sink, (passwordHash) => {
      const command = { action: AuthAction.UserChangePassword, user, passwordHash } as const;
      this.#change(command, identity, etcd.AuthUserChangePasswordResponseSchema, sink);
    });
  }

  userGrantRole(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserGrantRoleRequestSchema, message, sink);
    if (request === null) return;
    const { user, role } = request;
    const command = { action: AuthAction.UserGrantRole, user, role } as const;
    this.#change(command, identity, etcd.AuthUserGrantRoleResponseSchema, sink);
  }

  userRevokeRole(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserRevokeRoleRequestSchema, message, sink);
    if (request === null) return;
    const { name: user, role } = request;
    const command = { action: AuthAction.UserRevokeRole, user, role } as const;
    this.#change(command, identity, etcd.AuthUserRevokeRoleResponseSchema, sink);
  }

  userGet(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthUserGetRequestSchema, message, sink);
    if (request === null) return;
    this.#read(sink, (view) => {
      const error = view.mayGetUser(identity, request.name);
      if (error !== KvError.None) return error;
      const user = view.user(request.name);
      if (user === null) return KvError.UserNotFound;
      return this.#encode(etcd.AuthUserGetResponseSchema, { roles: [...user.roles] });
    });
  }

  userList(sink: GrpcSink, identity: Identity): void {
    this.#read(sink, (view) => {
      const error = view.mayAdminister(identity);
      if (error !== KvError.None) return error;
      return this.#encode(etcd.AuthUserListResponseSchema, { users: view.userNames() });
    });
  }

  // ---- Roles ----------------------------------------------------------------------------------------

  roleAdd(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthRoleAddRequestSchema, message, sink);
    if (request === null) return;
    const command = { action: AuthAction.RoleAdd, role: request.name } as const;
    this.#change(command, identity, etcd.AuthRoleAddResponseSchema, sink);
  }

  roleDelete(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthRoleDeleteRequestSchema, message, sink);
    if (request === null) return;
    const command = { action: AuthAction.RoleDelete, role: request.role } as const;
    this.#change(command, identity, etcd.AuthRoleDeleteResponseSchema, sink);
  }

  roleGrantPermission(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthRoleGrantPermissionRequestSchema, message, sink);
    if (request === null) return;
    const { name: role, perm } = request;
    if (perm === undefined) return fail(sink, kvErrorOf(KvError.PermissionNotGiven));
    const permission = permissionOf(perm.permType, perm.key, perm.rangeEnd);
    if (permission === null) return fail(sink, kvErrorOf(KvError.InvalidAuthManagement));
    const command = { action: AuthAction.RoleGrantPermission, role, permission } as const;
    this.#change(command, identity, etcd.AuthRoleGrantPermissionResponseSchema, sink);
  }

  roleRevokePermission(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthRoleRevokePermissionRequestSchema, message, sink);
    if (request === null) return;
    const { role, key, rangeEnd } = request;
    const permission = permissionOf(PermissionType.ReadWrite, key, rangeEnd)!;
    const command = { action: AuthAction.RoleRevokePermission, role, permission } as const;
    this.#change(command, identity, etcd.AuthRoleRevokePermissionResponseSchema, sink);
  }

  roleGet(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AuthRoleGetRequestSchema, message, sink);
    if (request === null) return;
    this.#read(sink, (view) => {
      const error = view.mayGetRole(identity, request.role);
      if (error !== KvError.None) return error;
      const role = view.role(request.role);
      if (role === null) return KvError.RoleNotFound;
      // As of etcd 3.5, which says what the role may do and not what was granted to it.
      const isAll = role.name === rootName && !this.#parts.facts.etcdVersion.startsWith("3.4.");
      const permissions = isAll ? [rootPermission] : role.permissions;
      const perm = permissions.map(({ type, key, rangeEnd }) => ({
        permType: type,
        key: latin1Encode(key),
        rangeEnd: latin1Encode(rangeEnd),
      }));
      return this.#encode(etcd.AuthRoleGetResponseSchema, { perm });
    });
  }

  roleList(sink: GrpcSink, identity: Identity): void {
    this.#read(sink, (view) => {
      const error = view.mayAdminister(identity);
      if (error !== KvError.None) return error;
      return this.#encode(etcd.AuthRoleListResponseSchema, { roles: view.roleNames() });
    });
  }

  // ---- All of them ------------------------------------------------------------------------------------

  #hash(user: string, password: string, sink: GrpcSink, then: (hash: string) => void): void {
    if (password === "") return fail(sink, emptyPasswordError);
    if (Buffer.byteLength(password) > passwordBytesMax) return fail(sink, longPasswordError);
    if (password.length < passwordCharsAdvised) {
      this.#parts.logger.warn(
        { user },
        `a password of less than ${passwordCharsAdvised} characters`,
      );
    }
    this.#parts.passwords.hash(password, (hash) => {
      if (hash === null) fail(sink, busyError);
      else then(hash);
    });
  }

  #change(command: AuthCommand, identity: Identity, schema: DescMessage, sink: GrpcSink): void {
    this.#parts.host.auth.change(command, identity, {
      ...sinkOf(sink),
      reply: () => sink.reply(this.#encode(schema as ResponseSchema, {})),
    });
  }

  /** Linearizable: what was answered to anybody before is in the table. */
  #read(sink: GrpcSink, answer: (view: AuthView) => Uint8Array | KvError): void {
    this.#parts.host.readBarrier({
      ...sinkOf(sink),
      reply: () => {
        const outcome = answer(this.#parts.host.auth.view()!);
        if (typeof outcome === "number") fail(sink, kvErrorOf(outcome));
        else sink.reply(outcome);
      },
    });
  }

  #encode<Schema extends DescMessage>(
    schema: Schema,
    fields: MessageInitShape<Schema>,
  ): Uint8Array {
    const status = this.#parts.host.status();
    const header = headerOf(status, status.revision);
    return toBinary(schema, create(schema, { ...fields, header }));
  }
}

const rootPermission: Permission = { type: PermissionType.ReadWrite, key: "", rangeEnd: "\0" };

/** Null: of no type that there is. */
function permissionOf(type: number, key: Uint8Array, rangeEnd: Uint8Array): Permission | null {
  if (!isPermissionType(type)) return null;
  return { type, key: latin1Decode(key), rangeEnd: latin1Decode(rangeEnd) };
}

function fail(sink: GrpcSink, { code, text }: EtcdError): void {
  sink.fail(code, text);
}
