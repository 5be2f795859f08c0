// Who runs this command, for a cluster with authentication on: a name and a password from the environment,
// as etcdctl takes them, where no list of processes shows them.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcClient, GrpcResult } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { UsageError } from "../exit.ts";

export const userVariable = "ETCDCTL_USER";

/** What the endpoint says that has no use for it. */
const notEnabled = "etcdserver: authentication is not enabled";

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Null: nobody in particular. */
export function userOf(text: string | undefined): User | null {
  if (text === undefined || text === "") return null;
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError(`${userVariable} is not of the form name:password`);
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The metadata of calls on this connection; or how logging in has failed. */
export async function logIn(
  client: GrpcClient,
  user: User,
  timeoutMs: number,
): Promise<Readonly<Record<string, string>> | GrpcResult> {
  const request = create(etcd.AuthenticateRequestSchema, { ...user });
  const bytes = toBinary(etcd.AuthenticateRequestSchema, request);
  const result = await client.call("/etcdserverpb.Auth/Authenticate", bytes, timeoutMs);
  if (result.text === notEnabled) return {};
  if (result.code !== GrpcCode.Ok || result.message === null) return result;
  return { token: fromBinary(etcd.AuthenticateResponseSchema, result.message).token };
}
