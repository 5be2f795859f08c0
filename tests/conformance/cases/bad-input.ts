// What no honest client sends: wrong paths, broken frames, oversize, strange encodings, random bytes,
// and strings that are no UTF-8. The right status each, nothing written, the next call served.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { randomBytes, validMessage, withUnknownFields } from "../suite/bad-messages.ts";
import type { Case } from "../suite/case.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { answerTimeoutMs, pathOf } from "../wire/wire-client.ts";
import type { Metadata } from "../wire/wire-client.ts";
import { framed } from "../wire/wire-call.ts";
import type { CallEnd } from "../wire/wire-call.ts";
import { malformedCase, sendRaw, stateOf } from "./malformed.ts";

const { KV, Cluster, Maintenance } = etcd;
const { range, put, deleteRange, txn, compact } = KV.method;
const { memberAdd, memberList, memberPromote, memberRemove, memberUpdate } = Cluster.method;
const rangePath = pathOf(range);
const putPath = pathOf(put);
const plainRange = toBinary(
  etcd.RangeRequestSchema,
  create(etcd.RangeRequestSchema, { key: bytes("a") }),
);

async function sendChunks(
  trial: Trial,
  path: string,
  chunks: readonly Uint8Array[],
  headers: Metadata = {},
): Promise<CallEnd> {
  const call = trial.wire.raw(path, headers);
  for (const chunk of chunks) call.write(chunk);
  call.halfClose();
  return call.ended(answerTimeoutMs);
}

/** A put of this case's key "a" with this value, as honest bytes. */
function putBytes(trial: Trial, value: Uint8Array): Uint8Array {
  return toBinary(
    etcd.PutRequestSchema,
    create(etcd.PutRequestSchema, { key: trial.key("a"), value }),
  );
}

async function valueOfA(trial: Trial): Promise<string> {
  const { kvs } = await trial.ok(range, { key: trial.key("a") });
  return kvs.map((row) => text(row.value)).join();
}

export const badInputCases: readonly Case[] = [
  {
    rule: "E-BAD",
    name: "a path that names no service or no method",
    run: async (trial) => {
      const paths = [
        "/etcdserverpb.KV/Nope",
        "/etcdserverpb.KV/range",
        "/etcdserverpb.KV/Range?x=1",
        "/etcdserverpb.Nope/Range",
        "/etcdserverpb.kv/Range",
        "/a/etcdserverpb.KV/Range",
        "//etcdserverpb.KV/Range",
        "/etcdserverpb.KV/Range/",
        `/${"x".repeat(3000)}/Range`,
      ];
      for (const path of paths) {
        const end = await sendRaw(trial, path, plainRange);
        equal(end.code, 12, path);
      }
      const { text: method } = await sendRaw(trial, paths[0]!, plainRange);
      equal(method, "unknown method Nope for service etcdserverpb.KV");
      const { text: service } = await sendRaw(trial, paths[3]!, plainRange);
      const words = {
        etcd: "unknown service etcdserverpb.Nope",
        quorate: "unknown method Range for service etcdserverpb.Nope",
      };
      equal(service, trial.differs("X-wire-status", words));
      const status = trial.differs("X-wire-status", { etcd: 8, quorate: 12 });
      for (const path of ["/", "/nope"]) {
        equal((await sendRaw(trial, path, plainRange)).code, status);
      }
    },
  },
  {
    rule: "E-BAD",
    name: "a request that is not gRPC at all",
    run: async (trial) => {
      for (const headers of [{ "content-type": "application/json" }, { "content-type": "" }]) {
        const end = await sendChunks(trial, rangePath, [framed(plainRange)], headers);
        equal(end.code, -1);
        notEqual(end.httpStatus, 200);
      }
      for (const type of ["application/grpc", "application/grpc+proto"]) {
        const headers = { "content-type": type };
        equal((await sendChunks(trial, rangePath, [framed(plainRange)], headers)).code, 0);
      }
    },
  },
  {
    rule: "E-BAD",
    name: "no message, half a prefix, half a message; a message in many pieces is one",
    run: async (trial) => {
      const whole = framed(plainRange);
      const broken = trial.differs("X-wire-status", { etcd: 2, quorate: 13 });
      for (const cut of [0, 1, 4, 5, whole.length - 1]) {
        const end = await sendChunks(trial, rangePath, cut === 0 ? [] : [whole.subarray(0, cut)]);
        equal(end.code, broken, `${cut} bytes: ${end.text}`);
      }
      const pieces = Array.from(whole, (_, at) => whole.subarray(at, at + 1));
      equal((await sendChunks(trial, rangePath, pieces)).code, 0);
    },
  },
  {
    rule: "E-BAD",
    name: "two messages to a unary method: the first is answered, once",
    run: async (trial) => {
      const call = trial.wire.raw(putPath);
      call.write(
        Buffer.concat([framed(putBytes(trial, bytes("1"))), framed(putBytes(trial, bytes("2")))]),
      );
      call.halfClose();
      equal((await call.ended(answerTimeoutMs)).code, 0);
      equal(call.arrived, 1);
    },
  },
  {
    rule: "E-BAD",
    name: "a compressed message, with and without the name of a codec, and an unknown flag",
    run: async (trial) => {
      const before = await trial.revision();
      const message = putBytes(trial, bytes("1"));
      const named = { "grpc-encoding": "snappy" };
      equal((await sendChunks(trial, putPath, [framed(message, true)], named)).code, 12);
      const status = trial.differs("X-wire-status", { etcd: 13, quorate: 12 });
      equal((await sendChunks(trial, putPath, [framed(message, true)])).code, status);
      const flagged = framed(message);
      flagged[0] = 2;
      equal((await sendChunks(trial, putPath, [flagged])).code, status);
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-BAD",
    name: "larger than the wire takes: refused when announced, nothing written",
    run: async (trial) => {
      const before = await trial.revision();
      const large = framed(putBytes(trial, new Uint8Array(2_200_000)));
      for (const chunks of [[large], [Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff)]]) {
        const end = await sendChunks(trial, putPath, chunks);
        equal(end.code, 8);
        match(end.text, /^grpc: received message larger than max \(/);
      }
      await trial.unchanged(before);
      const inside = putBytes(trial, new Uint8Array(1_900_000));
      trial.isError("requestTooLarge", await sendRaw(trial, putPath, inside));
      await trial.unchanged(before);
    },
  },
  malformedCase("KV", [range, put, deleteRange, txn, compact]),
  malformedCase("Cluster", [memberAdd, memberList, memberPromote, memberRemove, memberUpdate]),
  malformedCase("Maintenance", [
    Maintenance.method.alarm,
    Maintenance.method.status,
    Maintenance.method.hashKV,
  ]),
  {
    rule: "E-BAD",
    name: "a field that nobody knows, whose number takes eleven bytes",
    run: async (trial) => {
      const long = Uint8Array.of(0xc8, 0x6d, ...Array.from({ length: 10 }, () => 0xff), 1);
      equal((await sendRaw(trial, rangePath, Uint8Array.of(...plainRange, ...long))).code, 13);
      equal((await sendRaw(trial, pathOf(memberList), long)).code, 13);
    },
  },
  {
    rule: "E-BAD",
    name: "500 puts with fields that nobody knows are puts",
    run: async (trial) => {
      const random = new Prng("unknown fields");
      for (let round = 0; round < 500; round += 1) {
        const message = withUnknownFields(random, putBytes(trial, bytes(`${round}`)));
        const end = await sendRaw(trial, putPath, message);
        equal(end.code, 0, `${Buffer.from(message).toString("hex")}: ${end.text}`);
      }
      const { kvs } = await trial.ok(range, { key: trial.key("a") });
      deepEqual([text(kvs[0]!.value), kvs[0]!.version], ["499", 500n]);
    },
  },
  {
    rule: "E-BAD",
    name: "strange but valid: any order, the last of two counts, long varints, defaults spelled out",
    run: async (trial) => {
      const field = (number: number, value: Uint8Array): Uint8Array =>
        new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(value).finish();
      const key = field(1, trial.key("a"));
      const zeroes = Uint8Array.of(0x18, 0x80, 0x80, 0x00, 0x20, 0x00);
      const messages = [
        Uint8Array.of(...field(2, bytes("order")), ...key),
        Uint8Array.of(
          ...field(1, bytes("other")),
          ...field(2, bytes("x")),
          ...field(2, bytes("twice")),
          ...key,
        ),
        Uint8Array.of(...key, ...field(2, bytes("zeroes")), ...zeroes),
        Uint8Array.of(0x8a, 0x80, 0x00, ...key.slice(1), ...field(2, bytes("long tag"))),
      ];
      for (const [at, name] of ["order", "twice", "zeroes", "long tag"].entries()) {
        const end = await sendRaw(trial, putPath, messages[at]!);
        equal(end.code, 0, `${name}: ${end.text}`);
        equal(await valueOfA(trial), name);
      }
    },
  },
  {
    rule: "E-BAD",
    name: "1,500 valid and random messages to KV: an answer each, and only good ones write",
    run: async (trial) => {
      const random = new Prng("random bytes");
      const codes = new Set([0, 3, 5, 11, 13]);
      for (const method of [range, put, deleteRange, txn]) {
        for (let round = 0; round < 375; round += 1) {
          const valid = round % 3 > 0;
          const message = valid ? validMessage(random, method.input) : randomBytes(random, 40);
          const before = await trial.revision();
          const { code, text: words } = await sendRaw(trial, pathOf(method), message);
          const shown = `${method.name} ${Buffer.from(message).toString("hex")}: ${code} ${words}`;
          ok(codes.has(code) && !(valid && code === 13), shown);
          if (code !== 0) await trial.unchanged(before);
        }
      }
    },
  },
  {
    rule: "E-BAD",
    name: "transactions in transactions, a thousand deep",
    run: async (trial) => {
      let message: Uint8Array = new Uint8Array(0);
      for (let depth = 0; depth < 1000; depth += 1) {
        const op = new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(message).finish();
        message = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(op).finish();
      }
      const before = await trial.revision();
      trial.isError("tooManyOps", await sendRaw(trial, pathOf(txn), message));
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-BAD",
    name: "a string that is no UTF-8",
    run: async (trial) => {
      const before = await stateOf(trial);
      const message = Uint8Array.of(0x0a, 2, 0xff, 0xfe);
      const { code } = await sendRaw(trial, pathOf(memberAdd), message);
      equal(code, trial.differs("X-utf8", { etcd: 3, quorate: 13 }));
      deepEqual(await stateOf(trial), before);
    },
  },
  {
    rule: "E-BAD",
    name: "a call whose client goes away before it has said anything, or all",
    run: async (trial) => {
      const before = await trial.revision();
      for (let round = 0; round < 50; round += 1) {
        const call = trial.wire.raw(putPath);
        if (round % 2 === 0) call.write(framed(putBytes(trial, bytes("x"))).subarray(0, 7));
        call.cancel();
        await call.ended(answerTimeoutMs);
      }
      await trial.unchanged(before);
    },
  },
];
