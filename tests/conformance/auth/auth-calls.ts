// etcd's Auth at one member, for tests: setting up users and roles, logging in, and what calls of anybody
// come to.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcClient, GrpcResult } from "@quorate/grpc";
import { auth, etcd } from "@quorate/proto";

const callTimeoutMs = 30_000;

/** Null: nobody. */
export type Token = string | null;

export const Right = {
  Read: auth.Permission_Type.READ,
  Write: auth.Permission_Type.WRITE,
  Both: auth.Permission_Type.READWRITE,
} as const;

export class AuthCalls {
  readonly #client: GrpcClient;
  /** Who asks by default. */
  token: Token;

  constructor(client: GrpcClient, token: Token = null) {
    this.#client = client;
    this.token = token;
  }

  call(path: string, bytes: Uint8Array, token: Token = this.token): Promise<GrpcResult> {
    const metadata = token === null ? {} : { token };
    return this.#client.call(path, bytes, callTimeoutMs, metadata);
  }

  /** One of etcd's Auth by its name; throws unless it succeeds. */
  async auth<Schema extends DescMessage>(
    method: string,
    schema: Schema,
    fields: MessageInitShape<Schema>,
    token: Token = this.token,
  ): Promise<Uint8Array> {
    const bytes = toBinary(schema, create(schema, fields));
    const { code, text, message } = await this.call(`/etcdserverpb.Auth/${method}`, bytes, token);
    if (code !== GrpcCode.Ok) throw new Error(`${method}: ${code} ${text}`);
    return message!;
  }

  async addUser(name: string, password: string, ...roles: string[]): Promise<void> {
    await this.auth("UserAdd", etcd.AuthUserAddRequestSchema, { name, password });
    for (const role of roles) {
      await this.auth("UserGrantRole", etcd.AuthUserGrantRoleRequestSchema, { user: name, role });
    }
  }

  async addRole(name: string): Promise<void> {
    await this.auth("RoleAdd", etcd.AuthRoleAddRequestSchema, { name });
  }

  async grant(
    name: string,
    permType: auth.Permission_Type,
    key: string,
    rangeEnd: string = "",
  ): Promise<void> {
    const perm = { permType, key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) };
    await this.auth("RoleGrantPermission", etcd.AuthRoleGrantPermissionRequestSchema, {
      name,
      perm: create(auth.PermissionSchema, perm),
    });
  }

  /** With a user root; who asks is root from now on. */
  async enable(rootPassword: string): Promise<string> {
    await this.addUser("root", rootPassword, "root");
    await this.auth("AuthEnable", etcd.AuthEnableRequestSchema, {});
    this.token = await this.login("root", rootPassword);
    return this.token;
  }

  async login(name: string, password: string): Promise<string> {
    const schema = etcd.AuthenticateRequestSchema;
    const bytes = await this.auth("Authenticate", schema, { name, password }, null);
    return fromBinary(etcd.AuthenticateResponseSchema, bytes).token;
  }
}
