// Users by the common name of their certificate: whose certificate was verified needs no token, a token
// goes before it, and whoever calls through the gateway is never taken for the owner of a certificate
// (CVE-2018-16886). Method: a member that asks for certificates, and clients with different ones.
import { deepEqual, equal, match } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { TestAuthority } from "@quorate/server/internal";
import { withCluster } from "../../processes/cluster.ts";
import { AuthCalls, Right } from "./auth-calls.ts";
import type { Token } from "./auth-calls.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-auth-names-"));
const authority = new TestAuthority(folder);
const server = authority.issue("m1", { commonName: "m1", hosts: ["127.0.0.1"] });

function tlsOf(commonName: string): {
  authorities: Buffer;
  certificate: Buffer;
  key: Buffer;
  verify: boolean;
} {
  const { certificate, key } = authority.issue(`client-${commonName}`, { commonName });
  return {
    authorities: readFileSync(authority.file),
    certificate: readFileSync(certificate),
    key: readFileSync(key),
    verify: true,
  };
}

const flags = [
  `--cert-file=${server.certificate}`,
  `--key-file=${server.key}`,
  "--client-cert-auth",
  `--trusted-ca-file=${authority.file}`,
  "--bcrypt-cost=4",
];

test("a certificate's owner is a user, a token goes before it, the gateway has no certificate", async () => {
  const alice = tlsOf("alice");
  try {
    const tls = { client: alice, peer: false, flagsOf: () => flags };
    await withCluster({ size: 1, tls }, async (cluster) => {
      const [member] = cluster.members;
      const calls = new AuthCalls(member!.client);
      await calls.addRole("r");
      await calls.grant("r", Right.Both, "k");
      await calls.addUser("alice", "password of alice", "r");
      const root = await calls.enable("password of root");

      const outcome = async (name: string, key: string, token: Token): Promise<string> => {
        const client = new GrpcClient(`https://${member!.address}`, tlsOf(name));
        const request = create(etcd.RangeRequestSchema, { key: Buffer.from(key) });
        const bytes = toBinary(etcd.RangeRequestSchema, request);
        const { code, text } = await new AuthCalls(client).call(
          "/etcdserverpb.KV/Range",
          bytes,
          token,
        );
        client.close();
        return `${code} ${text}`;
      };
      const good = `${GrpcCode.Ok} `;
      const denied = `${GrpcCode.PermissionDenied} etcdserver: permission denied`;
      deepEqual(
        [
          await outcome("alice", "k", null),
          await outcome("alice", "x", null),
          await outcome("alice", "x", root),
          await outcome("mallory", "k", null),
          await outcome("root", "x", null),
          await outcome("mallory", "x", root),
        ],
        [good, denied, good, denied, good, good],
      );
      const wrong = await outcome("root", "x", "0123456789abcdef");
      equal(wrong, `${GrpcCode.Unauthenticated} etcdserver: invalid auth token`);

      const body = JSON.stringify({ key: Buffer.from("k").toString("base64") });
      const nobody = await post(member!.address, tlsOf("root"), body, null);
      equal(nobody.status, 400);
      match(nobody.text, /etcdserver: user name is empty/);
      equal((await post(member!.address, tlsOf("mallory"), body, root)).status, 200);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function post(
  address: string,
  tls: ReturnType<typeof tlsOf>,
  body: string,
  token: Token,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = token === null ? {} : { authorization: token };
  const { authorities: ca, certificate: cert, key } = tls;
  return new Promise((resolve, reject) => {
    const options = { method: "POST", ca, cert, key, headers };
    const request = https.request(`https://${address}/v3/kv/range`, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}
