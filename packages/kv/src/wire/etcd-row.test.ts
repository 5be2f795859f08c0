// Rows as etcd keeps them: the worked example, and that what was encoded decodes to the same and takes
// as many bytes as was said.
import test from "node:test";
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert";
import { latin1Encode, must, Prng, toHex } from "@quorate/base";
import { Row } from "../rows.ts";
import {
  decodeEtcdRow,
  decodeRevisionKey,
  encodeRevisionKey,
  EtcdRowEncoder,
  etcdRowBytes,
} from "./etcd-row.ts";

const encoder = new EtcdRowEncoder();

/** Main, sub, tombstone; create revision, version; lease; key and value. */
function row(
  [main, sub, tombstone]: readonly [number, number, boolean],
  [createRevision, version]: readonly [number, number],
  [high, low]: readonly [number, number],
  [key, value]: readonly [string, string],
): Row {
  const bytes = [latin1Encode(key), latin1Encode(value)] as const;
  return new Row(main, sub, tombstone, createRevision, version, high, low, main, 0, 0, ...bytes);
}

test("the example of the file's header, and a row that etcd 3.4 wrote", () => {
  const tombstone = row([3, 1, true], [0, 0], [0, 0], ["k", ""]);
  equal(toHex(encodeRevisionKey(tombstone)), "00000000000000035f000000000000000174");
  equal(toHex(encoder.encode(tombstone)), "0a016b");
  // etcdctl put a b, as its fourth revision.
  const put = row([4, 0, false], [4, 1], [0, 0], ["a", "b"]);
  equal(toHex(encodeRevisionKey(put)), "00000000000000045f0000000000000000");
  equal(toHex(encoder.encode(put)), "0a01611004180420012a0162");
});

test("any row comes back as it was, in as many bytes as was said", () => {
  const random = new Prng("etcd rows");
  const upTo = (bits: number): number => random.below(2 ** (1 + random.below(bits)));
  for (let n = 0; n < 2000; n++) {
    const main = 1 + upTo(52);
    const tombstone = random.below(4) === 0;
    const key = "k".repeat(1 + random.below(300));
    const one = tombstone
      ? row([main, upTo(31), true], [0, 0], [0, 0], [key, ""])
      : row(
          [main, upTo(31), false],
          [1 + random.below(main), 1 + upTo(52)],
          [upTo(31), upTo(31)],
          [key, "v".repeat(upTo(15))],
        );
    const value = encoder.encode(one);
    equal(etcdRowBytes(one), value.length);
    const revision = must(decodeRevisionKey(encodeRevisionKey(one)), "a revision key");
    deepEqual(decodeEtcdRow(revision, value, main), one);
  }
});

test("what is no row of etcd's is refused", () => {
  const put = row([7, 0, false], [5, 2], [0, 0], ["foo", "bar"]);
  const key = encodeRevisionKey(put);
  const value = encoder.encode(put);
  const change = (at: number, byte: number): Uint8Array => key.with(at, byte);
  for (const bad of [
    key.subarray(0, 16),
    change(8, 0x60),
    change(0, 0x20),
    change(10, 1),
    new Uint8Array([...key, 0x75]),
  ]) {
    equal(decodeRevisionKey(bad), null, toHex(bad));
  }
  const revision = must(decodeRevisionKey(key), "a revision key");
  const refused = (...fields: Parameters<typeof row>): void => {
    equal(decodeEtcdRow(revision, encoder.encode(row(...fields)), 7), null);
  };
  refused([8, 0, false], [5, 2], [0, 0], ["foo", "bar"]);
  refused([7, 0, false], [8, 1], [0, 0], ["foo", "bar"]);
  refused([7, 0, false], [0, 1], [0, 0], ["foo", "bar"]);
  refused([7, 0, false], [5, 0], [0, 0], ["foo", "bar"]);
  refused([7, 0, false], [5, 2], [0, 0], ["", "bar"]);
  equal(decodeEtcdRow(revision, value.subarray(0, value.length - 1), 7), null);
  equal(decodeEtcdRow(revision, new Uint8Array([...value, 0x0d, 0, 0, 0, 0]), 7), null);
});
