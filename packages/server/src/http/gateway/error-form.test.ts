// Status and body of errors by release. The first column was read off a running etcd 3.4.23 (Debian's
// build); the others follow grpc-gateway 1.16 (etcd 3.5) and 2 (etcd 3.6).
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { Release, releaseOf } from "../../etcd/release.ts";
import { errorBody, errorFrame, httpStatusOf } from "./error-form.ts";

test("each code has its status in each release", () => {
  const rows: readonly (readonly [GrpcCode, number, number, number])[] = [
    [GrpcCode.Ok, 200, 200, 200],
    [GrpcCode.Canceled, 408, 408, 499],
    [GrpcCode.Unknown, 500, 500, 500],
    [GrpcCode.InvalidArgument, 400, 400, 400],
    [GrpcCode.DeadlineExceeded, 504, 504, 504],
    [GrpcCode.NotFound, 404, 404, 404],
    [GrpcCode.AlreadyExists, 409, 409, 409],
    [GrpcCode.PermissionDenied, 403, 403, 403],
    [GrpcCode.ResourceExhausted, 429, 429, 429],
    [GrpcCode.FailedPrecondition, 412, 400, 400],
    [GrpcCode.Aborted, 409, 409, 409],
    [GrpcCode.OutOfRange, 400, 400, 400],
    [GrpcCode.Unimplemented, 501, 501, 501],
    [GrpcCode.Internal, 500, 500, 500],
    [GrpcCode.Unavailable, 503, 503, 503],
    [GrpcCode.DataLoss, 500, 500, 500],
    [GrpcCode.Unauthenticated, 401, 401, 401],
  ];
  equal(rows.length, Object.keys(GrpcCode).length);
  for (const [code, ...expected] of rows) {
    const all = [Release.V34, Release.V35, Release.V36];
    deepEqual(
      all.map((release) => httpStatusOf(code, release)),
      expected,
      `code ${code}`,
    );
  }
});

test("the body of an error", () => {
  const told = (release: Release): string => errorBody(GrpcCode.NotFound, `"x" <y>`, release);
  const old = `{"error":"\\"x\\" \\u003cy\\u003e","message":"\\"x\\" \\u003cy\\u003e","code":5}`;
  equal(told(Release.V34), old);
  equal(told(Release.V35), old);
  equal(told(Release.V36), `{"code":5,"message":"\\"x\\" \\u003cy\\u003e"}`);
  equal(errorBody(GrpcCode.Unknown, "", Release.V34), `{"code":2}`);
});

test("the last line of a stream", () => {
  equal(
    errorFrame(GrpcCode.DeadlineExceeded, "context deadline exceeded", Release.V34),
    `{"error":{"grpc_code":4,"http_code":504,"message":"context deadline exceeded","http_status":"Gateway Timeout"}}`,
  );
  equal(
    errorFrame(GrpcCode.Unavailable, "etcdserver: no leader", Release.V36),
    `{"error":{"code":14,"message":"etcdserver: no leader"}}\n`,
  );
});

test("a version says which release it is", () => {
  const rows: readonly (readonly [string, Release])[] = [
    ["3.4.0", Release.V34],
    ["3.4.23", Release.V34],
    ["3.5.21", Release.V35],
    ["3.6.0", Release.V36],
    ["3.10.1", Release.V36],
  ];
  for (const [version, release] of rows) equal(releaseOf(version), release, version);
});
