// The bytes on disk are a promise to every later binary: a worked example of each format, byte for
// byte, and the round trip of the parts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ByteWriter, fromHex, toHex } from "@quorate/base";
import { Entry } from "@quorate/raft";
import { PeerRecord } from "../storage-api.ts";
import {
  BatchHeader,
  batchBytes,
  beginBatchHeader,
  parseBatchHeader,
  sealBatchHeader,
} from "./batch-header.ts";
import {
  decodePayload,
  payloadChecks,
  writeEntryRecord,
  writePeerRecord,
  writeVoidMarkRecord,
} from "./batch-payload.ts";
import { encodeDurableSlot, readDurableFile } from "./durable-file.ts";
import { decodeRewrite, encodeRewrite } from "./rewrite.ts";
import { segmentId, segmentName } from "./segment.ts";
import { encodeSegmentHeader, parseSegmentHeader } from "./segment-header.ts";
import { batchHeaderBytes, BatchKind, blockBytes, nonceSeed } from "./wal-format.ts";

const identity = { clusterId: fromHex("0011223344556677")!, raftId: 0x4711 };
const nonce = 0xabcdef;
const seed = nonceSeed(nonce);
const place = { nonce, offset: 8192, segmentBytes: 65_536 };

function example(): { header: BatchHeader; bytes: Uint8Array } {
  const header = Object.assign(new BatchHeader(), {
    kind: BatchKind.Append,
    clusterId: identity.clusterId,
    raftId: identity.raftId,
    nonce,
    bootCount: 3,
    seq: 42,
    offset: 8192,
    firstIndex: 300,
    entries: 1,
    records: 3,
    prevSeq: 41,
    prevLastIndex: 299,
    prevLastTerm: 3,
    prevChainCrc: 0xdeadbeef,
    term: 5,
    vote: 0x1234,
    commit: 299,
    durableSeq: 40,
    lastIndex: 300,
    lastTerm: 5,
    wallMs: 1000,
  });
  const writer = new ByteWriter();
  beginBatchHeader(writer, header);
  let running = writePeerRecord(writer, new PeerRecord(7, 8, 9), seed);
  running = writeVoidMarkRecord(writer, 12, running);
  running = writeEntryRecord(writer, new Entry(5, 300, 16, 1, 1000, fromHex("6162")!), running);
  sealBatchHeader(writer, header, running, seed);
  return { header, bytes: writer.take() };
}

describe("wal format", () => {
  it("a batch, byte for byte", () => {
    const { bytes } = example();
    const lines = [
      "5157626101000100" + "0011223344556677" + "1147000000000000" + "efcdab0000000000",
      "0300000000000000" + "2a00000000000000" + "0020000000000000" + "2c01000000000000",
      "0100000003000000" + "45000000",
      "2900000000000000" + "2b01000000000000" + "0300000000000000" + "efbeadde00000000",
      "0500000000000000" + "3412000000000000" + "2b01000000000000" + "2800000000000000",
      "2c01000000000000" + "0500000000000000" + "e803000000000000" + "00".repeat(84),
      "19000000" + "02" + "070000000000000008000000000000000900000000000000",
      "09000000" + "03" + "0c00000000000000",
      "0b000000" + "01" + "05ac021001e807026162",
    ];
    // Sums apart: each line stands where the format says.
    const hex = toHex(bytes);
    const starts = [0, 32, 64, 80, 112, 144, 256 + 4, 256 + 37, 256 + 54];
    for (const [i, line] of lines.entries()) {
      const from = 2 * starts[i]!;
      assert.equal(hex.slice(from, from + line.length), line, `line ${i}`);
    }
    assert.equal(bytes.length, batchHeaderBytes + 33 + 17 + 19);
    // Computed apart, bit by bit, from the lines above.
    assert.equal(hex.slice(2 * 76, 2 * 80), "f448b8e0");
    assert.equal(hex.slice(2 * 252, 2 * 256), "2f0d67cd");
  });

  it("a batch read back is the batch written", () => {
    const { header, bytes } = example();
    const parsed = parseBatchHeader(bytes, 0, identity, place);
    assert.ok(parsed.found === "header");
    assert.deepEqual(parsed.header, header);
    assert.equal(batchBytes(header), blockBytes);
    const payload = bytes.subarray(batchHeaderBytes);
    assert.ok(payloadChecks(header, payload, seed));
    assert.deepEqual(decodePayload(header, payload), {
      entries: [new Entry(5, 300, 16, 1, 1000, fromHex("6162")!)],
      peers: [new PeerRecord(7, 8, 9)],
      voidMarks: [12],
    });
  });

  it("every bit of a batch is summed, header and records", () => {
    const { header, bytes } = example();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const parsed = parseBatchHeader(changed, 0, identity, place);
      const whole = payloadChecks(header, changed.subarray(batchHeaderBytes), seed);
      assert.ok(parsed.found === "none" || !whole, `bit ${bit} may change`);
    }
  });

  it("a batch of another use, place, member or cluster is foreign", () => {
    const { bytes } = example();
    const places = [
      parseBatchHeader(bytes, 0, identity, { ...place, nonce: nonce + 1 }),
      parseBatchHeader(bytes, 0, identity, { ...place, offset: 4096 }),
      parseBatchHeader(bytes, 0, { ...identity, raftId: 1 }, place),
      parseBatchHeader(bytes, 0, { ...identity, clusterId: new Uint8Array(8) }, place),
    ];
    for (const parsed of places) assert.equal(parsed.found, "foreign");
    assert.ok(!payloadChecks(example().header, bytes.subarray(256), nonceSeed(nonce + 1)));
  });

  it("a batch that would not fit into its segment is none", () => {
    const { bytes } = example();
    const parsed = parseBatchHeader(bytes, 0, identity, { ...place, segmentBytes: 8192 });
    assert.equal(parsed.found, "none");
  });

  it("a segment header, byte for byte and back", () => {
    const header = { id: 7, nonce, previousNonce: 99, segmentBytes: 65_536 };
    const block = encodeSegmentHeader(identity, header);
    assert.equal(
      toHex(block.subarray(0, 56)),
      "5157736701000000" +
        "0011223344556677" +
        "1147000000000000" +
        "0700000000000000" +
        "efcdab0000000000" +
        "6300000000000000" +
        "0000010000000000",
    );
    assert.deepEqual(parseSegmentHeader(block, identity), { found: "header", header });
    assert.equal(parseSegmentHeader(block, { ...identity, raftId: 2 }).found, "foreign");
    block[30]! ^= 1;
    assert.equal(parseSegmentHeader(block, identity).found, "none");
  });

  it("the second file: the newest slot that checks counts", () => {
    const file = new Uint8Array(4096);
    assert.deepEqual(readDurableFile(file, identity), { turn: 0, durableSeq: 0 });
    file.set(encodeDurableSlot(identity, { turn: 4, durableSeq: 40 }), 0);
    file.set(encodeDurableSlot(identity, { turn: 5, durableSeq: 50 }), 2048);
    assert.deepEqual(readDurableFile(file, identity), { turn: 5, durableSeq: 50 });
    file[2048 + 33]! ^= 1;
    assert.deepEqual(readDurableFile(file, identity), { turn: 4, durableSeq: 40 });
    assert.deepEqual(readDurableFile(file, { ...identity, raftId: 3 }).durableSeq, 0);
  });

  it("the copy for rewriting is whole or nothing", () => {
    const ranges = [
      { segmentId: 1, nonce, offset: 4096, length: 8192 },
      { segmentId: 2, nonce: 5, offset: 8192, length: 4096 },
    ];
    const content = new Uint8Array(12_288).map((_, i) => i % 251);
    const file = encodeRewrite(identity, { ranges, bytes: content });
    assert.deepEqual(decodeRewrite(identity, file), { ranges, bytes: content });
    assert.equal(decodeRewrite(identity, file.subarray(0, file.length - 1)), null);
    assert.equal(decodeRewrite({ ...identity, raftId: 8 }, file), null);
    for (const at of [0, 20, 40, 90, blockBytes, file.length - 1]) {
      const changed = file.slice();
      changed[at]! ^= 4;
      assert.equal(decodeRewrite(identity, changed), null, `byte ${at}`);
    }
  });

  it("names of segments sort as their ids and come back", () => {
    assert.equal(segmentName(7), "wal-0000000000000007.log");
    for (const id of [1, 7, 12_345_678]) assert.equal(segmentId(segmentName(id)), id);
    for (const name of ["wal-7.log", "wal-durable", "rows-1", "wal-000000000000000x.log", ""]) {
      assert.equal(segmentId(name), 0);
    }
  });
});
