// The whole of storage on one member: what was made durable is there after a restart.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";
import { latin1Decode, latin1Encode } from "@quorate/base";
import { TableRecord } from "@quorate/kv";
import { Entry, HardState } from "@quorate/raft";
import { decodeTablesFile } from "./checkpoint/tables-file.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import {
  appendEntriesNow,
  checkpointNow,
  opened,
  openMemberNow,
  scanAll,
  smallOptions,
  testPeer,
  testRow,
} from "./testing/test-member.ts";

test("what a checkpoint holds is there after a restart, the rest comes from the log", () => {
  const disk = new MemoryDisk(1);
  const member = opened(openMemberNow(disk, 1));
  equal(member.recovered.checkpoint, null);
  equal(scanAll(member.storage).length, 0);
  appendEntriesNow(member, 1, 200);
  const refs: number[] = [];
  for (let i = 1; i <= 150; i++) {
    refs.push(member.storage.rows.append(testRow(i, 0, `key ${i}`, "v".repeat(i))));
  }
  const info = checkpointNow(member, 150, "tables at 150");
  equal(info.index, 150);
  equal(member.storage.unsavedRowBytes, 0);
  refs.forEach((ref, i) => {
    deepEqual(member.storage.rows.read(ref), testRow(i + 1, 0, `key ${i + 1}`, "v".repeat(i + 1)));
  });
  disk.powerLoss();

  const again = opened(openMemberNow(disk, 2));
  equal(again.directory.raftId, member.directory.raftId);
  equal(again.directory.bootCount, 2);
  equal(again.recovered.checkpoint?.id, info.id);
  equal(latin1Decode(again.recovered.checkpoint.tables[0]!.bytes), "tables at 150");
  const rows = scanAll(again.storage);
  deepEqual(
    rows.map(({ row }) => row),
    refs.map((_, i) => testRow(i + 1, 0, `key ${i + 1}`, "v".repeat(i + 1))),
  );
  const last = again.recovered.logStartIndex + again.recovered.entries.length;
  equal(last, 200);
});

test("a checkpoint is never in force above the durable log, wherever the power goes", () => {
  let inForce = 0;
  for (let operations = 0; operations < 120; operations++) {
    const disk = new MemoryDisk(operations);
    const member = opened(openMemberNow(disk, 1));
    scanAll(member.storage);
    const entries = Array.from({ length: 50 }, (_, i) => {
      return new Entry(1, i + 1, 16, 0, 1, latin1Encode("x".repeat(500)));
    });
    const batch = { hardState: new HardState(1, 0, 0), firstIndex: 1, peers: [], mustSync: true };
    // In three batches, so that a part of them may be durable.
    for (const [from, to] of [
      [0, 20],
      [20, 40],
      [40, 50],
    ] as const) {
      const part = { ...batch, firstIndex: from + 1, entries: entries.slice(from, to) };
      member.storage.append(part, () => {});
    }
    member.storage.rows.append(testRow(50, 0, "key", "value"));
    const tables = [new TableRecord("test", new Uint8Array(0))];
    member.storage.checkpoint({ index: 50, term: 1, tables, keepLogFrom: 0 }, () => (inForce += 1));
    const until = disk.performed + operations;
    member.env.run(() => disk.performed >= until);
    disk.powerLoss();
    const { recovered } = opened(openMemberNow(disk, 2));
    const last = recovered.logStartIndex + recovered.entries.length;
    const index = recovered.checkpoint?.index ?? 0;
    ok(last >= index, `checkpoint ${index}, log up to ${last}, after ${operations} operations`);
  }
  ok(inForce > 10, `${inForce} checkpoints came into force`);
});

test("a checkpoint waits while the log is not durable up to its index, and only then", () => {
  const disk = new MemoryDisk(1);
  const member = opened(openMemberNow(disk, 1));
  scanAll(member.storage);
  appendEntriesNow(member, 1, 10);
  const entries = [11, 12].map((i) => new Entry(1, i, 16, 0, 1, new Uint8Array(0)));
  const batch = { hardState: new HardState(1, 0, 10), firstIndex: 11, entries, peers: [] };
  disk.hold("wal-0");
  member.storage.append({ ...batch, mustSync: true }, () => {});
  member.storage.rows.append(testRow(12, 0, "key", "value"));
  let done = false;
  const tables = [new TableRecord("test", new Uint8Array(0))];
  const request = { index: 12, term: 1, tables, keepLogFrom: 0 };
  member.storage.checkpoint(request, () => (done = true));
  const before = member.storage.usage().syncs;
  member.env.run();
  equal(done, false);
  ok(member.storage.checkpointRunning);
  equal(member.storage.usage().syncs, before, "nothing is synced ahead of the log");
  disk.hold(null);
  member.env.run();
  equal(done, true);
  // Durable up to its index already: what is appended behind it does not matter.
  disk.hold("wal-0");
  const later = [new Entry(1, 13, 16, 0, 1, new Uint8Array(0))];
  member.storage.append({ ...batch, firstIndex: 13, entries: later, mustSync: true }, () => {});
  done = false;
  member.storage.checkpoint(request, () => (done = true));
  member.env.run(() => done);
  equal(done, true);
});

test("a checkpoint carries the newest record of every peer, and the log's wins if it is newer", () => {
  const disk = new MemoryDisk(3);
  const member = opened(openMemberNow(disk, 1));
  scanAll(member.storage);
  appendEntriesNow(member, 1, 5);
  const record = (raftId: number, bootCount: number): void => {
    let done = false;
    const peers = [testPeer(raftId, bootCount)];
    const hardState = new HardState(1, 0, 5);
    const batch = { hardState, firstIndex: 0, entries: [], peers, mustSync: true };
    member.storage.append(batch, () => (done = true));
    member.env.run(() => done);
  };
  record(7, 1);
  record(8, 4);
  record(7, 2);
  checkpointNow(member, 5, "with peers");
  const name = disk.listNow("/data")!.find((file) => file.startsWith("tables-"))!;
  const file = decodeTablesFile(disk.content(`/data/${name}`));
  ok(typeof file !== "string");
  deepEqual(file.peers, [testPeer(7, 2), testPeer(8, 4)]);
  record(8, 5);
  disk.powerLoss();
  const { recovered } = opened(openMemberNow(disk, 2));
  deepEqual(
    recovered.peers.toSorted((a, b) => a.raftId - b.raftId),
    [testPeer(7, 2), testPeer(8, 5)],
  );
});

test("rows are refused at the bound, and taken again when a checkpoint has run", () => {
  const options = { ...smallOptions, unsavedRowBytesMax: 20_000 };
  const member = opened(openMemberNow(new MemoryDisk(4), 1, options));
  scanAll(member.storage);
  appendEntriesNow(member, 1, 200);
  let main = 0;
  while (!member.storage.rowsFull()) {
    main += 1;
    member.storage.rows.append(testRow(main, 0, "key", "v".repeat(400)));
  }
  ok(main >= 38 && main <= 43, `${main} rows`);
  const done = { value: false };
  const tables = [new TableRecord("test", new Uint8Array(0))];
  member.storage.checkpoint({ index: main, term: 1, tables, keepLogFrom: 0 }, () => {
    done.value = true;
  });
  ok(member.storage.checkpointRunning);
  ok(member.storage.rowsFull(), "what is being written still stands in memory");
  member.storage.rows.append(testRow(main + 1, 0, "key", "v"));
  member.env.run(() => done.value);
  equal(member.storage.rowsFull(), false);
  ok(member.storage.unsavedRowBytes > 0 && member.storage.unsavedRowBytes < 200);
});

test("a row larger than a segment, and rows that fill one to the last byte", () => {
  const disk = new MemoryDisk(5);
  const member = opened(openMemberNow(disk, 1));
  scanAll(member.storage);
  appendEntriesNow(member, 1, 20);
  const { rowSegmentBytes } = smallOptions;
  const lengths = [3 * rowSegmentBytes, 10, 2_000_000, rowSegmentBytes - 64 - 68 - 3, 1, 0];
  const rows = lengths.map((length, i) => testRow(i + 1, 0, "key", "v".repeat(length)));
  const refs = rows.map((row) => member.storage.rows.append(row));
  rows.forEach((row, i) => deepEqual(member.storage.rows.read(refs[i]!), row));
  checkpointNow(member, 6, "large");
  rows.forEach((row, i) => deepEqual(member.storage.rows.read(refs[i]!), row));
  disk.powerLoss();
  const again = opened(openMemberNow(disk, 2));
  deepEqual(
    scanAll(again.storage).map(({ row }) => row),
    rows,
  );
});
