// Unmodified clients of etcd by TLS, at a member that asks for a certificate of its authority.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TestAuthority } from "@quorate/server/internal";
import { TestCluster } from "../processes/cluster.ts";
import { accounts, enableAuth } from "./accounts.ts";
import { curlMissing, gatewayByCurl, tokenByCurl } from "./curl.ts";
import { skipOf, suites } from "./run-suites.ts";
import type { SecureServer } from "./suite.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-clients-"));
const authority = new TestAuthority(folder);
const server = authority.issue("server", { commonName: "server", hosts: ["127.0.0.1"] });
const client = authority.issue("client", { commonName: "client" });
const noCurl = curlMissing();
if (noCurl !== null) process.stderr.write(`\nSKIPPED curl by TLS: ${noCurl}\n\n`);

let cluster: TestCluster;
let secure: SecureServer;

before(async () => {
  const security = {
    authorities: readFileSync(authority.file),
    certificate: readFileSync(client.certificate),
    key: readFileSync(client.key),
    verify: true,
  };
  const flags = [
    `--cert-file=${server.certificate}`,
    `--key-file=${server.key}`,
    "--client-cert-auth",
    `--trusted-ca-file=${authority.file}`,
    "--bcrypt-cost=4",
  ];
  const tls = { client: security, peer: false, flagsOf: () => flags };
  cluster = await TestCluster.make({ size: 1, tls });
  cluster.start();
  await cluster.ready();
  const { certificate, key } = client;
  secure = { address: cluster.members[0]!.address, authority: authority.file, certificate, key };
});

after(async () => {
  for (const suite of suites) await suite.close();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

for (const suite of suites) {
  test(`${suite.name}: with a certificate, and without`, { skip: skipOf(suite) }, () =>
    suite.tls(secure),
  );
}

test("curl: the gateway with a certificate, and without", { skip: noCurl ?? false }, () =>
  gatewayByCurl(secure),
);

test("authentication by TLS", async (t) => {
  await enableAuth(cluster.members[0]!.client);
  for (const suite of suites) {
    await t.test(suite.name, { skip: suite.missing ?? false }, () => suite.authByTls(secure));
  }
  await t.test("curl", { skip: noCurl ?? false }, () => tokenByCurl(secure, "root", accounts.root));
});
