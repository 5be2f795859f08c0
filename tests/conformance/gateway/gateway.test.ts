// The JSON gateway and the HTTP endpoints beside a real etcd 3.4.23: the same requests in the same order,
// and status, headers, trailers and bodies are equal. What differs on purpose is in the last tests.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { etcd } from "@quorate/proto";
import { etcdMissing } from "../../processes/etcd-cluster.ts";
import { toolVersion } from "../../processes/entry.ts";
import { GatewayPair } from "./gateway-pair.ts";
import { WireClient } from "../wire/wire-client.ts";
import { httpCall } from "./http-call.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED the gateway beside etcd: ${missing}\n\n`);
const skip = missing ?? false;

let pair: GatewayPair;

before(async () => {
  if (skip === false) pair = await GatewayPair.start();
});

after(async () => {
  if (skip === false) await pair.close();
});

type Row = readonly [path: string, body: string];

async function same(rows: readonly Row[]): Promise<string[]> {
  const bodies: string[] = [];
  for (const [path, body] of rows) bodies.push((await pair.same({ path, body })).body);
  return bodies;
}

test("every KV path", { skip }, async () => {
  const bodies = await same([
    ["/v3/kv/put", `{"key":"Zm9v","value":"YmFy"}`],
    ["/v3/kv/put", `{"key":"Zm9v","value":"YmFyMg==","prev_kv":true}`],
    ["/v3/kv/put", `{"key":"Zm9v","ignore_value":true,"prevKv":true}`],
    ["/v3/kv/put", `{"key":"ZW1wdHk="}`],
    ["/v3/kv/put", `{"key":"YQ==","value":"MQ==","lease":"0"}`],
    ["/v3/kv/put", `{"key":"YQ==","value":"MQ==","lease":"77"}`],
    ["/v3/kv/put", `{"key":"bm9uZQ==","ignore_lease":true}`],
    ["/v3/kv/put", `{"value":"MQ=="}`],
    ["/v3/kv/range", `{"key":"Zm9v"}`],
    ["/v3/kv/range", `{"key":"AA==","range_end":"AA=="}`],
    ["/v3/kv/range", `{"key":"AA==","rangeEnd":"AA==","limit":1,"sort_order":"DESCEND"}`],
    ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","sort_target":"MOD","sort_order":1}`],
    ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","keys_only":true}`],
    ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","count_only":true,"serializable":true}`],
    ["/v3/kv/range", `{"key":"Zm9v","revision":"2"}`],
    ["/v3/kv/range", `{"key":"Zm9v","revision":"1000"}`],
    ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","min_mod_revision":"4"}`],
    ["/v3/kv/range", `{"key":"bm9uZQ=="}`],
    [
      "/v3/kv/txn",
      `{"compare":[{"key":"Zm9v","target":"CREATE","create_revision":"2"}],"success":[{"request_put":{"key":"dA==","value":"MQ=="}}]}`,
    ],
    [
      "/v3/kv/txn",
      `{"compare":[{"key":"Zm9v","result":"GREATER","target":"VERSION","version":"9"}],"failure":[{"requestRange":{"key":"Zm9v"}}]}`,
    ],
    [
      "/v3/kv/txn",
      `{"compare":[{"key":"dA==","target":"VALUE","value":"MQ=="},{"key":"YQ==","range_end":"eg==","target":"MOD","mod_revision":"1","result":"GREATER"}],"success":[{"request_delete_range":{"key":"dA==","prev_kv":true}},{"request_txn":{"success":[{"request_range":{"key":"Zm9v","count_only":true}}]}}]}`,
    ],
    ["/v3/kv/txn", `{}`],
    ["/v3/kv/txn", `{"success":[{}]}`],
    ["/v3/kv/txn", `{"success":[{"request_put":{"key":"YQ=="}},{"request_put":{"key":"YQ=="}}]}`],
    ["/v3/kv/deleterange", `{"key":"ZW1wdHk=","prev_kv":true}`],
    ["/v3/kv/deleterange", `{"key":"ZW1wdHk="}`],
    ["/v3/kv/deleterange", `{"key":""}`],
    ["/v3/kv/deleterange", `{"key":"YQ==","range_end":"Yg=="}`],
    ["/v3/kv/compaction", `{"revision":"3","physical":true}`],
    ["/v3/kv/compaction", `{"revision":"3"}`],
    ["/v3/kv/compaction", `{"revision":"1000"}`],
    ["/v3/kv/range", `{"key":"Zm9v","revision":"2"}`],
    ["/v3beta/kv/range", `{"key":"Zm9v"}`],
    ["/v3/kv/%72ange?pretty", `{"key":"Zm9v"}`],
  ]);
  match(
    bodies[18]!,
    /"succeeded":true,"responses":\[\{"response_put":\{"header":\{"revision":"7"\}\}\}\]\}$/,
  );
});

test("members and maintenance", { skip }, async () => {
  const member = `"memberID":"1311768467463790320"`;
  const bodies = await same([
    ["/v3/cluster/member/list", "{}"],
    ["/v3/cluster/member/list", ""],
    ["/v3/cluster/member/add", "{}"],
    ["/v3/cluster/member/add", `{"peerURLs":["x"]}`],
    ["/v3/cluster/member/remove", `{"ID":"5"}`],
    ["/v3/cluster/member/update", `{"ID":5,"peerURLs":["http://127.0.0.1:1"]}`],
    ["/v3/cluster/member/promote", `{"ID":"5"}`],
    ["/v3/maintenance/status", "{}"],
    ["/v3/maintenance/alarm", "{}"],
    ["/v3/maintenance/alarm", `{"action":"ACTIVATE",${member},"alarm":"NOSPACE"}`],
    ["/v3/maintenance/alarm", `{"alarm":"NOSPACE"}`],
    ["/v3/kv/put", `{"key":"YQ==","value":"MQ=="}`],
    ["/v3/maintenance/alarm", `{"action":"DEACTIVATE",${member},"alarm":1}`],
    ["/v3/maintenance/alarm", `{"action":"BOGUS"}`],
  ]);
  match(bodies[0]!, /"members":\[\{"ID":"\d+","name":"m1","peerURLs":\[/);
  equal(bodies[8], "{}");
});

test("health and alarms", { skip }, async () => {
  const get = async (path: string): Promise<string> =>
    (await pair.same({ method: "GET", path })).body;
  equal(await get("/health"), `{"health":"true"}`);
  const alarm = (action: string): Row => [
    "/v3/maintenance/alarm",
    `{"action":"${action}","memberID":"1","alarm":"NOSPACE"}`,
  ];
  await same([alarm("ACTIVATE")]);
  equal(await get("/health"), `{"health":"false"}\n`);
  equal(await get("/health?exclude=NOSPACE"), `{"health":"true"}`);
  equal(await get("/health?exclude=CORRUPT"), `{"health":"false"}\n`);
  await same([alarm("DEACTIVATE")]);
  equal(await get("/health"), `{"health":"true"}`);
  equal(await get("/version"), `{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}`);
});

test("paths and methods that are none", { skip }, async () => {
  const paths = [
    "/",
    "/nothing",
    "/v3",
    "/v3/",
    "/v3/nothing",
    "/v3/kv",
    "/v3/kv/range/",
    "/v3/kv/range:x",
    "/v3/kv//range",
    "/v3/kv/./range?a=b",
    "/v3/../version",
    "/v3beta",
    "/v3alpha/kv/range",
    "/v2/keys/a",
    "/version",
    "/health",
    "/v3/kv/range",
  ];
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "POST"]) {
    for (const path of paths) await pair.same({ method, path });
  }
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const body = `{"key":"Zm9v"}`;
  await pair.same({ path: "/v3/kv/range", body, headers: form });
  await pair.same({
    path: "/v3/kv/range",
    body,
    headers: { ...form, "X-HTTP-Method-Override": "get" },
  });
  await pair.same({ path: "/v3/kv/range", body, headers: { "Content-Type": "text/plain" } });
  await pair.same({ path: "/v3/kv/range", body, headers: { "Grpc-Timeout": "1n" } });
  await pair.same({ path: "/v3/kv/range", body, headers: { "Grpc-Timeout": "soon" } });
});

test("Downgrade is not there in 3.4, nor where Quorate says that it is one", { skip }, async () => {
  const ends = [pair.etcdAddress, pair.quorateAddress].map(async (address) => {
    const client = new WireClient(address);
    const request = { action: etcd.DowngradeRequest_DowngradeAction.ENABLE, version: "3.3.0" };
    const { end } = await client.unary(etcd.Maintenance.method.downgrade, request);
    client.close();
    return [end.code, end.text];
  });
  const unknown = [12, "unknown method Downgrade for service etcdserverpb.Maintenance"];
  deepEqual(await Promise.all(ends), [unknown, unknown]);
});

test("values and bytes that are none, in etcd's words", { skip }, async () => {
  const bodies: readonly string[] = [
    `{"key":"Zm9"}`,
    `{"key":"!!"}`,
    `{"key":"Zm9v="}`,
    `{"key":"Zm9vYQ=="}`,
    `{"key":"Zm\\r\\n9v"}`,
    `{"key":1}`,
    `{"key":[102,111,111]}`,
    `{"key":[300]}`,
    `{"key":{}}`,
    "null",
    "[]",
    "1",
    "x",
    "{",
    " ",
    `{"key":"Zm9v","sort_order":"BOGUS"}`,
    `{"key":"Zm9v","sort_order":true}`,
    `{"key":"Zm9v","limit":"abc"}`,
    `{"key":"Zm9v","limit":1.5}`,
    `{"key":"Zm9v","limit":""}`,
    `{"key":"Zm9v","limit":9223372036854775808}`,
    `{"key":"Zm9v","serializable":"true"}`,
    `{"key":"Zm9v"}{"key":`,
    `{"key":"Zm9v",}`,
    `{"\\u006bey":"Zm9v","x":[{"y":1e9}]}`,
  ];
  for (const body of bodies) await pair.same({ path: "/v3/kv/range", body });
  await pair.same({ path: "/v3/kv/put", body: `{"key":"YQ==","value":"${"A".repeat(2 ** 21)}"}` });
  await pair.same({
    path: "/v3/kv/put",
    body: `{"key":"YQ==","value":"${"A".repeat(3 * 2 ** 20)}"}`,
  });
  await pair.same({ path: "/v3/watch", body: "x" });
  await pair.same({ path: "/v3/watch", body: `{"create_request":{"filters":["BAD"]}}` });
  await pair.same({ path: "/v3/election/observe", body: "{" });
});

test("curl, as the documentation of etcd has it", { skip: skip || curlMissing() }, () => {
  const curl = (address: string, ...argv: string[]): string => {
    const { stdout } = spawnSync(
      "curl",
      ["-sSL", ...argv.map((a) => a.replace("ADDRESS", address))],
      {
        encoding: "utf8",
      },
    );
    return stdout.replace(/"(cluster_id|member_id|raft_term)":"\d+"/g, '"$1":ID');
  };
  const rows = [
    ["http://ADDRESS/v3/kv/put", "-X", "POST", "-d", `{"key": "Y3VybA==", "value": "YmFy"}`],
    ["http://ADDRESS/v3/kv/range", "-X", "POST", "-d", `{"key": "Y3VybA=="}`],
    ["http://ADDRESS/v3/kv/range", "-X", "POST", "-d", `{"key": "Y3U=", "range_end": "Y3Y="}`],
    ["http://ADDRESS/v3/kv//range", "-d", `{"key": "Y3VybA=="}`],
    ["http://ADDRESS/v3/kv/range"],
    ["http://ADDRESS/version"],
  ];
  for (const row of rows) {
    const [theirs, ours] = [pair.etcdAddress, pair.quorateAddress].map((at) => curl(at, ...row));
    equal(ours, theirs, row.join(" "));
  }
});

function curlMissing(): string | false {
  return toolVersion("curl", "--version") === null && "curl is not installed";
}

test("--cors and --host-whitelist, and who is refused", { skip }, async () => {
  const guarded = await GatewayPair.start([
    "--cors=http://a.example:3000,http://b.example:3000",
    "--host-whitelist=127.0.0.1,store.lan",
  ]);
  try {
    const path = "/v3/kv/range";
    const body = `{"key":"Zm9v"}`;
    const rows: readonly Record<string, string>[] = [
      {},
      { Origin: "http://a.example:3000" },
      { Host: "store.lan:2379" },
      { Host: "store.lan" },
      { Host: "evil.example" },
      { Host: "evil.example:2379", Origin: "http://a.example:3000" },
    ];
    for (const headers of rows) {
      await guarded.same({ path, body, headers });
      await guarded.same({ method: "OPTIONS", path, headers });
      await guarded.same({ method: "GET", path: "/version", headers });
    }
    // etcd only leaves the browser in the dark about the answer: the write has happened.
    const write = {
      path: "/v3/kv/put",
      body: `{"key":"ZXZpbA==","value":"MQ=="}`,
      headers: { Origin: "http://evil.example", "Content-Type": "text/plain" },
    };
    equal((await httpCall(guarded.etcdAddress, write)).status, 200);
    equal((await httpCall(guarded.quorateAddress, write)).status, 403);
    equal((await revisions(guarded)).join(), "2,1");
  } finally {
    await guarded.close();
  }
});

async function revisions({ etcdAddress, quorateAddress }: GatewayPair): Promise<string[]> {
  const call = {
    path: "/v3/kv/range",
    body: `{"key":"AA==","range_end":"AA==","count_only":true}`,
  };
  const answers = await Promise.all([etcdAddress, quorateAddress].map((at) => httpCall(at, call)));
  return answers.map(({ body }) => /"revision":"(\d+)"/.exec(body)?.[1] ?? "");
}

test(
  "without flags no page of another origin writes (CVE-2018-1098, CVE-2018-1099)",
  { skip },
  async () => {
    const [, before] = await revisions(pair);
    const body = `{"key":"ZXZpbA==","value":"MQ=="}`;
    const pages = [
      { Origin: "http://evil.example" },
      { Origin: "null" },
      { Origin: "http://evil.example:2379", Host: "evil.example:2379" },
    ];
    for (const headers of pages) {
      const { status, headers: told } = await httpCall(pair.quorateAddress, {
        path: "/v3/kv/put",
        body,
        headers,
      });
      equal(status, 403);
      equal(told["access-control-allow-origin"], undefined);
    }
    deepEqual((await revisions(pair))[1], before);
  },
);
