// What no honest client sends around its messages: paths that there are not, broken frames, more bytes
// than anybody takes, and calls that end before they have begun.
import { equal, match, notEqual } from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { countBad, nothingWritten } from "../suite/bad-input.ts";
import type { BadKind } from "../suite/bad-input.ts";
import type { Case } from "../suite/case.ts";
import { bytes } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { framed } from "../wire/wire-call.ts";
import type { CallEnd } from "../wire/wire-call.ts";
import { answerTimeoutMs, pathOf } from "../wire/wire-client.ts";
import type { Metadata } from "../wire/wire-client.ts";
import { wrongPath } from "./bad-gateway.ts";
import { sendBad } from "./malformed.ts";

const { put, txn } = etcd.KV.method;
const { memberAdd } = etcd.Cluster.method;
const putPath = pathOf(put);

/** A put of this case's key "a" with this value, as honest bytes. */
export function putBytes(trial: Trial, value: Uint8Array): Uint8Array {
  return toBinary(
    etcd.PutRequestSchema,
    create(etcd.PutRequestSchema, { key: trial.key("a"), value }),
  );
}

/** To the path of a put. */
async function sendChunks(
  trial: Trial,
  kind: BadKind,
  chunks: readonly Uint8Array[],
  headers: Metadata = {},
): Promise<CallEnd> {
  countBad(trial, "gRPC", kind);
  const call = trial.wire.raw(putPath, headers);
  for (const chunk of chunks) call.write(chunk);
  call.halfClose();
  return call.ended(answerTimeoutMs);
}

export const badFrameCases: readonly Case[] = [
  {
    rule: "E-BAD",
    name: "a path that names no service or no method",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const send = (path: string): Promise<CallEnd> =>
          sendBad(trial, "wrong paths", path, putBytes(trial, bytes("x")));
        const paths = [
          "/etcdserverpb.KV/Nope",
          "/etcdserverpb.KV/put",
          "/etcdserverpb.KV/Put?x=1",
          "/etcdserverpb.Nope/Put",
          "/etcdserverpb.kv/Put",
          "/a/etcdserverpb.KV/Put",
          "//etcdserverpb.KV/Put",
          "/etcdserverpb.KV/Put/",
          `/${"x".repeat(3000)}/Put`,
        ];
        for (const path of paths) equal((await send(path)).code, 12, path);
        const { text: method } = await send(paths[0]!);
        equal(method, "unknown method Nope for service etcdserverpb.KV");
        const { text: service } = await send(paths[3]!);
        const words = {
          etcd: "unknown service etcdserverpb.Nope",
          quorate: "unknown method Put for service etcdserverpb.Nope",
        };
        equal(service, trial.differs("X-wire-status", words));
        const status = trial.differs("X-wire-status", { etcd: 8, quorate: 12 });
        for (const path of ["/", "/nope"]) equal((await send(path)).code, status);
      }),
  },
  {
    rule: "E-BAD",
    name: "400 paths that are a letter away from one that there is",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("paths");
        for (let round = 0; round < 400; round += 1) {
          const path = wrongPath([putPath, pathOf(txn), pathOf(memberAdd)][round % 3]!, random);
          const end = await sendBad(trial, "wrong paths", path, putBytes(trial, bytes("x")));
          equal(end.code, 12, `${path}: ${end.code} ${end.text}`);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "a request that is not gRPC at all",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const chunks = [framed(putBytes(trial, bytes("x")))];
        for (const headers of [{ "content-type": "application/json" }, { "content-type": "" }]) {
          const end = await sendChunks(trial, "broken frames", chunks, headers);
          equal(end.code, -1);
          notEqual(end.httpStatus, 200);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "no message, half a prefix, half a message",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const whole = framed(putBytes(trial, bytes("x")));
        const broken = trial.differs("X-wire-status", { etcd: 2, quorate: 13 });
        for (let cut = 0; cut < whole.length; cut += 1) {
          const chunks = cut === 0 ? [] : [whole.subarray(0, cut)];
          const end = await sendChunks(trial, "broken frames", chunks);
          equal(end.code, broken, `${cut} bytes: ${end.text}`);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "a compressed message, with and without the name of a codec, and unknown flags",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const message = putBytes(trial, bytes("1"));
        const named = { "grpc-encoding": "snappy" };
        const compressed = [framed(message, true)];
        equal((await sendChunks(trial, "broken frames", compressed, named)).code, 12);
        const status = trial.differs("X-wire-status", { etcd: 13, quorate: 12 });
        equal((await sendChunks(trial, "broken frames", compressed)).code, status);
        for (let flag = 2; flag < 256; flag += 1) {
          const flagged = framed(message);
          flagged[0] = flag;
          const end = await sendChunks(trial, "broken frames", [flagged]);
          equal(end.code, status, `flag ${flag}: ${end.text}`);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "larger than the wire takes: refused when it is announced; larger than a request may be",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("announced");
        const announced = Array.from({ length: 200 }, () => {
          const prefix = Buffer.alloc(5);
          prefix.writeUInt32BE(2_200_000 + random.below(2 ** 32 - 2_200_000), 1);
          return [prefix];
        });
        const large = framed(putBytes(trial, new Uint8Array(2_200_000)));
        for (const chunks of [[large], [Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff)], ...announced]) {
          const end = await sendChunks(trial, "oversize", chunks);
          equal(end.code, 8, end.text);
          match(end.text, /^grpc: received message larger than max \(/);
        }
        for (const size of [1_573_000, 1_700_000, 1_900_000]) {
          const message = putBytes(trial, new Uint8Array(size));
          trial.isError("requestTooLarge", await sendBad(trial, "oversize", putPath, message));
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "a call whose client goes away before it has said anything, or all",
    run: (trial) =>
      nothingWritten(trial, async () => {
        for (let round = 0; round < 50; round += 1) {
          countBad(trial, "gRPC", "broken frames");
          const call = trial.wire.raw(putPath);
          if (round % 2 === 0) call.write(framed(putBytes(trial, bytes("x"))).subarray(0, 7));
          call.cancel();
          await call.ended(answerTimeoutMs);
        }
      }),
  },
];
