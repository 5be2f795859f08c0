// A machine joins a cluster that speaks TLS, and one of the two is lost for good. Method: `quorate join` and
// `quorate recover` on real processes; clients and peers have authorities of their own, which no machine
// trusts. Goal: the commands reach whom they must with the certificates they are given, and say so where
// they have none.
import { equal, match, ok } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { TestAuthority } from "@quorate/server/internal";
import { TestCluster } from "../../processes/cluster.ts";
import { runQuorate } from "../../processes/entry.ts";
import type { Ended } from "../../processes/entry.ts";
import { eventually } from "../../processes/eventually.ts";
import { getAll, put } from "../../processes/kv-calls.ts";
import { TestMember } from "../../processes/member.ts";
import { freePorts } from "../../processes/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-join-"));
const authority = new TestAuthority(folder, "clients-ca");
const peerAuthority = new TestAuthority(folder, "peers-ca");
const me = authority.issue("me", { commonName: "me" });
const meFlags = [`--cacert=${authority.file}`, `--cert=${me.certificate}`, `--key=${me.key}`];
const grpcTls = {
  authorities: readFileSync(authority.file),
  certificate: readFileSync(me.certificate),
  key: readFileSync(me.key),
  verify: true,
};

function peerFlags(name: string): string[] {
  return [
    `--peer-cert-file=${join(folder, `${name}-peer.pem`)}`,
    `--peer-key-file=${join(folder, `${name}-peer-key.pem`)}`,
    `--peer-trusted-ca-file=${peerAuthority.file}`,
  ];
}

function flagsOf(name: string): string[] {
  const hosts = ["127.0.0.1"];
  const { certificate, key } = authority.issue(name, { commonName: name, hosts });
  peerAuthority.issue(`${name}-peer`, { commonName: name, hosts });
  return [
    `--cert-file=${certificate}`,
    `--key-file=${key}`,
    "--client-cert-auth",
    `--trusted-ca-file=${authority.file}`,
    ...peerFlags(name),
    "--peer-client-cert-auth",
  ];
}

let cluster: TestCluster;
let m1: TestMember;
let m2: TestMember;

before(async () => {
  cluster = await TestCluster.make({ size: 1, tls: { client: grpcTls, peer: true, flagsOf } });
  m1 = cluster.members[0]!;
  const port = await freePorts(1);
  const directory = join(cluster.folder, "m2");
  const place = { name: "m2", clientPort: port, peerPort: port + 1, directory };
  const words = [
    `https://${m1.address}`,
    ...["--data-dir", directory, "--name=m2", "--timeout=30", ...meFlags],
    `--peer-url=https://127.0.0.1:${port + 1}`,
    `--client-url=https://127.0.0.1:${port}`,
    ...["--", "--log-format=json", ...flagsOf("m2")],
  ];
  m2 = new TestMember(place, words, grpcTls, "join");
  cluster.start();
  await cluster.ready();
});

after(async () => {
  await m2.kill();
  m2.client.close();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

/** Shows what both said when something is not as it should be. */
async function showing(story: () => Promise<void>): Promise<void> {
  try {
    await story();
  } catch (error) {
    cluster.showLogs();
    process.stderr.write(`--- last lines of m2\n${m2.log.slice(-40).join("\n")}\n`);
    throw error;
  }
}

async function serves(): Promise<void> {
  await eventually("m2 serves", async () => {
    const status = await m2.status();
    return status?.phase === "running" && status.leader !== "";
  });
}

test("join: the cluster is asked over TLS, and peers speak it; again with the same data", () =>
  showing(async () => {
    const stranger = await runQuorate([
      ...["join", `https://${m1.address}`, "--data-dir", join(cluster.folder, "none")],
      `--cacert=${peerAuthority.file}`,
      "--timeout=1",
    ]);
    equal(stranger.code, 1);
    match(stranger.stderr, /cannot reach https:\/\/127\.0\.0\.1:\d+: .*certificate/);
    m2.start();
    await serves();
    await eventually("m2 votes", async () => {
      const list = ["members", "list", `--endpoints=https://${m1.address}`, ...meFlags];
      return /^m2 +[0-9a-f]{16} +voter/m.test((await runQuorate(list)).stdout);
    });
    equal((await put(m1.client, "join/1", "before")).code, GrpcCode.Ok);
    await m2.kill();
    m2.start();
    await serves();
    const found = await eventually("a read at m2", async () => {
      const all = await getAll(m2.client, "join/");
      return typeof all === "string" ? null : all;
    });
    equal(found.get("join/1"), "before");
  }));

test("recover verify: an old member behind the peers' own authority is told, with their files", () =>
  showing(async () => {
    const recover = (...argv: readonly string[]): Promise<Ended> =>
      runQuorate(["recover", ...argv]);
    await Promise.all([m1.kill(), m2.kill()]);
    const path = join(cluster.folder, "plan.json");
    const planned = await recover("plan", m1.directory, "--dead=m2", `--out=${path}`);
    equal(planned.code, 0, planned.stderr);
    const word = /--confirm (lose-[0-9a-f]{4})/.exec(planned.stdout)?.[1] ?? "none";
    const applied = await recover("apply", path, `--confirm=${word}`);
    equal(applied.code, 0, applied.stderr);

    // What was dead returns, and nobody but verify is there to tell it.
    const boots = m2.log.filter((line) => line.includes('"msg":"log recovered"')).length;
    m2.start();
    await eventually(
      "m2 waits for a quorum",
      () => m2.log.filter((line) => line.includes('"msg":"log recovered"')).length > boots,
    );
    const at = ["verify", path, `https://${m1.address}`, "--timeout=5", ...meFlags];
    const missing = await recover(...at, `--peer-cert-file=${folder}/no`, `--peer-key-file=x`);
    equal(missing.code, 64);
    match(missing.stderr, /--peer-cert-file \S+ cannot be read: ENOENT/);
    const without = await recover(...at, "--timeout=1");
    equal(without.code, 1);
    match(without.stdout, /^! {2}m2 at https:\/\/\S+: something answers: /m);
    ok(m2.running, "it was not told");
    const told = await recover(...at, ...peerFlags("m1"));
    equal(told.code, 1, "m1 does not run");
    match(told.stdout, /^ok {2}m2 at \S+ is silent, since it (was told|hung up on being told)$/m);
    equal((await m2.ended()).code, 74);

    m1.start(["--initial-cluster-state=existing"]);
    await cluster.ready();
    const verified = await recover(...at, ...peerFlags("m1"));
    equal(verified.code, 0, verified.stdout);
    match(verified.stdout, /^ok {2}m2 at \S+ is silent$/m);
    match(verified.stdout, /^verified$/m);
  }));
