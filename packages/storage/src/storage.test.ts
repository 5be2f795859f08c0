// The whole of storage on one member: what was made durable is there after a restart.
import test from "node:test";
import { strictEqual as equal, deepStrictEqual as deepEqual } from "node:assert";
import { latin1Decode } from "@quorate/base";
import { MemoryDisk } from "./testing/memory-disk.ts";
import {
  appendEntriesNow,
  checkpointNow,
  opened,
  openMemberNow,
  scanAll,
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
  equal(latin1Decode(again.recovered.checkpoint!.tables[0]!.bytes), "tables at 150");
  const rows = scanAll(again.storage);
  deepEqual(
    rows.map(({ row }) => row),
    refs.map((_, i) => testRow(i + 1, 0, `key ${i + 1}`, "v".repeat(i + 1))),
  );
  const last = again.recovered.logStartIndex + again.recovered.entries.length;
  equal(last, 200);
});
