// Maintenance/Snapshot on the wire. What its file holds is judged by etcd itself, which is restored from
// it (tests/conformance/snapshot/etcd-snapshot.test.ts).
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { etcd } from "@quorate/proto";
import type { Case } from "../suite/case.ts";

const { snapshot } = etcd.Maintenance.method;
const { compact } = etcd.KV.method;

/** Of bbolt, where its first page says it. */
const magic = 0xed0cdaed;
const blobBytesMax = 32_768;
const sectorBytes = 512;

export const snapshotCases: readonly Case[] = [
  {
    rule: "E-S1",
    name: "Snapshot: blobs, what remains, and the SHA-256 of them all in the last one",
    run: async (trial) => {
      for (let at = 0; at < 30; at += 1) await trial.put(`k${at % 20}`, "v".repeat(5000));
      const revision = await trial.put("last");
      await trial.ok(compact, { revision });
      const stream = trial.wire.stream(snapshot);
      stream.send({});
      stream.call.halfClose();
      const { messages, end } = await stream.rest();
      equal(end.code, 0, end.text);
      const last = messages.at(-1)!;
      const blobs = messages.slice(0, -1);
      const body = Buffer.concat(blobs.map(({ blob }) => blob));
      equal(body.length % sectorBytes, 0);
      ok(blobs.length > 1 && blobs.every(({ blob }) => blob.length <= blobBytesMax));
      let left = body.length;
      for (const { blob, remainingBytes, header } of blobs) {
        left -= blob.length;
        deepEqual([remainingBytes, header], [BigInt(left), undefined]);
      }
      equal(last.remainingBytes, 0n);
      deepEqual(Buffer.from(last.blob), createHash("sha256").update(body).digest());
      equal(body.readUInt32LE(16), magic);
    },
  },
];
