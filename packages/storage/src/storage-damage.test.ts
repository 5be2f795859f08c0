// Damage to a member's files is an outcome: refused at start, a state that is lost while its log is
// whole, or ended while running, with one line that names file, offset and what to do; never a wrong
// row, never a guess.
import test from "node:test";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { resealRow, RowBlock, rowLength, seedOf } from "./rows/row-codec.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SegmentHeader,
  segmentHeaderBytes,
} from "./rows/segment-header.ts";
import type { RowSegment } from "./rows/row-segment.ts";
import type { RowLog } from "./rows/row-log.ts";
import { StorageDriver } from "./testing/storage-driver.ts";
import { stored, storedShape } from "./testing/stored-member.ts";
import { ProcessEnd } from "./testing/test-env.ts";
import {
  opened,
  openMemberNow,
  scanAll,
  smallOptions,
  testDirectory,
} from "./testing/test-member.ts";
import type { OpenedMember } from "./testing/test-member.ts";
import type { LostState, StorageApi } from "./storage-api.ts";

function pathsOf(disk: MemoryDisk, prefix: string): string[] {
  const names = disk.listNow(testDirectory)!.filter((name) => name.startsWith(prefix));
  return names.map((name) => `${testDirectory}/${name}`);
}

/** Row segments in the order of their revisions. */
function segmentPaths(disk: MemoryDisk): string[] {
  const first = (path: string): number => {
    const header = decodeSegmentHeader(disk.content(path));
    return typeof header === "string" ? 0 : header.firstMain;
  };
  return pathsOf(disk, "rows-").sort((a, b) => first(a) - first(b));
}

/** How the start on this disk ends, and in which words. */
function refusal(disk: MemoryDisk): { exitCode: number; reason: string } {
  const files = new Map(pathsOf(disk, "").map((path) => [path, disk.content(path).slice()]));
  const outcome = openMemberNow(disk, 99);
  ok("ok" in outcome, "the storage is refused");
  ok(!outcome.reason.includes("\n"), outcome.reason);
  for (const [path, content] of files) {
    if (!path.includes("IDENTITY")) deepEqual(disk.content(path), content, `${path} is untouched`);
  }
  return outcome;
}

/** The log is whole and goes on; the state is not there, and the reason says why. */
function lost(disk: MemoryDisk): LostState {
  const { recovered, storage } = opened(openMemberNow(disk, 99));
  ok(recovered.lost !== null, "the state is lost");
  equal(recovered.checkpoint, null);
  ok(recovered.lost.index > 0 && recovered.entries.length > 0);
  equal(storage.damage, recovered.lost.reason);
  equal(storage.pin(), null, "nobody is given it");
  return recovered.lost;
}

/** What the scan of all rows finds. */
function damageOf(storage: StorageApi): string {
  scanAll(storage);
  ok(storage.damage !== null, "the scan finds it");
  equal(storage.pin(), null, "nobody is given it");
  return storage.damage;
}

function ended(act: () => void): ProcessEnd {
  try {
    act();
  } catch (error) {
    ok(error instanceof ProcessEnd, (error as Error).stack ?? "");
    return error;
  }
  throw new Error("the process should have ended");
}

test("undamaged, everything is there", () => {
  const disk = stored(1);
  ok(segmentPaths(disk).length >= 3, "several segments");
  equal(scanAll(opened(openMemberNow(disk, 2)).storage).length, 180 + 60);
});

test("any flipped bit of any row segment is found: the state is lost, the log is not", () => {
  const disk = stored(1);
  let tried = 0;
  for (const path of segmentPaths(disk)) {
    const content = disk.content(path);
    for (let at = 0; at < content.length; at += 97) {
      content[at]! ^= 1 << (at % 8);
      const outcome = openMemberNow(disk, 1000 + at);
      if ("ok" in outcome) {
        ok(at < 64, `${path} ${at}: ${outcome.reason}`);
        equal(outcome.exitCode, 75);
      } else if (outcome.recovered.lost === null) {
        const damage = damageOf(outcome.storage);
        ok(damage.startsWith(`${path}: offset `), damage);
        const offset = Number(/offset (\d+)/.exec(damage)![1]);
        ok(offset <= at && at - offset < 2 * storedShape.valueBytes + 4096 + 100, damage);
      } else {
        ok(at < 64, `${path} ${at}: ${outcome.recovered.lost.reason}`);
        ok(outcome.recovered.lost.checkpoint !== null, "the tables are whole");
      }
      content[at]! ^= 1 << (at % 8);
      disk.kill();
      tried += 1;
    }
  }
  ok(tried > 400, `${tried} bits`);
});

function running(seed: number): { member: OpenedMember; log: RowLog; segments: RowSegment[] } {
  const disk = stored(seed);
  const member = opened(openMemberNow(disk, seed, { ...smallOptions, rowCacheBytesMax: 0 }));
  scanAll(member.storage);
  const log = member.storage.rows as RowLog;
  return { member, log, segments: [...log.segments] };
}

test("a row damaged after the scan: read and walk end the process with file, offset, revision", () => {
  const { member, log, segments } = running(2);
  const segment = segments[1]!;
  const path = `${testDirectory}/${segment.name}`;
  const offset = segment.places.offsetAt(5);
  const ref = segment.places.refAt(5);
  const main = log.read(ref).main;
  const content = member.env.disk.content(path);
  const wanted = new RegExp(
    `^${path}: offset ${offset}, revision ${main}: CRC [0-9a-f]{8}, want [0-9a-f]{8}; the row ` +
      "segment is damaged: start the member again, and it rebuilds its state",
  );
  content[offset + 70]! ^= 1;
  for (const act of [
    () => log.read(ref),
    () => log.cursorFrom(main).next(),
    () => {
      const cursor = log.cursorFrom(segment.firstMain);
      while (cursor.next() !== null) {
        // Until it meets the damage.
      }
    },
  ]) {
    const end = ended(act);
    equal(end.exitCode, 72);
    match(end.reason, wanted);
  }
});

test("a row written to the place of another one of its segment is not taken for it", () => {
  const { member, log, segments } = running(3);
  const segment = segments[0]!;
  const content = member.env.disk.content(`${testDirectory}/${segment.name}`);
  const { places } = segment;
  let tried = 0;
  for (let to = 1; to < places.count; to++) {
    const from = to - 1;
    const length = segment.boundAt(from);
    if (length > segment.boundAt(to)) continue;
    const saved = content.slice();
    content.copyWithin(places.offsetAt(to), places.offsetAt(from), places.offsetAt(from) + length);
    equal(ended(() => log.read(places.refAt(to))).exitCode, 72);
    content.set(saved);
    tried += 1;
  }
  ok(tried > 5);
});

test("a row that became zeros before padding is missed, in a sealed segment and in the growing one", () => {
  const disk = stored(2);
  const member = opened(openMemberNow(disk, 2));
  scanAll(member.storage);
  const segments = [...(member.storage.rows as RowLog).segments];
  ok(segments.some(({ sealed }) => sealed) && segments.some(({ sealed }) => !sealed));
  disk.kill();
  for (const { name, places, savedBytes } of segments) {
    const content = disk.content(`${testDirectory}/${name}`);
    const saved = content.slice();
    content.fill(0, places.offsetAt(places.count - 1), savedBytes);
    const { storage } = opened(openMemberNow(disk, 3));
    match(damageOf(storage), new RegExp(`/${name}: offset 0: CRC [0-9a-f]{8} of all`));
    content.set(saved);
    disk.kill();
  }
});

test("rows out of order, although each is whole, are damage", () => {
  const disk = stored(3);
  const path = segmentPaths(disk)[1]!;
  const content = disk.content(path);
  const header = decodeSegmentHeader(content);
  if (typeof header === "string") throw new Error(header);
  const block = new RowBlock(content);
  const first = segmentHeaderBytes;
  const second = first + rowLength(block, first, content.length);
  const length = rowLength(block, second, content.length);
  for (const main of [header.firstMain, header.firstMain - 1]) {
    block.view.setUint32(second + 8, main, true);
    block.view.setUint32(second + 16, 0, true);
    resealRow(block, second, length, seedOf(header.nonce), second);
    const { storage } = opened(openMemberNow(disk, 99));
    const after = `revision ${main}\\.0 after ${header.firstMain}\\.\\d`;
    match(damageOf(storage), new RegExp(`${path}: offset ${second}, revision ${main}: ${after}`));
    disk.kill();
  }
});

test("a medium that refuses the read: 72 with the errno", () => {
  const { member, log, segments } = running(4);
  member.env.disk.spoil(`${testDirectory}/${segments[0]!.name}`, 0);
  const end = ended(() => log.read(segments[0]!.places.refAt(0)));
  equal(end.exitCode, 72);
  match(end.reason, /rows-[0-9a-f]{13}: offset \d+: read: EIO; the row segment is damaged/);
});

test("files that the system does not give are not damaged: 64 at the start, 71 later, and whole after", () => {
  for (const part of ["rows-", "tables-", "MANIFEST-1", "wal-0", "wal-durable"]) {
    const disk = stored(2);
    disk.fail("open", part, "EPERM", 2);
    const refused = refusal(disk);
    equal(refused.exitCode, 64, `${part}: ${refused.reason}`);
    match(refused.reason, new RegExp(`/${part}\\S* cannot be used .*: EPERM$`));
    disk.kill();
    disk.fail("open", part, "EPERM", 0);
    equal(scanAll(opened(openMemberNow(disk, 3)).storage).length, 180 + 60, part);
  }
  const disk = stored(2);
  const member = opened(openMemberNow(disk, 4));
  disk.fail("open", "rows-", "EMFILE");
  const end = ended(() => scanAll(member.storage));
  equal(end.exitCode, 71);
  match(end.reason, /^\/data\/rows-.*: open failed with EMFILE/);
});

test("damage met while rewriting ends the process before anything is replaced", () => {
  const options = { ...smallOptions, rowCacheBytesMax: 0 };
  const driver = new StorageDriver(new MemoryDisk(5), storedShape, options, 5);
  driver.start();
  driver.put(200);
  driver.compactTo(150);
  driver.checkpoint();
  const log = driver.storage.rows as RowLog;
  for (const segment of log.segments) {
    const content = driver.disk.content(`${testDirectory}/${segment.name}`);
    for (let position = 0; position < segment.places.count; position++) {
      if (segment.dead.has(position)) continue;
      content[segment.places.offsetAt(position) + 20]! ^= 0x40;
    }
  }
  const end = ended(() => driver.tickFor(1000));
  equal(end.exitCode, 72);
  match(end.reason, /the row segment is damaged/);
});

const suffix = /; the checkpoint is damaged: with another member's state this one can be rebuilt/;

test("a segment cut, missing, swapped with another, or of another use: the state is lost", () => {
  const cases: [string, (disk: MemoryDisk, paths: string[]) => void, RegExp][] = [
    [
      "cut",
      (disk, paths) => disk.put(paths[1]!, disk.content(paths[1]!).slice(0, 8192)),
      /rows-[0-9a-f]{13}: 8192 bytes long, the manifest says 16384/,
    ],
    ["missing", (disk, paths) => disk.erase(paths[0]!), /missing, although the manifest names it/],
    [
      "empty",
      (disk, paths) => disk.put(paths[0]!, new Uint8Array(0)),
      /0 bytes long, the manifest/,
    ],
    [
      "swapped",
      (disk, paths) => {
        const one = disk.content(paths[0]!).slice();
        disk.put(paths[0]!, disk.content(paths[1]!));
        disk.put(paths[1]!, one);
      },
      /another segment stands under this name: it begins at revision \d+, the manifest says 1;/,
    ],
    [
      "zeroed",
      (disk, paths) => disk.content(paths[2]!).fill(0),
      /offset 0: not the magic of a row segment/,
    ],
    [
      "header damaged",
      (disk, paths) => void (disk.content(paths[0]!)[20]! ^= 1),
      /offset 4: the CRC of the segment header is wrong/,
    ],
  ];
  for (const [name, damage, reason] of cases) {
    const disk = stored(6);
    damage(disk, segmentPaths(disk));
    const { reason: found, checkpoint } = lost(disk);
    match(found, reason, name);
    match(found, suffix);
    ok(checkpoint !== null, "the tables are whole");
  }
});

test("a segment of another cluster, or written under another raft id: 75", () => {
  const cases: [(header: SegmentHeader) => SegmentHeader, RegExp][] = [
    [
      (h) => new SegmentHeader("00000000000000ff", h.originRaftId, h.nonce, h.firstMain),
      /rows-[0-9a-f]{13}: of cluster 00000000000000ff, this member is of 00000000000000c1$/,
    ],
    [
      (h) => new SegmentHeader(h.clusterId, 12345, h.nonce, h.firstMain),
      /rows-[0-9a-f]{13}: written under raft id 12345, the manifest says \d+$/,
    ],
  ];
  for (const [change, reason] of cases) {
    const disk = stored(7);
    const content = disk.content(segmentPaths(disk)[1]!);
    const header = decodeSegmentHeader(content);
    if (typeof header === "string") throw new Error(header);
    encodeSegmentHeader(change(header), content);
    const outcome = refusal(disk);
    equal(outcome.exitCode, 75);
    match(outcome.reason, reason);
  }
});

test("tables damaged, cut, missing or of another checkpoint: the state is lost", () => {
  for (let at = 0; at < 4096 + 40; at += 11) {
    const disk = stored(8);
    const path = pathsOf(disk, "tables-")[0]!;
    disk.content(path)[at]! ^= 2;
    const { reason, checkpoint } = lost(disk);
    match(reason, /tables-[0-9a-f]{13}: CRC [0-9a-f]{8}, the manifest says [0-9a-f]{8}/);
    match(reason, suffix);
    equal(checkpoint, null);
  }
  const cut = stored(8);
  const path = pathsOf(cut, "tables-")[0]!;
  cut.put(path, cut.content(path).slice(0, 4096));
  match(lost(cut).reason, /4096 bytes long, the manifest says 8192/);
  const gone = stored(8);
  gone.erase(pathsOf(gone, "tables-")[0]!);
  match(lost(gone).reason, /missing, although the manifest names it/);
  const other = stored(8);
  other.put(pathsOf(other, "tables-")[0]!, cut.content(path));
  match(lost(other).reason, suffix);
});

test("a snapshot puts a new state in force, and the log goes on behind it", () => {
  const [disk, other] = [1, 2].map(() => {
    const driver = new StorageDriver(new MemoryDisk(8), storedShape, smallOptions, 8);
    driver.start();
    driver.put(150);
    driver.checkpoint();
    driver.put(170);
    driver.close();
    driver.disk.kill();
    return driver.disk;
  }) as [MemoryDisk, MemoryDisk];
  const source = opened(openMemberNow(other, 1));
  scanAll(source.storage);
  const snapshot = source.storage.pin()!;
  disk.content(segmentPaths(disk)[1]!)[5000]! ^= 1;
  const { storage, recovered, env } = opened(openMemberNow(disk, 2));
  damageOf(storage);
  const last = recovered.entries.at(-1)!.index;
  ok(last > snapshot.checkpoint.index, "entries stand above the checkpoint");
  const sink = storage.stage(snapshot.files, snapshot.checkpoint.id);
  for (const [at, { bytes }] of snapshot.files.entries()) {
    sink.write(at, 0, snapshot.readNow(at, 0, bytes), () => {});
    env.run();
  }
  let installed = false;
  sink.finish((whole) => {
    ok(whole);
    storage.install(sink, recovered.hardState, true, () => (installed = true));
  });
  env.run();
  ok(installed);
  ok(scanAll(storage).length > 150);
  equal(storage.damage, null);
  disk.kill();
  const again = opened(openMemberNow(disk, 3));
  equal(again.recovered.lost, null);
  equal(again.recovered.entries.at(-1)!.index, last, "what was acknowledged is there");
});

test("a longer file than in force is no damage: an interrupted checkpoint leaves it", () => {
  const disk = stored(9);
  const path = segmentPaths(disk).at(-1)!;
  disk.put(path, new Uint8Array([...disk.content(path), ...new Uint8Array(5000).fill(0xaa)]));
  equal(scanAll(opened(openMemberNow(disk, 2)).storage).length, 240);
});

test("no manifest left, or nothing left but the identity: 72, never a new log under the old id", () => {
  const disk = stored(10);
  for (const path of pathsOf(disk, "MANIFEST")) disk.erase(path);
  const outcome = refusal(disk);
  equal(outcome.exitCode, 72);
  match(outcome.reason, /both copies of the manifest are missing, although this member has run/);
  for (const prefix of ["rows-", "tables-", "wal-"]) {
    for (const path of pathsOf(disk, prefix)) disk.erase(path);
  }
  disk.kill();
  equal(refusal(disk).exitCode, 72);
});

test("leftovers of ours are removed, strangers are left alone with a warning", () => {
  const disk = stored(11);
  const ours = ["rows-0000000000123", "tables-00000000000ff"];
  const strangers = ["rows-backup", "notes.txt", "rows-0000000000123.bak", "tables"];
  for (const name of [...ours, ...strangers]) {
    disk.put(`${testDirectory}/${name}`, new Uint8Array(9));
  }
  const before = disk.listNow(testDirectory)!;
  const member = opened(openMemberNow(disk, 3));
  const after = disk.listNow(testDirectory)!;
  deepEqual(
    before.filter((name) => !after.includes(name) && !name.startsWith("wal-")),
    ours,
  );
  const warned = member.env.lines.filter((line) => line.event.includes("is not known"));
  deepEqual(
    warned.map((line) => line.fields["name"]),
    strangers.toSorted(),
  );
});

test("a write or sync that fails anywhere in a checkpoint ends the process with 71", () => {
  for (const [operation, part] of [
    ["write", "rows-"],
    ["sync", "rows-"],
    ["write", "tables-"],
    ["sync", "tables-"],
    ["syncDirectory", "/data"],
    ["write", "MANIFEST-1"],
    ["sync", "MANIFEST-2"],
    ["open", "rows-"],
  ] as const) {
    const driver = new StorageDriver(new MemoryDisk(12), storedShape, smallOptions, 12);
    driver.start();
    driver.put(30);
    driver.disk.fail(operation, part, "EIO");
    const end = ended(() => driver.checkpoint());
    equal(end.exitCode, 71, `${operation} ${part}`);
    match(end.reason, /^\/data.* failed with EIO; /);
    equal(driver.known.checkpoint, null);
    driver.disk.powerLoss();
    driver.start();
    driver.check();
  }
});

test("a full disk in a checkpoint ends the process with 71 and ENOSPC", () => {
  const driver = new StorageDriver(new MemoryDisk(13), storedShape, smallOptions, 13);
  driver.start();
  driver.put(100);
  driver.disk.capacityBytes = 0;
  const end = ended(() => driver.checkpoint());
  equal(end.exitCode, 71);
  match(end.reason, /ENOSPC/);
  driver.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
  driver.disk.kill();
  driver.start();
  driver.check();
});
