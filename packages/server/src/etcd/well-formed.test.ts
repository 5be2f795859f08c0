// Which bytes are a message of a type, in rows: what an encoder writes, what it may, and what none may.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { etcd } from "@quorate/proto";
import { isWellFormed } from "./well-formed.ts";

function is(hex: string): boolean {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  return isWellFormed(etcd.MemberAddRequestSchema, bytes);
}

test("what an encoder writes is well formed, nested and repeated too", () => {
  const alarm = create(etcd.AlarmRequestSchema, { memberID: 2n ** 64n - 1n, alarm: 1 });
  equal(isWellFormed(etcd.AlarmRequestSchema, toBinary(etcd.AlarmRequestSchema, alarm)), true);
  const watch = create(etcd.WatchRequestSchema, {
    requestUnion: { case: "createRequest", value: { key: Uint8Array.of(1), filters: [0, 1] } },
  });
  equal(isWellFormed(etcd.WatchRequestSchema, toBinary(etcd.WatchRequestSchema, watch)), true);
});

test("unknown fields of every kind, any order, long numbers: well formed", () => {
  for (const hex of ["", "10 01 0a 01 61", "10 80 00", "c03e 05", "c23e 01 ff", "c53e 00000000"]) {
    equal(is(hex), true, hex);
  }
  equal(is("c13e 0000000000000000 c33e 08 01 c43e"), true);
});

test("a known field of another wire type is not, nested or not", () => {
  for (const hex of ["08 01", "12 00", "12 01 01", "15 00000000", "0b 0c"]) {
    equal(is(hex), false, hex);
  }
  const nested = Uint8Array.of(0x0a, 2, 0x08, 1); // create_request.key as a varint
  equal(isWellFormed(etcd.WatchRequestSchema, nested), false);
});

test("what ends too early, field 0, wire types 6 and 7, lost groups, eleven bytes: not", () => {
  const eleven = "ffffffffffffffffffff01";
  for (const hex of [
    "0a",
    "0a 05 61",
    "10",
    "10 80",
    "c53e 00",
    "00 01",
    "c63e",
    "c73e",
    "c43e",
    "c33e 08 01",
    `10 ${eleven}`,
    `c03e ${eleven}`,
    eleven,
  ]) {
    equal(is(hex), false, hex);
  }
});
