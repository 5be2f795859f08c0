// Method: certificates and lists of ours are read by OpenSSL (the platform's X509Certificate), and by our
// own reader. Goal: what is written says what was asked for, in a form that others take.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "./certificate.ts";
import { DerReader, Tag, time, timeOf } from "./der.ts";
import { ipBytes } from "./ip-address.ts";
import { parseRevocationLists } from "./revocation-list.ts";
import { TestAuthority } from "./testing/test-authority.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
after(() => rmSync(folder, { recursive: true }));

const hosts = ["127.0.0.1", "::1", "fe80::1:2", "localhost", "*.example.org"];

test("a self-signed certificate: names, addresses, times and use as asked", () => {
  const { certificate, serial, key } = makeCertificate({
    organization: "quorate",
    commonName: "üser",
    hosts,
    notBeforeMs: Date.UTC(2026, 0, 1),
    notAfterMs: Date.UTC(2051, 0, 1),
    usages: ["server"],
    issuer: null,
    authority: false,
  });
  const read = new X509Certificate(certificate);
  equal(read.subject, "O=quorate\nCN=üser");
  equal(read.issuer, read.subject);
  equal(read.validFrom, "Jan  1 00:00:00 2026 GMT");
  equal(read.validTo, "Jan  1 00:00:00 2051 GMT");
  equal(read.serialNumber.toLowerCase(), Buffer.from(serial).toString("hex"));
  deepEqual(read.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  equal(read.ca, false);
  ok(read.verify(read.publicKey));
  equal(read.checkIP("::1"), "::1");
  equal(read.checkIP("fe80::1:2"), "fe80::1:2");
  equal(read.checkIP("127.0.0.2"), undefined);
  equal(read.checkHost("a.example.org"), "*.example.org");
  ok(key.startsWith("-----BEGIN EC PRIVATE KEY-----"));
});

test("an authority's certificates are its own, and nobody else's", () => {
  const [ours, theirs] = [new TestAuthority(folder, "ours"), new TestAuthority(folder, "theirs")];
  const root = new X509Certificate(makeRoot(ours));
  const leaf = new X509Certificate(ours.make({ commonName: "m1", hosts }).certificate);
  ok(leaf.verify(root.publicKey));
  ok(leaf.checkIssued(root));
  ok(root.ca);
  equal(leaf.verify(new X509Certificate(makeRoot(theirs)).publicKey), false);
});

function makeRoot(authority: TestAuthority): Buffer {
  return readFileSync(authority.file);
}

test("a list of revoked certificates: those on it, in PEM and DER, one list or several", () => {
  const authority = new TestAuthority(folder);
  const [a, b, c] = [authority.make({}), authority.make({}), authority.make({})];
  const serialOf = (made: { certificate: string }): string =>
    new X509Certificate(made.certificate).serialNumber;
  const binary = parseRevocationLists(authority.list([a, b]));
  deepEqual(
    [binary.has(serialOf(a)), binary.has(serialOf(b)), binary.has(serialOf(c))],
    [true, true, false],
  );
  ok(binary.nextUpdateMs > Date.now());
  const texts = [authority.revoke("l1", [a]), authority.revoke("l2", [c])].map((path) =>
    readFileSync(path),
  );
  const both = parseRevocationLists(Buffer.concat(texts));
  deepEqual(
    [both.has(serialOf(a)), both.has(serialOf(b)), both.has(serialOf(c))],
    [true, false, true],
  );
  equal(parseRevocationLists(authority.list([])).size, 0);
});

test("a serial is the same with and without zeros before it, in either case", () => {
  const list = parseRevocationLists(new TestAuthority(folder).list([madeWith([0, 0, 0x0a, 0xbc])]));
  ok(list.has("0ABC"));
  ok(list.has("abc"));
  equal(list.has("ab"), false);
});

function madeWith(serial: readonly number[]): ReturnType<TestAuthority["make"]> {
  return { ...new TestAuthority(folder).make({}), serial: Buffer.from(serial) };
}

test("every cut and every changed byte of a list: read or refused, never a crash or a hang", () => {
  const authority = new TestAuthority(folder);
  const whole = authority.list([authority.make({}), authority.make({})]);
  for (let length = 0; length < whole.length; length += 1) {
    throws(() => parseRevocationLists(whole.subarray(0, length)), Error, `cut at ${length}`);
  }
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0xff;
    try {
      parseRevocationLists(changed);
    } catch (error) {
      ok(error instanceof Error);
    }
  }
});

test("files that are no list are refused", () => {
  throws(() => parseRevocationLists(Buffer.from("nonsense")), Error);
  const certificate = new TestAuthority(folder).make({}).certificate;
  throws(() => parseRevocationLists(Buffer.from(certificate)), /no list of revoked/);
});

test("times: two digits of the year up to 2049, four from 2050 on, and back", () => {
  for (const ms of [
    Date.UTC(1999, 11, 31),
    Date.UTC(2049, 11, 31, 23, 59, 59),
    Date.UTC(2050, 0),
  ]) {
    const reader = new DerReader(time(ms));
    const element = reader.next();
    equal(element.tag, ms < Date.UTC(2050, 0) ? Tag.UtcTime : Tag.GeneralizedTime);
    equal(timeOf(element), ms);
  }
});

test("addresses as bytes", () => {
  equal(ipBytes("10.0.0.255").toString("hex"), "0a0000ff");
  equal(ipBytes("::").toString("hex"), "0".repeat(32));
  equal(ipBytes("2001:db8::1").toString("hex"), "20010db8000000000000000000000001");
  equal(ipBytes("::ffff:127.0.0.1").toString("hex"), `${"0".repeat(20)}ffff7f000001`);
});
