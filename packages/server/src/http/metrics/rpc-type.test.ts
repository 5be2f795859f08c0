// The label of an RPC's kind, for services of etcd's and for those beside them.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { rpcTypeOf } from "./rpc-type.ts";

test("every service that is served is known, a method that is none counts as unary", () => {
  equal(rpcTypeOf("etcdserverpb.KV", "Put"), "unary");
  equal(rpcTypeOf("etcdserverpb.Maintenance", "Snapshot"), "server_stream");
  equal(rpcTypeOf("etcdserverpb.Watch", "Watch"), "bidi_stream");
  equal(rpcTypeOf("grpc.health.v1.Health", "Watch"), "server_stream");
  for (const version of ["v1", "v1alpha"]) {
    equal(
      rpcTypeOf(`grpc.reflection.${version}.ServerReflection`, "ServerReflectionInfo"),
      "bidi_stream",
    );
  }
  equal(rpcTypeOf("no.Service", "Put"), "unary");
});
