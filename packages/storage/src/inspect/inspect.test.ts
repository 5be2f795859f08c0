// An inspection says of a directory what a start would find, whatever happened to its files, and
// changes none of them.
import test from "node:test";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert";
import { ExitCode } from "../env.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import { stored } from "../testing/stored-member.ts";
import { openMemberNow, testDirectory } from "../testing/test-member.ts";
import { inspectCheckpoint } from "./inspect-checkpoint.ts";
import { inspectDirectory } from "./inspect-directory.ts";
import type { InspectedDirectory } from "./inspect-directory.ts";
import { inspectRows } from "./inspect-rows.ts";
import { inspectWal } from "./inspect-wal.ts";

function inspected(disk: MemoryDisk): InspectedDirectory {
  const found = inspectDirectory(disk, testDirectory, testDirectory);
  ok(found.ok, found.ok ? "" : found.reason);
  return found;
}

function pathOf(disk: MemoryDisk, prefix: string): string {
  const name = disk.listNow(testDirectory)!.find((found) => found.startsWith(prefix));
  return `${testDirectory}/${name}`;
}

/** The exit code of each part's finding; null: it is fine. */
function verdicts(disk: MemoryDisk): (number | null)[] {
  const directory = inspected(disk);
  const rows = inspectRows(directory).map(({ finding }) => finding?.exitCode ?? null);
  return [
    inspectWal(directory).finding?.exitCode ?? null,
    rows.find((code) => code !== null) ?? null,
    inspectCheckpoint(directory).finding?.exitCode ?? null,
  ];
}

test("of a whole directory every batch, row and table is told, and nothing is found", () => {
  const disk = stored(1);
  const names = disk.listNow(testDirectory)!;
  const before = names.map((name) => disk.content(`${testDirectory}/${name}`).slice());
  const directory = inspected(disk);
  const revisions: number[] = [];
  const segments = inspectRows(directory, (row) => void revisions.push(row.main));
  ok(segments.length >= 3, "several segments");
  equal(
    segments.reduce((sum, { rows }) => sum + rows, 0),
    revisions.length,
  );
  deepEqual(
    revisions,
    revisions.toSorted((a, b) => a - b),
  );
  equal(segments.at(-1)!.lastMain, revisions.at(-1));
  let batches = 0;
  const wal = inspectWal(directory, ({ whole }) => void (batches += whole ? 1 : 0));
  equal(wal.damage.class, "clean");
  equal(wal.batches, batches);
  equal(wal.last?.seq, wal.segments.findLast(({ lastSeq }) => lastSeq > 0)?.lastSeq);
  const { tables } = inspectCheckpoint(directory);
  equal(tables?.info.index, directory.manifest.checkpoint?.index);
  equal(tables?.peers.length, 1);
  deepEqual(verdicts(disk), [null, null, null]);
  deepEqual(
    names.map((name) => disk.content(`${testDirectory}/${name}`)),
    before,
  );
});

test("what it finds of the log is what a start then finds", () => {
  const disk = stored(2);
  const { log, last } = inspectWal(inspected(disk));
  const outcome = openMemberNow(disk, 99);
  ok(!("ok" in outcome), "it starts");
  const { hardState, entries, logStartIndex } = outcome.recovered;
  equal(log?.lastIndex, logStartIndex + entries.length);
  equal(log?.startIndex, logStartIndex);
  deepEqual(log?.hardState, hardState);
  ok((last?.seq ?? 0) > 0);
});

test("damage to a row is told with file, offset and revision; the other segments are read", () => {
  const disk = stored(3);
  const [first] = inspectRows(inspected(disk));
  const path = `${testDirectory}/${first!.entry.name}`;
  disk.content(path)[300]! ^= 1;
  const [damaged, second] = inspectRows(inspected(disk));
  match(damaged!.finding?.what ?? "", /^\S+rows-[0-9a-f]{13}: offset \d+: CRC/);
  equal(damaged!.finding?.exitCode, ExitCode.Damaged);
  equal(second!.finding, null);
  ok(second!.rows > 0);
  deepEqual(verdicts(disk), [null, ExitCode.Damaged, null]);
});

test("damage to the log has the class, the exit code and the advice of its row", () => {
  const disk = stored(4, 190);
  const offsets: [segment: string, offset: number][] = [];
  inspectWal(inspected(disk), ({ segment, header }) => {
    if (header.entries > 0) offsets.push([segment, header.offset]);
  });
  const [segment, offset] = offsets.at(-2)!;
  disk.content(pathOf(disk, segment))[offset + 20]! ^= 1;
  const wal = inspectWal(inspected(disk));
  equal(wal.row, 3);
  ok(wal.log!.missing > 0 && wal.log!.startIndex + wal.log!.entries.length < wal.log!.lastIndex);
  equal(wal.finding?.exitCode, ExitCode.Damaged);
  match(wal.advice, /start it: with peers/);
});

test("missing and damaged files of a checkpoint are told", () => {
  const disk = stored(5);
  disk.content(pathOf(disk, "tables-"))[40]! ^= 1;
  const { tables, finding } = inspectCheckpoint(inspected(disk));
  equal(tables, null);
  match(finding?.what ?? "", /tables-[0-9a-f]{13}: .*CRC/);
  equal(finding?.exitCode, ExitCode.Damaged);
});

test("a bad copy of a small file is told and stops nothing; two bad ones are damage", () => {
  const disk = stored(6);
  disk.content(pathOf(disk, "MANIFEST-1"))[30]! ^= 1;
  const { findings } = inspected(disk);
  match(findings[0]?.what ?? "", /MANIFEST-1/);
  equal(findings[0]?.exitCode, null);
  disk.content(pathOf(disk, "MANIFEST-2"))[30]! ^= 1;
  const refused = inspectDirectory(disk, testDirectory, testDirectory);
  ok(!refused.ok);
  equal(refused.exitCode, ExitCode.Damaged);
});

test("a directory that is not there, or no member's, is refused", () => {
  const disk = stored(7);
  for (const directory of ["nowhere", ""]) {
    const refused = inspectDirectory(disk, directory, directory);
    ok(!refused.ok);
    equal(refused.exitCode, ExitCode.Usage);
  }
});
