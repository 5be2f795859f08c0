// The tables file: both parts back as they went in, the shared part alone, no damaged byte taken.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";
import { assert, crc32c, latin1Encode } from "@quorate/base";
import { TableRecord } from "@quorate/kv";
import { testPeer } from "../testing/test-member.ts";
import { decodeTables, decodeTablesFile, encodeTables, encodeTablesFile } from "./tables-file.ts";

const info = {
  id: 2 ** 52 - 3,
  index: 77,
  term: 5,
  tables: [
    new TableRecord("lease", latin1Encode("some leases")),
    new TableRecord("empty", new Uint8Array(0)),
    new TableRecord("large", new Uint8Array(9000).fill(3)),
  ],
};
const peers = [testPeer(5, 9), testPeer(6, 1)];

test("tables and peers come back; the shared part stands alone and is whole blocks", () => {
  const bytes = encodeTablesFile(info, peers);
  const file = decodeTablesFile(bytes);
  if (typeof file === "string") throw new Error(file);
  deepEqual(file.info, info);
  deepEqual(file.peers, peers);
  equal(file.sharedBytes, 12_288);
  equal(bytes.length, 16_384);
  const shared = bytes.subarray(0, file.sharedBytes);
  equal(file.sharedCrc, crc32c(shared));
  deepEqual(decodeTables(shared), info);
  deepEqual(encodeTables(info), shared.slice(), "equal on every member");
});

test("an empty checkpoint", () => {
  const empty = { id: 1, index: 1, term: 1, tables: [] };
  const file = decodeTablesFile(encodeTablesFile(empty, []));
  ok(typeof file !== "string");
  deepEqual(file.info, empty);
});

test("a flipped bit in either part, a cut, a missing part: a line that says where", () => {
  const bytes = encodeTablesFile({ ...info, tables: info.tables.slice(0, 2) }, peers);
  const ends = [24 + 28 + 18 + 7, 4096 + 24 + 4 + 48];
  for (const [from, to] of [
    [0, ends[0]!],
    [4096, ends[1]!],
  ] as const) {
    for (let at = from; at < to; at++) {
      bytes[at]! ^= 0x10;
      equal(typeof decodeTablesFile(bytes), "string", `byte ${at}`);
      bytes[at]! ^= 0x10;
    }
  }
  const cut = decodeTablesFile(bytes.subarray(0, 4096));
  assert(typeof cut === "string", "a cut file is refused");
  ok(cut.startsWith("offset 4096: peers:"), cut);
  equal(typeof decodeTablesFile(bytes.subarray(0, 40)), "string");
  equal(typeof decodeTables(new Uint8Array(0)), "string");
});
