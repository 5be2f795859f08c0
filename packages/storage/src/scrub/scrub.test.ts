// Rereading finds every byte that is not as it was written, in the log's sealed segments and in the rows,
// tells where, and tells nothing else; it keeps its budget, stands still while others wait, and is not
// misled by files that go meanwhile. Method: one member, bytes flipped from outside, passes ticked through.
import test from "node:test";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { StorageDriver } from "../testing/storage-driver.ts";
import { smallOptions } from "../testing/test-member.ts";
import type { StorageOptions } from "../storage-api.ts";
import type { RowLog } from "../rows/row-log.ts";
import type { ScrubFinding } from "./scrub-api.ts";

const intervalMs = 1_000;
const shape = { keys: 40, valueBytes: 200 };

interface Bench {
  readonly driver: StorageDriver;
  readonly found: ScrubFinding[];
  /** Until a whole pass has begun and ended. */
  readonly pass: () => readonly ScrubFinding[];
}

function bench(more: Partial<StorageOptions> = {}, seed: number = 5): Bench {
  const options = {
    ...smallOptions,
    rowSegmentBytes: 16_384,
    scrubIntervalMs: intervalMs,
    scrubBytesPerSecond: 10_000_000,
    ...more,
  };
  const driver = new StorageDriver(new MemoryDisk(seed), shape, options, seed);
  driver.start();
  const found: ScrubFinding[] = [];
  driver.storage.onScrubFinding((finding) => found.push(finding));
  // Several segments of either kind; the log stays, for whoever catches up.
  for (let last = 10; last <= 600; last += 10) driver.put(last);
  driver.checkpoint(1);
  const pass = (): readonly ScrubFinding[] => {
    found.length = 0;
    for (const under of [true, false]) {
      for (let ticks = 0; driver.storage.scrubbing !== under; ticks++) {
        ok(ticks < 10_000, "a pass begins and ends");
        driver.tickFor(10);
      }
    }
    return found;
  };
  return { driver, found, pass };
}

const names = (driver: StorageDriver, prefix: string): string[] =>
  driver.disk
    .listNow("/data")!
    .filter((name) => name.startsWith(prefix))
    .map((name) => `/data/${name}`);

/** Of the log those that nothing more is written to. */
function sealedOf(driver: StorageDriver): string[] {
  const { walSegments } = driver.storage.usage();
  const all = names(driver, "wal-0");
  ok(all.length >= 4 && walSegments >= 4, "several segments");
  return all.slice(0, -2);
}

test("a pass over what is whole reads everything and finds nothing", () => {
  const { driver, pass } = bench();
  const { rowBytes } = driver.storage.usage();
  deepEqual(pass(), []);
  const { scrubbedBytes } = driver.storage.usage();
  ok(scrubbedBytes >= rowBytes + 2 * smallOptions.walSegmentBytes);
  deepEqual(pass(), []);
  ok(driver.storage.usage().scrubbedBytes >= 2 * rowBytes, "once per interval");
});

/** Each position flipped alone, and put right again. */
function checkFlips(
  { driver, pass }: Bench,
  path: string,
  positions: readonly number[],
  isFree: (content: Uint8Array, at: number) => boolean,
): number {
  let hits = 0;
  for (const at of positions) {
    const content = driver.disk.content(path);
    if (isFree(content, at)) continue;
    content[at]! ^= 0x10;
    const found = pass();
    driver.disk.content(path)[at]! ^= 0x10;
    equal(found.length, 1, `${path} at ${at}: ${found.map(({ what }) => what).join()}`);
    const [finding] = found;
    equal(finding!.path, path);
    ok(finding!.offset <= at && !finding!.unreadable, `${finding!.offset} for ${at}`);
    hits += 1;
  }
  return hits;
}

test("every flipped bit of a row segment is found, where it is", () => {
  const all = bench();
  const paths = names(all.driver, "rows-");
  ok(paths.length >= 3);
  let hits = 0;
  for (const path of paths) {
    const { length } = all.driver.disk.content(path);
    const positions = [1, 30, 63, 64, 70, length >> 1, (length >> 1) + 77, length - 1];
    hits += checkFlips(all, path, positions, () => false);
  }
  ok(hits >= 24);
});

test("every flipped bit of a batch is found, where its batch is", () => {
  const all = bench();
  let hits = 0;
  for (const path of sealedOf(all.driver)) {
    const { length } = all.driver.disk.content(path);
    const positions = [4097, 4200, 4400, 8200, 12_300, length >> 1].filter((at) => at < length);
    // Behind a batch's payload is room up to the next block, and it is nobody's.
    hits += checkFlips(all, path, positions, (content, at) => content[at] === 0);
  }
  ok(hits >= 4, `${hits} flips`);
});

test("what cannot be read, is missing or cut is told as such, and the pass goes on", () => {
  const { driver, pass } = bench();
  const [first, second, third] = names(driver, "rows-") as [string, string, string];
  const [segment] = sealedOf(driver) as [string];
  driver.disk.spoil(first, 4096);
  driver.disk.spoil(segment, 4096);
  driver.disk.erase(second);
  driver.disk.put(third, driver.disk.content(third).slice(0, 5_000));
  const found = pass().map(({ path, unreadable, part, what }) => [path, unreadable, part, what]);
  equal(found.length, 4);
  deepEqual(found[0]!.slice(0, 3), [segment, true, "wal"]);
  deepEqual(found[1], [first, true, "rows", "read: EIO"]);
  deepEqual(found[2], [second, false, "rows", "cannot be opened: ENOENT"]);
  deepEqual(found[3], [third, false, "rows", "the file ends within its length in force"]);
});

test("a row longer than a slice is reread whole", () => {
  const { driver, pass } = bench({ scrubBytesPerSecond: 20_000 });
  deepEqual(pass(), []);
  const [path] = names(driver, "rows-") as [string];
  driver.disk.content(path)[300]! ^= 1;
  equal(pass().length, 1);
});

test("the budget holds, and nothing is read while requests wait", () => {
  const bytesPerSecond = 50_000.7;
  const { driver, found } = bench({ scrubBytesPerSecond: bytesPerSecond });
  driver.tickFor(intervalMs + 10);
  const scrubbed = (): number => driver.storage.usage().scrubbedBytes;
  const before = scrubbed();
  driver.tickFor(1_000);
  const read = scrubbed() - before;
  ok(read > bytesPerSecond * 0.5 && read < bytesPerSecond * 1.5, `${read} bytes in a second`);
  const { env, storage } = driver;
  for (let ticks = 0; ticks < 100; ticks++) {
    env.nowMs += 10;
    storage.tick(true);
    env.run();
  }
  equal(scrubbed(), before + read);
  driver.tickFor(10_000);
  deepEqual(found, []);
});

test("segments that are dropped, recycled or rewritten under a pass are no damage", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { driver, found } = bench({ scrubBytesPerSecond: 200_000 }, seed);
    driver.tickFor(intervalMs + 20);
    ok(driver.storage.scrubbing);
    for (let round = 1; round <= 10; round++) {
      driver.put(600 + 40 * round);
      driver.compactTo(560 + 40 * round);
      driver.checkpoint();
      driver.tickFor(100);
    }
    driver.tickFor(2 * intervalMs);
    deepEqual(found, []);
    driver.disk.powerLoss();
    driver.start();
    driver.check(960);
  }
});

test("an interval of infinity is never", () => {
  const { driver } = bench({ scrubIntervalMs: Infinity });
  driver.tickFor(5_000);
  equal(driver.storage.usage().scrubbedBytes, 0);
});

test("a file that the system does not give out is not damaged: the next pass rereads it", () => {
  const { driver, pass } = bench();
  const [path] = names(driver, "rows-") as [string];
  const [segment] = sealedOf(driver) as [string];
  driver.disk.content(path)[300]! ^= 1;
  driver.disk.content(segment)[4200]! ^= 1;
  for (const code of ["EPERM", "EROFS", "EMFILE"]) {
    for (const refused of [path, segment]) driver.disk.fail("open", refused, code);
    deepEqual(pass(), [], code);
  }
  equal(pass().length, 2, "what is given out is reread");
});

test("a row that became zeros before padding is missed", () => {
  const { driver, pass } = bench();
  const log = driver.storage.rows as RowLog;
  const segment = log.segments.find(({ sealedInForce }) => sealedInForce)!;
  const content = driver.disk.content(`/data/${segment.name}`);
  content.fill(0, segment.places.offsetAt(segment.places.count - 1), segment.savedBytes);
  const found = pass();
  equal(found.length, 1);
  match(found[0]!.what, /^CRC [0-9a-f]{8} of all, want /);
});
