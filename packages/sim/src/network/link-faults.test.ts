// What may happen to single sends, links and ways, by cases: each fault does what its name says, is
// counted, and is over when it is mended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkEnd, type LinkEvents } from "@quorate/storage";
import { NetworkBench, packet, type Tap, upTo } from "../../test/network-bench.ts";
import { Wiretap } from "./wiretap.ts";

/** A send whose bytes are all equal, so that a cut or damaged one shows. */
const filled = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value);

/** Replaces the recorder of whoever is accepted next: keeps what came, byte by byte. */
function keepBytes(bench: NetworkBench, machine: number, closes = false): Uint8Array[] {
  const got: Uint8Array[] = [];
  bench.transports[machine]!.listen((link) => {
    const events: LinkEvents = {
      onOpen: () => {},
      onBytes: (bytes) => {
        got.push(bytes);
        if (closes) link.close();
      },
      onDrain: () => {},
      onEnd: () => {},
    };
    return events;
  });
  return got;
}

test("reset: a part of one send arrives, then both sides hear of the end; nothing follows", () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 30; seed++) {
    const bench = new NetworkBench(seed);
    const got = keepBytes(bench, 1);
    const dialer = bench.dial(0, 1);
    bench.world.runFor(100);
    dialer.link!.send(filled(1, 100));
    bench.world.runFor(100);
    bench.network.options.resetChance = 1;
    dialer.link!.send(filled(2, 100));
    bench.world.runFor(100);
    dialer.link!.send(filled(3, 100));
    bench.world.runFor(100);
    assert.deepEqual(dialer.ends, [LinkEnd.Failed]);
    assert.equal(got[0]!.length, 100);
    assert.ok(got.length <= 2);
    const half = got[1] ?? new Uint8Array(0);
    assert.ok(half.length < 100 && half.every((byte) => byte === 2));
    lengths.add(half.length);
    assert.equal(bench.world.faults.of("network.reset"), 1);
    assert.equal(bench.network.linkCount, 0);
  }
  assert.ok(lengths.size > 10, "cut at different places");
});

test("flip: one to three bits of a send are wrong, the sender's own bytes are not", () => {
  const bench = new NetworkBench(3);
  const got = keepBytes(bench, 1);
  let taken = 0;
  bench.network.onDamageTaken = () => void taken++;
  const dialer = bench.dial(0, 1);
  bench.world.runFor(100);
  bench.network.options.flipChance = 1;
  const sent = filled(0, 40);
  for (const _ of upTo(50)) dialer.link!.send(sent);
  bench.world.runFor(1000);
  assert.equal(got.length, 50);
  const bits = new Set<number>();
  for (const bytes of got) {
    let count = 0;
    for (const byte of bytes) for (let bit = 0; bit < 8; bit++) count += (byte >> bit) & 1;
    bits.add(count);
  }
  assert.deepEqual(
    [...bits].sort((a, b) => a - b),
    [1, 2, 3],
  );
  assert.ok(sent.every((byte) => byte === 0));
  assert.equal(taken, 50, "this receiver has ended nothing");
  assert.equal(bench.world.faults.of("network.flip"), 50);
});

test("flip: a receiver that ends the link at once is not reported", () => {
  const bench = new NetworkBench(4);
  keepBytes(bench, 1, true);
  let taken = 0;
  bench.network.onDamageTaken = () => void taken++;
  const dialer = bench.dial(0, 1);
  bench.world.runFor(100);
  bench.network.options.flipChance = 1;
  dialer.link!.send(filled(0, 40));
  bench.world.runFor(1000);
  assert.equal(taken, 0);
});

test("clog: one direction of one link stands still, the other and other links do not", () => {
  const bench = new NetworkBench(5);
  const [a, b] = bench.connect(0, 1);
  const [other, otherEnd] = bench.connect(0, 1);
  Object.assign(bench.network.options, { clogChance: 1, clogMaxUs: 3_000_000 });
  a.link!.send(packet(1));
  bench.network.options.clogChance = 0;
  a.link!.send(packet(2));
  b.link!.send(packet(3));
  other.link!.send(packet(4));
  bench.world.runFor(10);
  assert.deepEqual([b.got, a.got, otherEnd.got], [[], [3], [4]]);
  bench.world.runFor(4_000);
  assert.deepEqual(b.got, [1, 2], "in order, once it is over");
  assert.deepEqual(a.ends, []);
  assert.equal(bench.world.faults.of("network.clog"), 1);
});

test("clog: mended at once by mend", () => {
  const bench = new NetworkBench(6);
  const [a, b] = bench.connect(0, 1);
  Object.assign(bench.network.options, { clogChance: 1, clogMaxUs: 15_000_000 });
  a.link!.send(packet(1));
  bench.network.options.clogChance = 0;
  bench.world.runFor(50);
  assert.deepEqual(b.got, []);
  bench.network.mend();
  bench.world.runFor(300);
  assert.deepEqual(b.got, [1]);
});

test("late: what follows on the link waits behind it, another link overtakes", () => {
  const bench = new NetworkBench(7);
  const [a, b] = bench.connect(0, 1);
  const [other, otherEnd] = bench.connect(0, 1);
  Object.assign(bench.network.options, { lateChance: 1, lateMaxUs: 800_000 });
  a.link!.send(packet(1));
  bench.network.options.lateChance = 0;
  a.link!.send(packet(2));
  other.link!.send(packet(3));
  bench.world.runFor(10);
  assert.deepEqual([b.got, otherEnd.got], [[], [3]]);
  bench.world.runFor(1000);
  assert.deepEqual(b.got, [1, 2]);
  assert.equal(bench.world.faults.of("network.reorder"), 1);
});

test("a way can be slow, far or lossy, in one direction, while all others stay as they are", () => {
  const bench = new NetworkBench(8, 3);
  const [a, b] = bench.connect(0, 1);
  const [c, d] = bench.connect(0, 2);
  const way = bench.network.way("m0", "m1");
  way.slowFactor = 100;
  way.addedMinUs = 50_000;
  way.addedMaxUs = 60_000;
  a.link!.send(packet(1));
  b.link!.send(packet(2));
  c.link!.send(packet(3));
  bench.world.runFor(10);
  assert.deepEqual([b.got, a.got, d.got], [[], [2], [3]]);
  bench.world.runFor(49);
  assert.deepEqual(b.got, []);
  bench.world.runFor(300);
  assert.deepEqual(b.got, [1]);
  way.mend();
  way.chances.lossChance = 1;
  a.link!.send(packet(4));
  b.link!.send(packet(5));
  bench.world.runFor(100);
  assert.deepEqual([b.got, a.got], [[1], [2, 5]]);
  bench.network.mend();
  a.link!.send(packet(6));
  bench.world.runFor(100);
  assert.deepEqual(b.got, [1, 6]);
});

test("a stalled machine neither sends nor receives nor accepts until all reasons are gone", () => {
  const bench = new NetworkBench(9, 3);
  const [a, b] = bench.connect(0, 1);
  const [c, d] = bench.connect(0, 2);
  bench.network.stall("m1");
  bench.network.stall("m1");
  a.link!.send(packet(1));
  b.link!.send(packet(2));
  c.link!.send(packet(3));
  const knock: Tap = bench.dial(2, 1);
  bench.world.runFor(1000);
  assert.deepEqual([a.got, b.got, d.got, knock.opened], [[], [], [3], false]);
  bench.network.release("m1");
  bench.world.runFor(500);
  assert.deepEqual([a.got, b.got], [[], []]);
  bench.network.release("m1");
  bench.world.runFor(1000);
  assert.deepEqual([a.got, b.got, knock.opened], [[2], [1], true]);
});

test("a wiretap keeps the first and the newest sends of what was dialled, and forgets old links", () => {
  const bench = new NetworkBench(10);
  const tap = new Wiretap();
  bench.network.tap = tap;
  const [a, b] = bench.connect(0, 1);
  for (const i of upTo(100)) a.link!.send(packet(i));
  b.link!.send(packet(200));
  bench.world.runFor(1000);
  const [recording, ...others] = tap.since(0);
  assert.deepEqual(others, []);
  assert.equal(recording!.address, "m1:2380");
  assert.equal(recording!.receiver, "m1");
  assert.equal(recording!.first.bytes[0], 0);
  assert.deepEqual(
    recording!.later.map(({ bytes }) => bytes[0]!),
    upTo(100).slice(36),
  );
  assert.deepEqual(tap.since(bench.world.nowUs), []);
  for (const _ of upTo(200)) bench.connect(1, 0)[0].link!.send(packet(1));
  assert.ok(tap.since(0).every(({ from }) => from.name === "m1"));
  assert.equal(tap.since(0).length, 96);
});

test("what a foreign machine sends is neither shown to checkers nor recorded", () => {
  const bench = new NetworkBench(11, 3);
  bench.network.machine("m2").foreign = true;
  bench.network.tap = new Wiretap();
  let shown = 0;
  bench.network.onSend = () => void shown++;
  const [a, b] = bench.connect(2, 1);
  a.link!.send(packet(1));
  bench.world.runFor(10);
  assert.deepEqual(b.got, [1]);
  assert.equal(shown, 0);
  assert.deepEqual(bench.network.tap.since(0), []);
});
