// The HTTP endpoints of a running member in etcd 3.5's form: what they say while the cluster serves, with
// an alarm, and when the quorum is gone; the lines that process supervisors wait for.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { withCluster } from "../../processes/cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import { httpCall } from "./http-call.ts";
import type { HttpAnswer } from "./http-call.ts";
import { freePorts } from "../../processes/ports.ts";

function get(address: string, path: string): Promise<HttpAnswer> {
  return httpCall(address, { method: "GET", path });
}

async function told(address: string, path: string): Promise<[number, string]> {
  const { status, body } = await get(address, path);
  return [status, body];
}

const allReady =
  "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n" +
  "[+]non_learner ok\n[+]quiet ok\nok\n";

function alarm(address: string, action: string, kind: string): Promise<HttpAnswer> {
  const body = `{"action":"${action}","memberID":"1","alarm":"${kind}"}`;
  return httpCall(address, { path: "/v3/maintenance/alarm", body });
}

test("a member that serves: health, liveness, readiness, version", async () => {
  await withCluster({ size: 1 }, async ({ members }) => {
    const { address, log } = members[0]!;
    const health = await get(address, "/health");
    deepEqual([health.status, health.body], [200, `{"health":"true","reason":""}`]);
    equal(health.headers["content-type"], "text/plain; charset=utf-8");
    const rows: readonly (readonly [string, string])[] = [
      ["/health?serializable=true", `{"health":"true","reason":""}`],
      ["/livez", "ok\n"],
      ["/livez?verbose", "[+]serializable_read ok\nok\n"],
      ["/livez/serializable_read", "ok\n"],
      ["/readyz", "ok\n"],
      ["/readyz?verbose", allReady],
      ["/readyz?verbose&exclude=quiet&exclude=none", allReady.replace("[+]quiet ok\n", "")],
      ["/readyz?verbose&allowlist=non_learner", "[+]non_learner ok\nok\n"],
      ["/readyz/linearizable_read?verbose", "[+]linearizable_read ok\nok\n"],
      ["/version", `{"etcdserver":"3.5.21","etcdcluster":"3.5.0"}`],
    ];
    for (const [path, body] of rows) deepEqual(await told(address, path), [200, body], path);
    deepEqual(await told(address, "/readyz/none"), [404, "404 page not found\n"]);
    deepEqual(await told(address, "/livez/quiet"), [404, "404 page not found\n"]);
    for (const line of [
      "enabled capabilities for version",
      "published",
      "ready to serve client requests",
    ]) {
      ok(
        log.some((one) => one.includes(line)),
        line,
      );
    }

    await alarm(address, "ACTIVATE", "NOSPACE");
    deepEqual(await told(address, "/health"), [
      503,
      `{"health":"false","reason":"ALARM NOSPACE"}\n`,
    ]);
    deepEqual(await told(address, "/health?exclude=NOSPACE"), [
      200,
      `{"health":"true","reason":""}`,
    ]);
    deepEqual(await told(address, "/readyz"), [200, "ok\n"]);
    await alarm(address, "DEACTIVATE", "NOSPACE");
    await alarm(address, "ACTIVATE", "CORRUPT");
    const [status, body] = await told(address, "/readyz");
    equal(status, 503);
    match(
      body,
      /^\[-\]data_corruption failed: alarm activated: CORRUPT\n\[\+\]serializable_read ok\n/,
    );
    deepEqual(await told(address, "/livez"), [200, "ok\n"]);
  });
});

test("without a quorum: not healthy, not ready, alive", async () => {
  await withCluster({ size: 3 }, async (cluster) => {
    const [left, ...others] = cluster.members;
    await Promise.all(others.map((member) => member.kill()));
    const { address } = left!;
    // First its reads fail, then it knows of no leader.
    await eventually("it misses them", async () => {
      const [, body] = await told(address, "/health");
      return body.includes("RAFT NO LEADER");
    });
    deepEqual(await told(address, "/health"), [
      503,
      `{"health":"false","reason":"RAFT NO LEADER"}\n`,
    ]);
    deepEqual(await told(address, "/health?serializable=true"), [
      200,
      `{"health":"true","reason":""}`,
    ]);
    const [status, body] = await told(address, "/readyz");
    equal(status, 503);
    match(
      body,
      /\n\[\+\]serializable_read ok\n\[-\]linearizable_read failed: etcdserver: no leader/,
    );
    deepEqual(await told(address, "/livez"), [200, "ok\n"]);
    const put = { path: "/v3/kv/put", body: `{"key":"YQ=="}` };
    const refused = await httpCall(address, put);
    equal(refused.status, 503);
    match(
      refused.body,
      /^\{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14\}$/,
    );
  });
});

/** etcd's own names that dashboards read (etcd-api.md §1.6). */
const metricNames = [
  'etcd_server_version{server_version="3.6.1"} 1',
  'etcd_cluster_version{cluster_version="3.6"} 1',
  "etcd_server_has_leader 1",
  "etcd_server_is_leader 1",
  "etcd_server_leader_changes_seen_total ",
  "etcd_server_proposals_committed_total ",
  "etcd_server_proposals_applied_total ",
  "etcd_server_proposals_pending ",
  "etcd_server_proposals_failed_total ",
  "etcd_server_health_success ",
  "etcd_server_health_failures ",
  'etcd_server_healthcheck{type="readyz",name="linearizable_read"} 1',
  "etcd_disk_wal_fsync_duration_seconds_bucket{",
  "etcd_mvcc_db_total_size_in_bytes ",
  "etcd_mvcc_db_total_size_in_use_in_bytes ",
  "etcd_server_quota_backend_bytes ",
  "etcd_debugging_mvcc_keys_total 1",
  "etcd_mvcc_put_total 1",
  "etcd_mvcc_delete_total 0",
  "etcd_server_id{server_id=",
  'grpc_server_handled_total{grpc_service="etcdserverpb.KV",grpc_method="Put",grpc_code="OK",grpc_type="unary"} 1',
];

test("a later release: said by the environment, in errors and in metrics", async () => {
  await withCluster({ size: 1 }, async ({ members }) => {
    const member = members[0]!;
    await member.stop();
    member.start([], { QUORATE_COMPAT_VERSION: "3.6.1" });
    const { address } = member;
    await eventually(
      "it serves",
      async () => (await get(address, "/health").catch(() => null))?.status === 200,
    );
    equal((await get(address, "/version")).body, `{"etcdserver":"3.6.1","etcdcluster":"3.6.0"}`);
    equal((await httpCall(address, { path: "/v3/kv/put", body: `{"key":"YQ=="}` })).status, 200);
    const wrong = await httpCall(address, { path: "/v3/kv/range", body: `{"key":"Zm9"}` });
    equal(wrong.body, `{"code":3,"message":"illegal base64 data at input byte 0"}`);
    equal((await get(address, "/readyz")).status, 200);
    const { body, headers } = await get(address, "/metrics");
    match(headers["content-type"]!, /^text\/plain; version=0\.0\.4/);
    for (const name of metricNames) ok(body.includes(`\n${name}`), name);
  });
});

test("ports of their own for metrics and for HTTP", async () => {
  const port = await freePorts(2);
  const [metrics, web] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 2}`];
  const flags = [
    `--listen-metrics-urls=http://${metrics}`,
    `--listen-client-http-urls=http://${web}`,
  ];
  await withCluster({ size: 1, flags }, async ({ members }) => {
    for (const path of ["/health", "/livez", "/readyz", "/metrics"]) {
      equal((await get(metrics, path)).status, 200, path);
    }
    for (const path of ["/version", "/v3/kv/range", "/"]) {
      equal((await get(metrics, path)).status, 404, path);
    }
    equal((await get(web, "/version")).status, 200);
    const put = { path: "/v3/kv/put", body: `{"key":"YQ=="}` };
    equal((await httpCall(web, put)).status, 200);
    // The client port itself has spoken gRPC until here: that is how the cluster was found ready.
    await rejects(get(members[0]!.address, "/version"));
    const client = new GrpcClient(web);
    const { code } = await client.call("/etcdserverpb.KV/Range", new Uint8Array(0), 2000);
    equal(code, GrpcCode.Unavailable);
    client.close();
  });
});
