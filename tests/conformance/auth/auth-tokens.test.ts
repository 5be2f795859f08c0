// Tokens on real members: given out by one, good at all at once, after the leader was killed and after all
// were started again; by the gateway too; and signed ones, which follow the auth revision.
import { equal, match, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { AuthCalls, Right } from "./auth-calls.ts";
import type { Token } from "./auth-calls.ts";
import { withCluster } from "../../processes/cluster.ts";
import type { TestCluster } from "../../processes/cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import type { TestMember } from "../../processes/member.ts";

const key = Buffer.from("k");
const rangeBytes = toBinary(etcd.RangeRequestSchema, create(etcd.RangeRequestSchema, { key }));
const putBytes = toBinary(
  etcd.PutRequestSchema,
  create(etcd.PutRequestSchema, { key, value: key }),
);

/** Code and text of a read and of a write of k. */
async function use(member: TestMember, token: Token): Promise<readonly [string, string]> {
  const calls = new AuthCalls(member.client);
  const read = await calls.call("/etcdserverpb.KV/Range", rangeBytes, token);
  const write = await calls.call("/etcdserverpb.KV/Put", putBytes, token);
  return [`${read.code} ${read.text}`, `${write.code} ${write.text}`];
}

const good = `${GrpcCode.Ok} `;
const invalid = `${GrpcCode.Unauthenticated} etcdserver: invalid auth token`;
const old = `${GrpcCode.InvalidArgument} etcdserver: revision of auth store is old`;

async function goodEverywhere(cluster: TestCluster, token: Token): Promise<void> {
  for (const member of cluster.running) {
    const [read, write] = await use(member, token);
    equal(read, good, member.name);
    equal(write, good, member.name);
  }
}

/** A user u that may read and write k; root's calls at the first member. */
async function withUser(cluster: TestCluster): Promise<AuthCalls> {
  const calls = new AuthCalls(cluster.members[0]!.client);
  await calls.addRole("r");
  await calls.grant("r", Right.Both, "k");
  await calls.addUser("u", "password of u", "r");
  await calls.enable("password of root");
  return calls;
}

test("a simple token is good at every member at once, after failovers and after a restart", async () => {
  await withCluster({ flags: ["--bcrypt-cost=4"] }, async (cluster) => {
    const calls = await withUser(cluster);
    const token = await calls.login("u", "password of u");
    match(token, /^[0-9a-f]{32}$/);
    await goodEverywhere(cluster, token);
    for (const member of cluster.members) member.token = calls.token;
    await (await cluster.leader()).kill();
    await cluster.leader();
    await goodEverywhere(cluster, token);
    await Promise.all(cluster.running.map((member) => member.kill()));
    cluster.start();
    await cluster.ready();
    await goodEverywhere(cluster, token);

    const schema = etcd.AuthUserChangePasswordRequestSchema;
    await calls.auth("UserChangePassword", schema, { name: "u", password: "another one" });
    for (const member of cluster.members) {
      const [read, write] = await use(member, token);
      equal(read, invalid, "at once, wherever it is used");
      equal(write, invalid);
    }
    await goodEverywhere(cluster, await calls.login("u", "another one"));
    await cluster.equalDigests();
  });
});

test("the gateway takes a token as it is or behind a scheme, and gives one out", async () => {
  await withCluster({ size: 1, flags: ["--bcrypt-cost=4"] }, async (cluster) => {
    const [member] = cluster.members;
    await withUser(cluster);
    const post = async (path: string, body: object, authorization: string): Promise<Response> =>
      fetch(`http://${member!.address}${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: authorization === "" ? {} : { authorization },
      });
    const login = { name: "u", password: "password of u" };
    const answer = await post("/v3/auth/authenticate", login, "");
    const { token } = (await answer.json()) as { readonly token: string };
    const range = { key: key.toString("base64") };
    for (const authorization of [token, `Bearer ${token}`]) {
      equal((await post("/v3/kv/range", range, authorization)).status, 200);
    }
    const nobody = await post("/v3/kv/range", range, "");
    equal(nobody.status, 400);
    match(await nobody.text(), /etcdserver: user name is empty/);
    equal((await post("/v3/kv/range", range, "0123456789abcdef")).status, 401);
    equal((await post("/v3/kv/deleterange", { key: "eA==" }, token)).status, 403);
    equal((await post("/v3/auth/user/list", {}, token)).status, 403);
  });
});

test("a signed token is good wherever the key is, until users, roles or rights change", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-jwt-"));
  const file = join(folder, "key.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(file, privateKey.export({ format: "pem", type: "pkcs8" }));
  const jwt = `--auth-token=jwt,sign-method=ES256,priv-key=${file},ttl=10m`;
  try {
    await withCluster({ flags: ["--bcrypt-cost=4", jwt] }, async (cluster) => {
      const calls = await withUser(cluster);
      const token = await calls.login("u", "password of u");
      equal(token.split(".").length, 3);
      await goodEverywhere(cluster, token);
      const [read] = await use(cluster.members[1]!, `${token.slice(0, -4)}AAAA`);
      equal(read, invalid);
      await calls.addRole("another");
      // As in etcd: an administrator's goes on, or it could make one change only.
      await calls.addRole("and another");
      for (const member of cluster.members) {
        const outcome = await eventually("the change is applied", async () => {
          const [first, second] = await use(member, token);
          return first === old ? second : null;
        });
        equal(outcome, old);
      }
      await goodEverywhere(cluster, await calls.login("u", "password of u"));
      ok(cluster.members.every(({ log }) => !log.some((line) => line.includes(token))));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
