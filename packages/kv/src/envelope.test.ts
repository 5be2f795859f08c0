// Envelopes and the slab they are cut from, and the state machine's checkpoint record.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { toHex } from "@quorate/base";
import { ByteSlab } from "./byte-slab.ts";
import { decodeEnvelope, EnvelopeWriter } from "./envelope.ts";
import { decodeStateRecord, encodeStateRecord } from "./state-record.ts";

test("what goes into an envelope comes out, the request unchanged", () => {
  const writer = new EnvelopeWriter();
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.maxSafeNat(),
      fc.uint8Array({ maxLength: 6000 }),
      (user, authRevision, request) => {
        const payload = writer.write(user, authRevision, request);
        const envelope = decodeEnvelope(payload);
        ok(envelope !== null);
        const { identity } = envelope;
        deepEqual([identity.user, identity.authRevision], [user, authRevision]);
        equal(toHex(payload.subarray(envelope.requestAt)), toHex(request));
      },
    ),
  );
});

test("without a user the envelope costs two bytes; its form is fixed", () => {
  const writer = new EnvelopeWriter();
  equal(toHex(writer.write("", 0, Uint8Array.of(7))), "000007");
  equal(toHex(writer.write("root", 300, Uint8Array.of(7))), "04726f6f74ac0207");
  for (const bytes of [[], [0], [5, 65, 0], [0, 0x80]]) {
    equal(decodeEnvelope(Uint8Array.from(bytes)), null);
  }
});

test("pieces of a slab never share a byte, and begin as zeros", () => {
  const slab = new ByteSlab();
  const pieces = Array.from({ length: 3000 }, (_, i) => slab.take((i * 37) % 5000));
  pieces.forEach((piece, i) => {
    equal(piece.length, (i * 37) % 5000);
    ok(piece.every((byte) => byte === 0));
    piece.fill(1 + (i % 255));
  });
  pieces.forEach((piece, i) => ok(piece.every((byte) => byte === 1 + (i % 255))));
});

test("the checkpoint record: what is written is read, and anything else is refused", () => {
  const record = {
    appliedIndex: 2 ** 52,
    store: {
      revision: 9,
      compactRevision: -1,
      hlc: 2 ** 52 + 1,
      keys: 3,
      liveBytes: 4,
      puts: 5,
      deletes: 6,
      digestLow: 0xffffffff,
      digestHigh: 1,
    },
    applyLow: 2,
    applyHigh: 3,
    liveLow: 4,
    liveHigh: 0x80000000,
  };
  const bytes = encodeStateRecord(record);
  deepEqual(decodeStateRecord(bytes), record);
  for (let length = 0; length < bytes.length; length++) {
    equal(decodeStateRecord(bytes.subarray(0, length)), null);
  }
  equal(decodeStateRecord(Uint8Array.of(...bytes, 0)), null);
  const above = { ...record, store: { ...record.store, compactRevision: 10 } };
  equal(decodeStateRecord(encodeStateRecord(above)), null);
});
