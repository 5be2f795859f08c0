// The table of paths against etcd's services: every RPC that etcd's gateway has stands in it, and no
// path twice. RangeStream has no path in etcd either.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { election, etcd, gatewayServices } from "@quorate/proto";
import { CallKind, routes } from "./routes.ts";

test("every RPC of etcd's services has a path", () => {
  const all = gatewayServices.flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `/${typeName}/${name}`),
  );
  const reached = new Set([...routes.values()].map(({ grpcPath }) => grpcPath));
  deepEqual(
    all.filter((path) => !reached.has(path) && !path.endsWith("/RangeStream")),
    [],
  );
});

test("paths, kinds and messages", () => {
  equal(routes.size, 51);
  const kinds = [...routes].filter(([, { kind }]) => kind !== CallKind.Unary);
  deepEqual(
    kinds.map(([path, { kind }]) => `${path} ${kind}`),
    [
      "/v3/watch bidi_streaming",
      "/v3/lease/keepalive bidi_streaming",
      "/v3/maintenance/snapshot server_streaming",
      "/v3/election/observe server_streaming",
    ],
  );
  equal(routes.get("/v3/kv/lease/revoke"), routes.get("/v3/lease/revoke"));
  equal(routes.get("/v3/kv/compaction")!.input, etcd.CompactionRequestSchema);
  equal(routes.get("/v3/election/leader")!.output, election.LeaderResponseSchema);
});
