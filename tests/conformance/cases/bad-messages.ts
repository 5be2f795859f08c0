// What no honest client sends in its messages: strange encodings, fields that nobody knows, random bytes,
// and strings that are no UTF-8. The right status each, nothing written, the next call served.
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMethod } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { nothingWritten } from "../suite/bad-input.ts";
import { randomBytes, validMessage, withUnknownFields } from "../suite/made-messages.ts";
import type { Case } from "../suite/case.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { framed } from "../wire/wire-call.ts";
import type { CallEnd } from "../wire/wire-call.ts";
import { answerTimeoutMs, pathOf } from "../wire/wire-client.ts";
import { putBytes } from "./bad-frames.ts";
import { sendBad, sendRaw, together } from "./malformed.ts";

const { range, put, deleteRange, txn } = etcd.KV.method;
const { memberAdd, memberList } = etcd.Cluster.method;
const users = etcd.Auth.method;
const rangePath = pathOf(range);
const putPath = pathOf(put);

function rangeBytes(trial: Trial): Uint8Array {
  const request = { key: trial.key(""), rangeEnd: trial.prefixEnd() };
  return toBinary(etcd.RangeRequestSchema, create(etcd.RangeRequestSchema, request));
}

async function valueOfA(trial: Trial): Promise<string> {
  const { kvs } = await trial.ok(range, { key: trial.key("a") });
  return kvs.map((row) => text(row.value)).join();
}

/** Methods whose first field is a string, and what etcd 3.4, which takes any, answers them all the same. */
const namesFirst: readonly DescMethod[] = [
  memberAdd,
  users.authenticate,
  users.userGet,
  users.userDelete,
  users.userChangePassword,
  users.userGrantRole,
  users.userRevokeRole,
  users.roleGet,
  users.roleDelete,
  users.roleGrantPermission,
  users.roleRevokePermission,
];

/** Not one byte of it could stand alone. */
function notUtf8(random: Prng): Uint8Array {
  const length = 1 + random.below(8);
  const bad = Uint8Array.from({ length }, () => 0x80 + random.below(0x40));
  return Uint8Array.of(...bytes("n".repeat(random.below(4))), ...bad);
}

function shown(method: DescMethod, message: Uint8Array, { code, text: words }: CallEnd): string {
  return `${method.name} ${Buffer.from(message).toString("hex")}: ${code} ${words}`;
}

export const badMessageCases: readonly Case[] = [
  {
    rule: "E-BAD",
    name: "strange but right: another name for protobuf, a message in many pieces, two for one call",
    run: async (trial) => {
      const whole = framed(putBytes(trial, bytes("1")));
      for (const type of ["application/grpc", "application/grpc+proto"]) {
        const call = trial.wire.raw(putPath, { "content-type": type });
        for (let at = 0; at < whole.length; at += 1) call.write(whole.subarray(at, at + 1));
        call.halfClose();
        equal((await call.ended(answerTimeoutMs)).code, 0);
      }
      const call = trial.wire.raw(putPath);
      call.write(Buffer.concat([whole, framed(putBytes(trial, bytes("2")))]));
      call.halfClose();
      equal((await call.ended(answerTimeoutMs)).code, 0);
      equal(call.arrived, 1);
    },
  },
  {
    rule: "E-BAD",
    name: "a field that nobody knows, whose number takes eleven bytes",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const long = Uint8Array.of(0xc8, 0x6d, ...Array.from({ length: 10 }, () => 0xff), 1);
        for (const [path, message] of [
          [putPath, Uint8Array.of(...putBytes(trial, bytes("x")), ...long)],
          [rangePath, Uint8Array.of(...rangeBytes(trial), ...long)],
          [pathOf(memberList), long],
        ] as const) {
          equal((await sendBad(trial, "malformed protobuf", path, message)).code, 13, path);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "500 ranges with fields that nobody knows are ranges",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("unknown fields of ranges");
        const messages = Array.from({ length: 500 }, () =>
          withUnknownFields(random, rangeBytes(trial)),
        );
        const ends = await together(messages, (message) =>
          sendBad(trial, "unknown fields", rangePath, message),
        );
        for (const [at, end] of ends.entries()) {
          equal(end.code, 0, `${Buffer.from(messages[at]!).toString("hex")}: ${end.text}`);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "500 puts with fields that nobody knows are puts, and write no more than that",
    run: async (trial) => {
      const random = new Prng("unknown fields");
      const before = await trial.revision();
      const messages = Array.from({ length: 500 }, (_, round) =>
        withUnknownFields(random, putBytes(trial, bytes(`${round}`))),
      );
      const send = (message: Uint8Array): Promise<CallEnd> =>
        sendBad(trial, "unknown fields", putPath, message);
      const ends = await together(messages.slice(0, -1), send);
      ends.push(await send(messages.at(-1)!));
      for (const [at, end] of ends.entries()) {
        equal(end.code, 0, `${Buffer.from(messages[at]!).toString("hex")}: ${end.text}`);
      }
      const { kvs } = await trial.ok(range, { key: trial.key("a") });
      deepEqual([text(kvs[0]!.value), kvs[0]!.version], ["499", 500n]);
      await trial.unchanged(before + 500n);
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
        const path = pathOf(method);
        const valid = Array.from({ length: 250 }, () => validMessage(random, method.input));
        for (const [at, end] of (
          await together(valid, (message) => sendRaw(trial, path, message))
        ).entries()) {
          ok(codes.has(end.code) && end.code !== 13, shown(method, valid[at]!, end));
        }
        let known = await trial.revision();
        for (let round = 0; round < 125; round += 1) {
          const message = randomBytes(random, 40);
          const end = await sendBad(trial, "random bytes", path, message);
          ok(codes.has(end.code), shown(method, message, end));
          if (end.code !== 0) continue;
          // One revision at most is made by what is well; none by what was refused before it.
          const now = await trial.revision();
          ok(now <= known + 1n, `something was written before ${shown(method, message, end)}`);
          known = now;
        }
        await trial.unchanged(known);
      }
    },
  },
  {
    rule: "E-BAD",
    name: "transactions in transactions, a thousand deep",
    run: (trial) =>
      nothingWritten(trial, async () => {
        let message: Uint8Array = new Uint8Array(0);
        for (let depth = 0; depth < 1000; depth += 1) {
          const op = new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(message).finish();
          message = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(op).finish();
        }
        trial.isError("tooManyOps", await sendRaw(trial, pathOf(txn), message));
      }),
  },
  {
    rule: "E-BAD",
    name: "660 names and URLs that are no UTF-8",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("no UTF-8");
        const messages = Array.from({ length: 660 }, (_, round) => ({
          method: namesFirst[round % namesFirst.length]!,
          bytes: new BinaryWriter()
            .tag(1, WireType.LengthDelimited)
            .bytes(notUtf8(random))
            .finish(),
        }));
        const ends = await together(messages, ({ method, bytes: message }) =>
          sendBad(trial, "invalid UTF-8", pathOf(method), message),
        );
        const isTaken = trial.differs("X-utf8", { etcd: true, quorate: false });
        for (const [at, end] of ends.entries()) {
          const what = shown(messages[at]!.method, messages[at]!.bytes, end);
          if (isTaken) notEqual(end.code, 0, what);
          else equal(end.code, 13, what);
        }
      }),
  },
];
