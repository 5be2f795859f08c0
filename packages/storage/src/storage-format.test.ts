// The hex examples of docs/spec/storage-format.md are what this code writes.
import fs from "node:fs";
import test from "node:test";
import { strictEqual as equal } from "node:assert";
import { latin1Encode, toHex } from "@quorate/base";
import { Row, TableRecord } from "@quorate/kv";
import { encodePeers, encodeTables } from "./checkpoint/tables-file.ts";
import { encodeIdentity, Identity } from "./directory/identity.ts";
import { encodeRecordFile, Magic, RecordFile } from "./directory/record-file.ts";
import { encodeManifest, manifestFormat } from "./manifest/manifest-codec.ts";
import { encodedRowBytes, encodeRow, RowBlock, seedOf } from "./rows/row-codec.ts";
import { encodeSegmentHeader, SegmentHeader } from "./rows/segment-header.ts";
import { GenesisState, PeerRecord } from "./storage-api.ts";

const page = fs.readFileSync(
  new URL("../../../docs/spec/storage-format.md", import.meta.url),
  "utf8",
);
const clusterId = "00000000000000c1";
const raftId = 0x0123456789abc;

/** The block's bytes; what the file holds behind them is padding. */
function check(name: string, bytes: Uint8Array): void {
  const block = new RegExp(`\`\`\`hex ${name}\\n([0-9a-f\\s]+)\`\`\``).exec(page);
  const hex = (block?.[1] ?? "missing").replaceAll(/\s/g, "");
  equal(toHex(bytes.subarray(0, hex.length / 2)), hex, name);
  equal(/^0*$/.test(toHex(bytes.subarray(hex.length / 2))), true, "the rest is padding");
}

test("identity", () => {
  const genesis = new Uint8Array([0xab, 0xcd]);
  const memberId = "00000000000000a1";
  const { Started } = GenesisState;
  const identity = new Identity(
    clusterId,
    memberId,
    raftId,
    3,
    0,
    Started,
    genesis,
    true,
    false,
    "",
    false,
  );
  check("identity", encodeRecordFile(Magic.Identity, encodeIdentity(identity, 6)));
});

test("manifest", () => {
  const state = {
    generation: 9,
    walSegments: [{ id: 1, nonce: 0x0fedcba987654, bytes: 67_108_864 }],
    rowSegments: [
      {
        name: "rows-00000000002a1",
        nonce: raftId,
        originRaftId: raftId,
        bytes: 8192,
        crc: 0,
        sealed: false,
        firstMain: 2,
      },
    ],
    checkpoint: {
      id: 0xbeef,
      index: 100,
      term: 2,
      tablesName: "tables-00000000002a2",
      tablesBytes: 8192,
      tablesCrc: 0x11223344,
      durableSeq: 77,
    },
  };
  const body = encodeManifest({ clusterId, raftId, state });
  check("manifest", encodeRecordFile(Magic.Manifest, new RecordFile(manifestFormat, 9, body)));
});

test("segment header", () => {
  const bytes = new Uint8Array(64);
  encodeSegmentHeader(new SegmentHeader(clusterId, 2 ** 52 - 1, raftId, 4096), bytes);
  check("segment-header", bytes);
});

test("row", () => {
  const hlc = 1_753_000_000_000 * 1024 + 5;
  const key = latin1Encode("foo");
  const value = latin1Encode("bar!");
  const row = new Row(4096, 1, false, 4000, 3, 0x12345678, 0x9abcdef0, hlc, 2, 7, key, value);
  const block = new RowBlock(new Uint8Array(encodedRowBytes(row)));
  encodeRow(block, 0, row, seedOf(raftId), 64);
  check("row", block.bytes);
});

test("tables and peers", () => {
  const tables = [new TableRecord("kv", new Uint8Array([1, 2, 3]))];
  check("tables", encodeTables({ id: 0xbeef, index: 100, term: 2, tables }));
  check("peers", encodePeers(100, [new PeerRecord(7, 4, 99)]));
});
