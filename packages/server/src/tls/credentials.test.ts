// Method: the files are changed under running listeners. Goal: new connections use what is new, those
// present go on, nothing that cannot be used is taken up, and what is about to end is said.
import { deepEqual, equal, match, notEqual, ok, throws } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import tls from "node:tls";
import { Registry } from "prom-client";
import { TlsFileError } from "./files.ts";
import type { SelfSigned, TlsOptions } from "./options.ts";
import { logLines } from "./testing/lines.ts";
import type { Line } from "./testing/lines.ts";
import { TestAuthority } from "./testing/test-authority.ts";
import { tlsOptions } from "./testing/tls-options.ts";
import { addTlsMetrics } from "./tls-metrics.ts";
import { TlsSide } from "./tls-side.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
const closers: (() => void)[] = [];
after(() => {
  closers.forEach((close) => close());
  rmSync(folder, { recursive: true });
});
const authority = new TestAuthority(folder);
const hosts = ["127.0.0.1"];

interface Running {
  readonly side: TlsSide;
  readonly lines: Line[];
  readonly port: number;
}

async function run(options: Partial<TlsOptions> & Pick<TlsOptions, "own">): Promise<Running> {
  const { logger, lines } = logLines();
  const side = new TlsSide(tlsOptions({ use: "client", ...options }), logger);
  side.open();
  const server = net.createServer((socket) =>
    side.handshakes.accept(socket, (good) => good.pipe(good)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    side.credentials.close();
    server.close();
  });
  return { side, lines, port: (server.address() as net.AddressInfo).port };
}

async function connect(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const ca = readFileSync(authority.file);
  const socket = tls.connect({ host: "127.0.0.1", port, ca, ...options });
  closers.push(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

/** The serial of what a new connection is shown. */
async function shown(port: number): Promise<string> {
  const socket = await connect(port);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber.toLowerCase();
}

async function echoes(socket: tls.TLSSocket): Promise<boolean> {
  const answer = Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.write("x");
  return String((await answer)[0]) === "x";
}

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await check()); tries += 1) {
    if (tries > 1000) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const serialOf = ({ made }: { made: { serial: Uint8Array } }): string =>
  Buffer.from(made.serial).toString("hex");

test("new files: new connections are shown the new certificate, the present one goes on", async () => {
  const before = authority.issue("rotated", { hosts });
  const { port, lines } = await run({ own: before });
  const present = await connect(port);
  equal(await shown(port), serialOf(before));
  const next = authority.issue("rotated", { hosts });
  await eventually(async () => (await shown(port)) === serialOf(next));
  ok(await echoes(present));
  equal(present.getPeerCertificate().serialNumber.toLowerCase(), serialOf(before));
  ok(lines.some(({ msg }) => msg === "TLS files have changed: new connections use them"));
});

test("files behind a link that is moved, as mounted secrets are", async () => {
  const [a, b] = [join(folder, "data-a"), join(folder, "data-b")];
  const links = join(folder, "secret");
  mkdirSync(a);
  mkdirSync(b);
  const before = new TestAuthority(a).issue("tls", { hosts });
  const next = authority.issue("for-link", { hosts });
  copyFileSync(next.certificate, join(b, "tls.pem"));
  copyFileSync(next.key, join(b, "tls-key.pem"));
  symlinkSync(a, links);
  const own = { certificate: join(links, "tls.pem"), key: join(links, "tls-key.pem") };
  const { side } = await run({ own });
  equal(side.credentials.expiresMs! > Date.now(), true);
  const old = side.credentials.listening.cert;
  symlinkSync(b, `${links}-new`);
  renameSync(`${links}-new`, links);
  await eventually(() => side.credentials.listening.cert !== old);
  notEqual(serialOf(before), serialOf(next));
  const cert = side.credentials.listening.cert as Buffer;
  equal(new X509Certificate(cert).serialNumber.toLowerCase(), serialOf(next));
});

test("files that cannot be used, or not yet: the ones from before stay, and it is said once", async () => {
  const before = authority.issue("broken", { hosts });
  const { port, lines } = await run({ own: before });
  const problems = (): Line[] =>
    lines.filter(({ msg }) => msg.startsWith("changed TLS files cannot"));
  writeFileSync(before.certificate, "half of a cert");
  await eventually(() => problems().length === 1);
  equal(
    problems()[0]!["problem"],
    `--cert-file ${before.certificate}: no certificate in it (PEM is expected)`,
  );
  equal(await shown(port), serialOf(before));
  // The new certificate is there, its key is not yet.
  const next = authority.issue("broken-next", { hosts });
  copyFileSync(next.certificate, before.certificate);
  await eventually(() => problems().length === 2);
  match(
    String(problems()[1]!["problem"]),
    /^--key-file .* is not the key of the certificate --cert/,
  );
  equal(await shown(port), serialOf(before));
  copyFileSync(next.key, before.key);
  await eventually(async () => (await shown(port)) === serialOf(next));
  equal(problems().length, 2);
});

test("a certificate that is revoked while the member runs is refused from then on", async () => {
  const own = authority.issue("server", { hosts });
  const alice = authority.issue("alice", { commonName: "alice" });
  const list = authority.revoke("list", []);
  const { port } = await run({ own, authorities: authority.file, revoked: list });
  const pair = { cert: readFileSync(alice.certificate), key: readFileSync(alice.key) };
  ok(await echoes(await connect(port, pair)));
  authority.revoke("list", [alice.made]);
  await eventually(async () => !(await echoes(await connect(port, pair))));
});

test("an authority that is taken away while the member runs: its certificates are refused", async () => {
  const own = authority.issue("server-2", { hosts });
  const alice = authority.issue("alice-2", { commonName: "alice" });
  const trusted = join(folder, "trusted.pem");
  copyFileSync(authority.file, trusted);
  const { port } = await run({ own, authorities: trusted });
  const pair = { cert: readFileSync(alice.certificate), key: readFileSync(alice.key) };
  ok(await echoes(await connect(port, pair)));
  copyFileSync(new TestAuthority(folder, "others").file, trusted);
  await eventually(async () => !(await echoes(await connect(port, pair))));
});

test("what ends soon, and what has ended, is said and measured", async () => {
  const rows = [
    { daysLeft: 60, line: null },
    { daysLeft: 13, line: "the TLS certificate expires soon" },
    { daysLeft: -1, line: "the TLS certificate has expired" },
  ];
  for (const { daysLeft, line } of rows) {
    const { side, lines } = await run({
      own: authority.issue(`days${daysLeft}`, { hosts, daysLeft }),
    });
    equal(lines.find(({ level }) => level >= 40)?.msg ?? null, line);
    const registry = new Registry();
    addTlsMetrics(registry, [side]);
    const text = await registry.metrics();
    const match = /^quorate_tls_certificate_expiry_seconds\{use="client"\} (-?[0-9.]+)$/m.exec(
      text,
    );
    const days = Number(match?.[1]) / 86_400;
    ok(Math.abs(days - daysLeft) < 0.1, text);
    ok(text.includes('quorate_tls_refused_connections_total{use="client"} 0'));
  }
});

test("wrong files at the start: each with its line", () => {
  const good = authority.issue("good", { hosts });
  const other = authority.issue("other", { hosts });
  const empty = join(folder, "empty.pem");
  writeFileSync(empty, "");
  const missing = join(folder, "missing.pem");
  const rows: readonly (readonly [Partial<TlsOptions>, string])[] = [
    [
      { own: { ...good, key: other.key } },
      `--key-file ${other.key} is not the key of the certificate --cert-file ${good.certificate}`,
    ],
    [{ own: { ...good, certificate: missing } }, `--cert-file ${missing} cannot be read: ENOENT`],
    [
      { own: { ...good, key: good.certificate } },
      `--key-file ${good.certificate}: no private key in it (PEM is expected)`,
    ],
    [
      { own: good, authorities: empty },
      `--trusted-ca-file ${empty}: no certificate in it (PEM is expected)`,
    ],
    [
      { own: good, revoked: empty },
      `--client-crl-file ${empty}: no list of revoked certificates in it, in PEM or DER (tag -1 where 48 was expected)`,
    ],
    [
      { use: "peer", own: good, dialling: { ...good, certificate: empty } },
      `--peer-client-cert-file ${empty}: no certificate in it (PEM is expected)`,
    ],
  ];
  for (const [options, message] of rows) {
    const { logger } = logLines();
    const side = new TlsSide(tlsOptions({ use: "client", own: good, ...options }), logger);
    throws(() => side.open(), new TlsFileError(message), message);
  }
});

test("auto TLS: a certificate of its own, for its hosts, that only this user can read, kept", async () => {
  const directory = join(folder, "data", "fixtures", "client");
  const own: SelfSigned = { directory, hosts: ["127.0.0.1", "localhost"], years: 2 };
  const { port, lines } = await run({ own });
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  deepEqual(
    [cert, key].map((path) => statSync(path).mode & 0o777),
    [0o600, 0o600],
  );
  equal(statSync(directory).mode & 0o777, 0o700);
  const made = new X509Certificate(readFileSync(cert));
  equal(made.subjectAltName, "IP Address:127.0.0.1, DNS:localhost");
  const years = (Date.parse(made.validTo) - Date.parse(made.validFrom)) / 86_400_000 / 365;
  equal(years, 2);
  ok(lines.some(({ msg }) => msg.startsWith("a certificate of its own was made")));
  // Who trusts this very certificate knows who is there.
  const pinned = await connect(port, { ca: readFileSync(cert) });
  ok(pinned.authorized);
  const again = await run({ own });
  equal(new X509Certificate(readFileSync(cert)).serialNumber, made.serialNumber);
  equal(again.lines.length, 0);
});

test("auto TLS: one that has ended, or whose key is missing, is made anew", async () => {
  const directory = join(folder, "ended");
  mkdirSync(directory);
  const ended = authority.issue("ended", { hosts, daysLeft: -1 });
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  copyFileSync(ended.certificate, cert);
  copyFileSync(ended.key, key);
  const own: SelfSigned = { directory, hosts, years: 1 };
  await run({ own });
  const first = new X509Certificate(readFileSync(cert));
  ok(Date.parse(first.validTo) > Date.now());
  rmSync(key);
  await run({ own });
  notEqual(new X509Certificate(readFileSync(cert)).serialNumber, first.serialNumber);
});
