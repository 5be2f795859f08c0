// TLS on real members, called as operators and etcd's clients call them. Method: a cluster of three with
// certificates of an authority of the test's own, for clients and for peers, mutual on both; etcdctl and
// Quorate's commands beside it. Goal: everything works as without TLS for who has a certificate, nothing
// for who has not, and certificates change without a restart.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import tls from "node:tls";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { TestAuthority } from "@quorate/server/internal";
import { TestCluster } from "../../processes/cluster.ts";
import { plainEnvironment, runQuorate, toolVersion } from "../../processes/entry.ts";
import type { Ended } from "../../processes/entry.ts";
import { etcdMissing } from "../../processes/etcd-cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import { put } from "../../processes/kv-calls.ts";
import { TestMember } from "../../processes/member.ts";
import { freePorts } from "../../processes/ports.ts";
import { runTool } from "../../processes/run-tool.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED TLS with etcdctl: ${missing}\n\n`);
const skip = missing ?? false;
const noCurl = toolVersion("curl", "--version") === null;
if (noCurl) process.stderr.write("\nSKIPPED TLS with curl: it is not installed\n\n");

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
const authority = new TestAuthority(folder, "clients-ca");
const peerAuthority = new TestAuthority(folder, "peers-ca");
const hosts = ["127.0.0.1", "localhost"];
const alice = authority.issue("alice", { commonName: "alice" });
const revoked = authority.issue("revoked", { commonName: "alice" });
const list = authority.revoke("revoked-list", [revoked.made]);
for (const name of ["m1", "m2", "m3"]) {
  authority.issue(name, { commonName: name, hosts });
  peerAuthority.issue(`${name}-peer`, { commonName: name, hosts });
}

const grpcTls = {
  authorities: readFileSync(authority.file),
  certificate: readFileSync(alice.certificate),
  key: readFileSync(alice.key),
  verify: true,
};

function flagsOf(name: string): string[] {
  const path = (file: string): string => join(folder, `${file}.pem`);
  return [
    `--cert-file=${path(name)}`,
    `--key-file=${path(`${name}-key`)}`,
    "--client-cert-auth",
    `--trusted-ca-file=${authority.file}`,
    `--client-crl-file=${list}`,
    `--peer-cert-file=${path(`${name}-peer`)}`,
    `--peer-key-file=${path(`${name}-peer-key`)}`,
    "--peer-client-cert-auth",
    `--peer-trusted-ca-file=${peerAuthority.file}`,
  ];
}

let cluster: TestCluster;

before(async () => {
  cluster = await TestCluster.make({ tls: { client: grpcTls, peer: true, flagsOf } });
  cluster.start();
  await cluster.ready();
});

after(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
});

const aliceFlags = [
  `--cacert=${authority.file}`,
  `--cert=${alice.certificate}`,
  `--key=${alice.key}`,
];

function etcdctl(...argv: readonly string[]): Promise<Ended> {
  return run("etcdctl", ...argv);
}

async function run(command: string, ...argv: readonly string[]): Promise<Ended> {
  const { code, out, err } = await runTool(command, argv);
  return { code, stdout: out, stderr: err };
}

test(
  "etcdctl with --cacert, --cert and --key: put, get, transaction, members, status",
  { skip },
  async () => {
    const all = [`--endpoints=${cluster.endpoints}`, ...aliceFlags];
    deepEqual(await etcdctl(...all, "put", "a", "1"), { code: 0, stdout: "OK\n", stderr: "" });
    for (const { address } of cluster.members) {
      const got = await etcdctl(`--endpoints=${address}`, ...aliceFlags, "get", "a");
      deepEqual(got, { code: 0, stdout: "a\n1\n", stderr: "" });
    }
    const withScheme = cluster.members.map(({ address }) => `https://${address}`).join(",");
    const got = await etcdctl(`--endpoints=${withScheme}`, ...aliceFlags, "get", "a");
    deepEqual(got, { code: 0, stdout: "a\n1\n", stderr: "" });
    // Its client measures the connection by pings meanwhile.
    const large = "x".repeat(100_000);
    for (let n = 0; n < 12; n += 1) await etcdctl(...all, "put", `large/${n}`, large);
    const many = await etcdctl(...all, "get", "large/", "--prefix", "--print-value-only");
    deepEqual([many.code, many.stderr], [0, ""]);
    equal(many.stdout, `${large}\n`.repeat(12));
    const status = await etcdctl(...all, "endpoint", "status", "-w", "json");
    equal(status.code, 0, status.stderr);
    equal((JSON.parse(status.stdout) as unknown[]).length, 3);
    const health = await etcdctl(...all, "endpoint", "health");
    equal(health.code, 0, health.stderr);
    const members = await etcdctl(...all, "member", "list");
    for (const { address, peerPort } of cluster.members) {
      ok(
        members.stdout.includes(`https://127.0.0.1:${peerPort}, https://${address}`),
        members.stdout,
      );
    }
  },
);

test("etcdctl watch over TLS", { skip }, async () => {
  const [first, second] = cluster.members.map(({ address }) => `--endpoints=${address}`);
  const watch = spawn("etcdctl", [first!, ...aliceFlags, "watch", "--prefix", "w/"], {
    env: { ...plainEnvironment(), ETCDCTL_API: "3" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface({ input: watch.stdout }).on("line", (line) => lines.push(line));
  let puts = 0;
  await eventually("the watcher sees a put", async () => {
    puts += 1;
    await etcdctl(second!, ...aliceFlags, "put", `w/${puts}`, "x");
    return lines.length > 0;
  });
  await etcdctl(second!, ...aliceFlags, "put", "w/last", "y");
  await eventually(
    "the watcher sees the last put",
    () => lines.slice(-3).join() === "PUT,w/last,y",
  );
  watch.kill();
  await once(watch, "close");
});

test(
  "etcdctl without a certificate, with a revoked one, with the wrong authority, or plain",
  { skip },
  async () => {
    const { address } = cluster.members[0]!;
    const rows = [
      [`--cacert=${authority.file}`],
      [`--cacert=${authority.file}`, `--cert=${revoked.certificate}`, `--key=${revoked.key}`],
      [`--cacert=${peerAuthority.file}`, `--cert=${alice.certificate}`, `--key=${alice.key}`],
      [],
    ];
    for (const flags of rows) {
      const { code, stdout } = await etcdctl(
        `--endpoints=${address}`,
        ...flags,
        "--command-timeout=2s",
        "--dial-timeout=2s",
        "put",
        "never",
        "x",
      );
      deepEqual({ code, stdout }, { code: 1, stdout: "" }, flags.join(" "));
    }
    const none = await etcdctl(`--endpoints=${address}`, ...aliceFlags, "get", "never");
    equal(none.stdout, "");
  },
);

test("quorate's commands: by flags, by the environment, and without", async () => {
  const environment = {
    ETCDCTL_CACERT: authority.file,
    ETCDCTL_CERT: alice.certificate,
    ETCDCTL_KEY: alice.key,
    ETCDCTL_ENDPOINTS: cluster.endpoints,
  };
  const put = await runQuorate(["put", "q", "1"], environment);
  deepEqual(put, { code: 0, stdout: "OK\n", stderr: "" });
  const get = await runQuorate([
    "get",
    "q",
    `--endpoints=https://${cluster.members[1]!.address}`,
    ...aliceFlags,
  ]);
  deepEqual(get, { code: 0, stdout: "q\n1\n", stderr: "" });
  const status = await runQuorate(["status"], environment);
  equal(status.code, 0, status.stdout + status.stderr);
  for (const { name } of cluster.members) match(status.stdout, new RegExp(`^${name} `, "m"));
  const members = await runQuorate(["members", "list"], environment);
  equal(members.code, 0, members.stderr);
  const plain = await runQuorate([
    "get",
    "q",
    `--endpoints=https://${cluster.members[0]!.address}`,
  ]);
  equal(plain.code, 1);
  match(plain.stderr, /cannot reach https:\/\/127\.0\.0\.1:\d+: .*certificate/);
  const half = await runQuorate(["get", "q", `--cert=${alice.certificate}`]);
  equal(half.code, 64);
  match(half.stderr, /--cert and --key go together: --key is missing/);
  const skipping = await runQuorate([
    "get",
    "q",
    `--endpoints=${cluster.endpoints}`,
    "--insecure-skip-tls-verify",
    ...aliceFlags.slice(1),
  ]);
  deepEqual(skipping, { code: 0, stdout: "q\n1\n", stderr: "" });
});

function healthOf(member: TestMember): Promise<string> {
  return httpGet(member, "/health");
}

function httpGet(member: TestMember, path: string): Promise<string> {
  const { authorities: ca, certificate: cert, key } = grpcTls;
  const socket = tls.connect({ host: "127.0.0.1", port: member.clientPort, ca, cert, key });
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString("utf8")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n`);
  });
}

test("health and metrics on the same port; the metrics say when the certificates end", async () => {
  const member = cluster.members[0]!;
  match(await healthOf(member), /"health":"true"/);
  const metrics = await httpGet(member, "/metrics");
  for (const use of ["client", "peer"]) {
    const line = new RegExp(
      `^quorate_tls_certificate_expiry_seconds\\{use="${use}"\\} (\\d+)`,
      "m",
    );
    const days = Number(line.exec(metrics)?.[1]) / 86_400;
    ok(days > 364 && days <= 365, `${use}: ${days}`);
  }
});

test(
  "curl with a certificate: the gateway, and a port of its own for metrics",
  { skip: noCurl },
  async () => {
    const port = await freePorts(1);
    const pair = [`--cacert`, authority.file, "--cert", alice.certificate, "--key", alice.key];
    const { address } = cluster.members[0]!;
    const body = JSON.stringify({ key: btoa("by-curl"), value: btoa("1") });
    const written = await run("curl", "-sS", ...pair, `https://${address}/v3/kv/put`, "-d", body);
    equal(written.code, 0, written.stderr);
    match(written.stdout, /"revision":"\d+"/);
    const refused = await run("curl", "-sS", pair[0]!, pair[1]!, `https://${address}/health`);
    notEqual(refused.code, 0);
    const watched = await TestCluster.make({
      size: 1,
      flags: [`--listen-metrics-urls=https://127.0.0.1:${port}`],
      tls: { client: grpcTls, peer: true, flagsOf },
    });
    try {
      watched.start();
      await watched.ready();
      const metrics = await run("curl", "-sS", ...pair, `https://127.0.0.1:${port}/metrics`);
      match(metrics.stdout, /^etcd_server_has_leader 1$/m);
    } finally {
      await watched.close();
    }
  },
);

function shownBy(port: number): Promise<string> {
  const { authorities: ca, certificate: cert, key } = grpcTls;
  const socket = tls.connect({ host: "127.0.0.1", port, ca, cert, key });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
  });
}

test("new certificates for clients and peers: same processes, and new connections use them", async () => {
  const pids = cluster.members.map(({ pid }) => pid);
  const before = await Promise.all(cluster.members.map(({ clientPort }) => shownBy(clientPort)));
  for (const { name } of cluster.members) {
    authority.issue(name, { commonName: name, hosts });
    peerAuthority.issue(`${name}-peer`, { commonName: name, hosts });
  }
  await eventually("all present the new ones", async () => {
    const now = await Promise.all(cluster.members.map(({ clientPort }) => shownBy(clientPort)));
    return now.every((serial, at) => serial !== before[at]);
  });
  for (const member of cluster.members) {
    await eventually(`${member.name} has read both`, () => {
      const read = member.log.filter((line) => line.includes("TLS files have changed: new"));
      return ["client", "peer"].every((use) =>
        read.some((line) => line.includes(`"use":"${use}"`)),
      );
    });
  }
  equal((await put(cluster.members[0]!.client, "rotated", "1")).code, GrpcCode.Ok);
  deepEqual(
    cluster.members.map(({ pid }) => pid),
    pids,
  );
  // A member that comes back shows the new certificate to the others, and sees theirs.
  const member = cluster.members[2]!;
  await member.kill();
  member.start();
  await cluster.ready();
  notEqual(await shownBy(member.clientPort), before[2]);
});

/** A process in the place of the third member, whose own is stopped. */
async function inPlaceOfThird(flags: readonly string[]): Promise<TestMember> {
  const { name, clientPort, peerPort, directory } = cluster.members[2]!;
  await cluster.members[2]!.kill();
  const impostor = new TestMember({ name, clientPort, peerPort, directory }, flags, grpcTls);
  impostor.start();
  return impostor;
}

test("a peer with a foreign certificate, and one without TLS, are refused; the logs say why", async () => {
  const foreign = new TestAuthority(folder, "foreign-ca");
  const pair = foreign.issue("foreign", { commonName: "m3", hosts });
  const { flags } = cluster.members[2]!;
  const foreignFlags = [
    ...flags,
    `--peer-cert-file=${pair.certificate}`,
    `--peer-key-file=${pair.key}`,
  ];
  // All of the cluster's peer URLs as they would be without TLS, and a directory of its own.
  const plainFlags = [
    ...flags
      .filter((flag) => !flag.startsWith("--peer-"))
      .map((flag) =>
        /peer-urls|initial-cluster=/.test(flag) ? flag.replaceAll("https:", "http:") : flag,
      ),
    `--data-dir=${join(folder, "plain")}`,
  ];
  const rows = [
    { flags: foreignFlags, why: /not signed by a trusted authority/ },
    { flags: plainFlags, why: /it does not speak TLS/ },
  ];
  for (const row of rows) {
    const [one, two] = cluster.members.slice(0, 2) as [TestMember, TestMember];
    const seen = [one.log.length, two.log.length];
    const impostor = await inPlaceOfThird(row.flags);
    try {
      for (const [at, member] of [one, two].entries()) {
        await eventually(`${member.name} refuses it: ${row.why.source}`, () =>
          member.log
            .slice(seen[at])
            .some((line) => /rejected connec/.test(line) && row.why.test(line)),
        );
        await eventually(`${member.name} does not accept it where it dials`, () =>
          member.log
            .slice(seen[at])
            .some((line) => line.includes("the dialled side is not accepted")),
        );
      }
      // The two that are left go on without it.
      equal((await put(one.client, "without-it", "1")).code, GrpcCode.Ok);
      equal((await impostor.status())?.leader ?? "", "");
    } finally {
      await impostor.kill();
      impostor.client.close();
    }
  }
  cluster.members[2]!.start();
  await cluster.ready();
});

test("one of three with certificates that it makes for itself: what it promises, and what it does not", async () => {
  const auto = await TestCluster.make({
    size: 1,
    tls: {
      client: { ...grpcTls, authorities: null, verify: false },
      peer: true,
      flagsOf: () => ["--auto-tls", "--peer-auto-tls"],
    },
  });
  try {
    auto.start();
    await auto.ready();
    const member = auto.members[0]!;
    equal((await put(member.client, "a", "1")).code, GrpcCode.Ok);
    const cert = join(member.directory, "fixtures", "client", "cert.pem");
    const key = join(member.directory, "fixtures", "client", "key.pem");
    equal(statSync(key).mode & 0o777, 0o600);
    statSync(join(member.directory, "fixtures", "peer", "cert.pem"));
    // Who trusts this very certificate sees who is there; who does not is told.
    const pinned = new GrpcClient(`https://${member.address}`, {
      ...grpcTls,
      authorities: readFileSync(cert),
      certificate: null,
      key: null,
    });
    equal((await put(pinned, "a", "2")).code, GrpcCode.Ok);
    pinned.close();
    const other = new GrpcClient(`https://${member.address}`, grpcTls);
    equal((await put(other, "a", "3")).code, GrpcCode.Unavailable);
    other.close();
    const kept = readFileSync(cert, "utf8");
    await member.stop();
    member.start();
    await auto.ready();
    equal(readFileSync(cert, "utf8"), kept);
  } finally {
    await auto.close();
  }
});

test("wrong files end a member with 64 and one line that names the flag", async () => {
  const port = await freePorts(1);
  const serve = (...flags: string[]): Promise<Ended> =>
    runQuorate([
      "serve",
      `--data-dir=${join(folder, "wrong")}`,
      `--listen-client-urls=https://127.0.0.1:${port}`,
      `--advertise-client-urls=https://127.0.0.1:${port}`,
      `--listen-peer-urls=http://127.0.0.1:${port + 1}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${port + 1}`,
      "--initial-cluster",
      `default=http://127.0.0.1:${port + 1}`,
      "--log-format=json",
      ...flags,
    ]);
  const none = await serve();
  equal(none.code, 64);
  match(none.stderr, /TLS key\/cert \(--cert-file, --key-file\) must be provided for client url/);
  const foreignKey = await serve(`--cert-file=${alice.certificate}`, `--key-file=${revoked.key}`);
  equal(foreignKey.code, 64);
  match(foreignKey.stderr, /--key-file \S+ is not the key of the certificate --cert-file/);
  const weak = await serve(
    `--cert-file=${alice.certificate}`,
    `--key-file=${alice.key}`,
    "--cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA",
  );
  equal(weak.code, 64);
  match(weak.stderr, /--cipher-suites: "TLS_RSA_WITH_AES_128_CBC_SHA" is weak and not spoken here/);
});
