// The manifest: changes are merged, both copies are durable before a change is done, and whatever a
// crash leaves, the newest valid copy holds everything that was done.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";
import { Prng } from "@quorate/base";
import { copyPath } from "../directory/two-copies.ts";
import { Medium } from "../medium.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { ProcessEnd, TestEnv } from "../testing/test-env.ts";
import { decodeManifest, encodeManifest } from "./manifest-codec.ts";
import { noFiles, openManifest, readManifestNow } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import type { ManifestState } from "./manifest-api.ts";

const owner = { directory: "/data", clusterId: "00000000000000c1", raftId: 77 };

const example: ManifestState = {
  generation: 9,
  walSegments: [{ id: 3, nonce: 2 ** 51, bytes: 65_536 }],
  rowSegments: [
    {
      name: "rows-000000000002a",
      nonce: 5,
      originRaftId: 2 ** 52 - 1,
      bytes: 8192,
      crc: 0xffffffff,
      sealed: true,
      firstMain: 1,
    },
    {
      name: "rows-000000000002b",
      nonce: 6,
      originRaftId: 77,
      bytes: 4096,
      crc: 0,
      sealed: false,
      firstMain: 100,
    },
  ],
  checkpoint: {
    id: 12,
    index: 345,
    term: 6,
    tablesName: "tables-0000000000001",
    tablesBytes: 8192,
    tablesCrc: 99,
    durableSeq: 1234,
  },
};

function newDisk(seed: number): MemoryDisk {
  const disk = new MemoryDisk(seed);
  disk.makeDirectoryNow("/data");
  return disk;
}

function openNow(env: TestEnv, state: ManifestState, crashAt: number = Infinity): Manifest | null {
  let manifest: Manifest | null = null;
  openManifest(new Medium(env), owner, state, (opened) => (manifest = opened));
  env.run(() => manifest !== null || env.disk.performed >= crashAt);
  return manifest;
}

function read(disk: MemoryDisk): ManifestState {
  const outcome = readManifestNow(disk, owner);
  if (outcome === null || !outcome.ok) throw new Error(`refused: ${outcome?.reason}`);
  return outcome.state;
}

/** A state that says which change made it; long ones grow the file beyond a block. */
function numbered(state: ManifestState, change: number): ManifestState {
  const walSegments = state.walSegments.slice(-150);
  return { ...state, walSegments: [...walSegments, { id: change, nonce: change, bytes: change }] };
}

function newest(state: ManifestState): number {
  return state.walSegments.at(-1)?.id ?? 0;
}

test("codec: what was encoded is decoded, anything cut or longer is not", () => {
  const owned = { clusterId: owner.clusterId, raftId: 77, state: example };
  const bytes = encodeManifest(owned);
  deepEqual(decodeManifest(bytes, 9), owned);
  const empty = { ...owned, state: { ...noFiles, generation: 1 } };
  deepEqual(decodeManifest(encodeManifest(empty), 1), empty);
  for (let length = 0; length < bytes.length; length++) {
    equal(decodeManifest(bytes.subarray(0, length), 9), null);
  }
  equal(decodeManifest(new Uint8Array([...bytes, 0]), 9), null);
});

test("changes made while one is written become one generation, in their order", () => {
  const env = new TestEnv(newDisk(1), 1);
  const manifest = openNow(env, noFiles)!;
  const done: number[] = [];
  for (let change = 1; change <= 5; change++) {
    manifest.change(
      (state) => numbered(state, change),
      () => done.push(change),
    );
  }
  equal(newest(manifest.state), 0, "nothing is in force before it is durable");
  env.run();
  deepEqual(done, [1, 2, 3, 4, 5]);
  equal(manifest.state.generation, 3);
  deepEqual(
    manifest.state.walSegments.map((segment) => segment.id),
    [1, 2, 3, 4, 5],
  );
  deepEqual(read(env.disk), manifest.state);
});

test("crash at every operation of a row of changes, any kind, 30 seeds", () => {
  let crashes = 0;
  for (let seed = 1; seed <= 30; seed++) {
    for (let crashAt = 0; crashAt < 60; crashAt++) crashes += changesUntil(seed, crashAt);
  }
  ok(crashes > 1000, `${crashes} crashes`);
});

function changesUntil(seed: number, crashAt: number): number {
  const prng = new Prng(seed * 1000 + crashAt);
  const disk = newDisk(seed * 1000 + crashAt);
  const env = new TestEnv(disk, seed);
  let asked = 0;
  let done = 0;
  const manifest = openNow(env, noFiles, crashAt);
  while (manifest !== null && disk.performed < crashAt && asked < 400) {
    for (let burst = prng.below(40); burst >= 0; burst--) {
      const change = ++asked;
      manifest.change(
        (state) => numbered(state, change),
        () => (done = change),
      );
    }
    const reached = asked - prng.below(3);
    env.run(() => done >= reached || disk.performed >= crashAt);
  }
  if (prng.chance(0.3)) disk.kill();
  else disk.powerLoss();
  if (readManifestNow(disk, owner) === null) {
    equal(done, 0);
    equal(manifest, null, "once open, it is there");
    return 1;
  }
  const found = newest(read(disk));
  ok(found >= done && found <= asked, `${done} done, ${asked} asked, ${found} found`);
  // The next start, cut short: it may lose what was never done, and what it acts on stays.
  const again = new TestEnv(disk, seed + 1);
  const second = openNow(again, read(disk), disk.performed + prng.below(9));
  disk.powerLoss();
  if (readManifestNow(disk, owner) === null) {
    ok(done === 0 && second === null, "a manifest that was open once stays");
    return 1;
  }
  const kept = newest(read(disk));
  ok(second === null ? kept >= done : kept === found, `${found} found, ${kept} kept`);
  openNow(new TestEnv(disk, seed + 2), read(disk));
  disk.powerLoss();
  equal(newest(read(disk)), kept);
  return 1;
}

function twoGenerations(): MemoryDisk {
  const env = new TestEnv(newDisk(1), 1);
  const manifest = openNow(env, example)!;
  manifest.change(
    (state) => numbered(state, 42),
    () => {},
  );
  env.run();
  env.disk.kill();
  return env.disk;
}

for (const copy of [1, 2] as const) {
  test(`copy ${copy} damaged in any byte that counts: the other one is taken and it is repaired`, () => {
    const disk = twoGenerations();
    const path = copyPath("/data", "MANIFEST", copy);
    const length = 24 + encodeManifest({ ...owner, state: read(disk) }).length;
    for (let at = 0; at < length; at++) {
      disk.content(path)[at]! ^= 1 << (at % 8);
      const outcome = readManifestNow(disk, owner);
      ok(outcome !== null && outcome.ok && outcome.repair !== null, `byte ${at}`);
      ok(outcome.repair.includes(path), outcome.repair);
      equal(newest(outcome.state), 42);
      disk.content(path)[at]! ^= 1 << (at % 8);
    }
    disk.content(path)[30]! ^= 4;
    openNow(new TestEnv(disk, 2), read(disk));
    const repaired = readManifestNow(disk, owner);
    ok(repaired !== null && repaired.ok && repaired.repair === null);
    equal(newest(repaired.state), 42);
  });

  test(`copy ${copy} missing or older: the other one is taken`, () => {
    const disk = twoGenerations();
    const path = copyPath("/data", "MANIFEST", copy);
    const older = new TestEnv(newDisk(9), 9);
    openNow(older, example);
    disk.put(path, older.disk.content(path));
    const outcome = readManifestNow(disk, owner);
    ok(outcome !== null && outcome.ok);
    equal(newest(outcome.state), 42);
    ok(outcome.repair?.includes("older generation"), outcome.repair ?? "");
    disk.erase(path);
    equal(newest(read(disk)), 42);
  });
}

test("both copies damaged: 72, both named with what is wrong", () => {
  const disk = twoGenerations();
  disk.content("/data/MANIFEST-1")[40]! ^= 1;
  disk.content("/data/MANIFEST-2")[2] = 0;
  const outcome = readManifestNow(disk, owner);
  ok(outcome !== null && !outcome.ok);
  equal(outcome.exitCode, 72);
  ok(/MANIFEST-1: offset 4: CRC [0-9a-f]{8}, want/.test(outcome.reason), outcome.reason);
  ok(/MANIFEST-2: offset 2: not the magic/.test(outcome.reason), outcome.reason);
  disk.erase("/data/MANIFEST-2");
  const other = readManifestNow(disk, owner);
  ok(other !== null && !other.ok && other.exitCode === 72, "one missing, the other damaged");
});

test("two copies of one generation that differ: 72", () => {
  const disk = twoGenerations();
  const env = new TestEnv(newDisk(9), 9);
  const manifest = openNow(env, example)!;
  manifest.change(
    (state) => numbered(state, 43),
    () => {},
  );
  env.run();
  disk.put("/data/MANIFEST-2", env.disk.content("/data/MANIFEST-2"));
  const outcome = readManifestNow(disk, owner);
  ok(outcome !== null && !outcome.ok);
  equal(outcome.exitCode, 72);
  ok(outcome.reason.includes("different content in generation"), outcome.reason);
});

test("another member's manifest, or one of a newer format: 75", () => {
  const disk = twoGenerations();
  for (const other of [
    { ...owner, raftId: 78 },
    { ...owner, clusterId: "00000000000000c2" },
  ]) {
    const outcome = readManifestNow(disk, other);
    ok(outcome !== null && !outcome.ok);
    equal(outcome.exitCode, 75);
    ok(outcome.reason.includes("of cluster 00000000000000c1 and raft id 77"), outcome.reason);
  }
});

test("a write that fails ends the process with 71 and the errno", () => {
  const env = new TestEnv(newDisk(1), 1);
  const manifest = openNow(env, noFiles)!;
  env.disk.fail("sync", "MANIFEST-1", "EIO");
  let done = false;
  manifest.change(
    (state) => numbered(state, 1),
    () => (done = true),
  );
  try {
    env.run();
    ok(false, "the process ends");
  } catch (error) {
    ok(error instanceof ProcessEnd, String(error));
    equal(error.exitCode, 71);
    ok(error.reason.includes("/data/MANIFEST-1: sync failed with EIO"), error.reason);
  }
  equal(done, false);
});
