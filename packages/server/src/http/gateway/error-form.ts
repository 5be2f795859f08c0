// How the gateway tells an error: status and body differ between the gateways that etcd's releases are
// built with (grpc-gateway 1.6 in Debian's 3.4, 1.16 in 3.5, 2 since 3.6), and clients read both.
import { STATUS_CODES } from "node:http";
import { GrpcCode } from "@quorate/grpc";
import { Release } from "../../etcd/release.ts";
import { stringToJson } from "./json/to-json.ts";

const statuses: Record<GrpcCode, number> = {
  [GrpcCode.Ok]: 200,
  [GrpcCode.Canceled]: 408,
  [GrpcCode.Unknown]: 500,
  [GrpcCode.InvalidArgument]: 400,
  [GrpcCode.DeadlineExceeded]: 504,
  [GrpcCode.NotFound]: 404,
  [GrpcCode.AlreadyExists]: 409,
  [GrpcCode.PermissionDenied]: 403,
  [GrpcCode.ResourceExhausted]: 429,
  [GrpcCode.FailedPrecondition]: 400,
  [GrpcCode.Aborted]: 409,
  [GrpcCode.OutOfRange]: 400,
  [GrpcCode.Unimplemented]: 501,
  [GrpcCode.Internal]: 500,
  [GrpcCode.Unavailable]: 503,
  [GrpcCode.DataLoss]: 500,
  [GrpcCode.Unauthenticated]: 401,
};

export function httpStatusOf(code: GrpcCode, release: Release): number {
  if (code === GrpcCode.FailedPrecondition && release === Release.V34) return 412;
  if (code === GrpcCode.Canceled && release === Release.V36) return 499;
  return statuses[code];
}

/** The body of a call that failed; zeros are left out as in every message. */
export function errorBody(code: GrpcCode, text: string, release: Release): string {
  const message = stringToJson(text);
  const told = text === "" ? "" : `"message":${message}`;
  return release === Release.V36
    ? `{${joined(`"code":${code}`, told)}}`
    : `{${joined(text === "" ? "" : `"error":${message}`, told, `"code":${code}`)}}`;
}

/** The last line of a stream that failed; grpc-gateway 2 ends it like any other. */
export function errorFrame(code: GrpcCode, text: string, release: Release): string {
  if (release === Release.V36) return `{"error":${errorBody(code, text, release)}}\n`;
  const status = httpStatusOf(code, release);
  const words = STATUS_CODES[status] ?? "";
  const told = text === "" ? "" : `"message":${stringToJson(text)}`;
  const fields = joined(
    `"grpc_code":${code}`,
    `"http_code":${status}`,
    told,
    `"http_status":"${words}"`,
  );
  return `{"error":{${fields}}}`;
}

function joined(...fields: readonly string[]): string {
  return fields.filter((field) => field !== "").join(",");
}
