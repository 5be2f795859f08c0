// The simulated network by cases: dialling, order, bounds, cuts, and how links end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkEnd } from "@quorate/storage";
import { NetworkBench, packet, Tap, upTo } from "../test/network-bench.ts";

test("a dial opens at both ends, later, and bytes sent before it opens arrive", () => {
  const bench = new NetworkBench(1);
  const dialer = bench.dial(0, 1);
  assert.equal(dialer.opened, false);
  dialer.link!.send(packet(5));
  bench.world.runFor(100);
  assert.ok(dialer.opened);
  assert.deepEqual(bench.accepted[0]!.got, [5]);
  assert.equal(dialer.link!.remote, "m1:2380");
});

test("sends of one link arrive in order in both directions, whatever the delays", () => {
  const bench = new NetworkBench(2);
  bench.network.options.tailChance = 0.3;
  const [a, b] = bench.connect(0, 1);
  for (const i of upTo(100)) {
    a.link!.send(packet(i));
    b.link!.send(packet(i));
    if (i % 10 === 0) bench.world.runFor(1);
  }
  bench.world.runFor(1000);
  assert.deepEqual(a.got, upTo(100));
  assert.deepEqual(b.got, upTo(100));
});

test("links between the same two machines overtake each other", () => {
  let overtaken = 0;
  for (let seed = 0; seed < 20; seed++) {
    const bench = new NetworkBench(seed);
    const [first, firstEnd] = bench.connect(0, 1);
    const [second, secondEnd] = bench.connect(0, 1);
    first.link!.send(packet(1));
    second.link!.send(packet(2));
    bench.world.runUntil(() => secondEnd.got.length === 1, 100);
    if (firstEnd.got.length === 0) overtaken++;
  }
  assert.ok(overtaken > 2 && overtaken < 18, `${overtaken} of 20`);
});

test("loss drops single sends and the link lives on", () => {
  const bench = new NetworkBench(3);
  const [a, b] = bench.connect(0, 1);
  bench.network.options.lossChance = 0.3;
  for (const i of upTo(200)) a.link!.send(packet(i));
  bench.world.runFor(1000);
  assert.ok(b.got.length > 100 && b.got.length < 180, `${b.got.length} of 200`);
  assert.deepEqual(
    b.got,
    [...b.got].sort((x, y) => x - y),
  );
  assert.deepEqual(b.ends, []);
});

test("duplicates arrive again, late and out of order", () => {
  const bench = new NetworkBench(4);
  bench.network.options.duplicateChance = 0.5;
  bench.network.options.duplicateDelayMaxUs = 50_000;
  const [a, b] = bench.connect(0, 1);
  for (const i of upTo(50)) {
    a.link!.send(packet(i));
    bench.world.runFor(1);
  }
  bench.world.runFor(1000);
  assert.ok(b.got.length > 60 && b.got.length < 90, `${b.got.length}`);
  assert.equal(new Set(b.got).size, 50);
  assert.notDeepEqual(
    b.got,
    [...b.got].sort((x, y) => x - y),
  );
});

test("nobody listens: refused after a round trip", () => {
  const bench = new NetworkBench(1, 3);
  bench.die(1, false);
  const tap = bench.dial(0, 1);
  bench.world.runFor(50);
  assert.deepEqual(tap.ends, [LinkEnd.Refused]);
  assert.equal(tap.opened, false);
});

test("cut, power lost or unknown: unreachable when the connect times out", () => {
  const bench = new NetworkBench(1, 4);
  bench.network.cutOneWay("m1", "m0");
  bench.die(2, true);
  bench.network.powerOff("m2");
  const taps = [bench.dial(0, 1), bench.dial(0, 2), bench.transports[0]!.dial("x:1", new Tap())];
  bench.world.runFor(2500);
  assert.deepEqual((taps[0] as Tap).ends, []);
  bench.world.runFor(1000);
  assert.deepEqual((taps[0] as Tap).ends, [LinkEnd.Unreachable]);
  assert.deepEqual((taps[1] as Tap).ends, [LinkEnd.Unreachable]);
});

test("a cut that heals within the connect timeout lets the dial through", () => {
  const bench = new NetworkBench(1);
  bench.network.cut("m0", "m1");
  const tap = bench.dial(0, 1);
  bench.world.runFor(1000);
  assert.equal(tap.opened, false);
  bench.network.heal();
  bench.world.runFor(1000);
  assert.equal(tap.opened, true);
});

test("a cut stalls what is sent and what is on the way; after the heal it arrives, in order", () => {
  for (let seed = 0; seed < 30; seed++) {
    const bench = new NetworkBench(seed);
    const [a, b] = bench.connect(0, 1);
    bench.network.options.delayMinUs = 5_000;
    bench.network.options.delayMaxUs = 20_000;
    for (const i of upTo(5)) a.link!.send(packet(i));
    bench.world.runFor(1);
    bench.network.cut("m0", "m1");
    for (const i of upTo(5)) a.link!.send(packet(5 + i));
    bench.world.runFor(500);
    assert.deepEqual(b.got, []);
    bench.network.heal();
    a.link!.send(packet(10));
    bench.world.runFor(1000);
    assert.deepEqual(b.got, upTo(11), `seed ${seed}`);
  }
});

test("a one-way cut lets the other direction through until its window of acknowledgements is full", () => {
  const bench = new NetworkBench(1);
  bench.network.options.windowBytes = 1000;
  const [a, b] = bench.connect(0, 1);
  bench.network.cutOneWay("m0", "m1");
  a.link!.send(packet(1));
  for (const i of upTo(30)) b.link!.send(packet(i, 100));
  bench.world.runFor(1000);
  assert.deepEqual(b.got, []);
  assert.deepEqual(a.got, upTo(10));
  assert.equal(b.link!.queuedBytes, 2000);
  bench.network.heal();
  bench.world.runFor(1000);
  assert.deepEqual(a.got, upTo(30));
  assert.deepEqual(b.got, [1]);
});

test("a link whose sends are not answered for the link timeout ends as failed", () => {
  const bench = new NetworkBench(1);
  const [a, b] = bench.connect(0, 1);
  bench.network.cut("m0", "m1");
  a.link!.send(packet(1));
  bench.world.runFor(19_000);
  assert.deepEqual(a.ends, []);
  bench.world.runFor(2_000);
  assert.deepEqual(a.ends, [LinkEnd.Failed]);
  assert.deepEqual(b.ends, []);
  bench.network.heal();
  b.link!.send(packet(2));
  bench.world.runFor(1000);
  assert.deepEqual(b.ends, [LinkEnd.Failed]);
  assert.deepEqual(b.got, []);
});

test("partition separates groups and only groups", () => {
  const bench = new NetworkBench(1, 5);
  bench.network.partition([
    ["m0", "m1"],
    ["m2", "m3", "m4"],
  ]);
  const taps = [bench.dial(0, 1), bench.dial(2, 4), bench.dial(0, 3), bench.dial(4, 1)];
  bench.world.runFor(100);
  assert.deepEqual(
    taps.map((tap) => tap.opened),
    [true, true, false, false],
  );
});

test("a killed process: its peers hear the end after a delay, behind what it had sent", () => {
  let behind = 0;
  for (let seed = 0; seed < 40; seed++) {
    const bench = new NetworkBench(seed);
    const [a, b] = bench.connect(0, 1);
    for (const i of upTo(3)) a.link!.send(packet(i));
    bench.die(0, false);
    assert.deepEqual(b.ends, []);
    bench.world.runFor(100);
    assert.equal(b.ends.length, 1);
    assert.ok(b.ends[0] === LinkEnd.Closed || b.ends[0] === LinkEnd.Failed);
    assert.deepEqual(a.ends, [], "the dead hear nothing");
    if (b.ends[0] === LinkEnd.Closed) {
      assert.deepEqual(b.got, [0, 1, 2]);
      behind++;
    }
  }
  assert.ok(behind > 20, `${behind}`);
});

test("behind a cut a killed process is noticed only after the heal", () => {
  const bench = new NetworkBench(2);
  const [, b] = bench.connect(0, 1);
  bench.network.cut("m0", "m1");
  bench.die(0, false);
  bench.world.runFor(5_000);
  assert.deepEqual(b.ends, []);
  bench.network.heal();
  bench.world.runFor(1_000);
  // With a reset instead of a farewell the cut swallowed the only word; the next send tells.
  if (b.ends.length === 0) b.link!.send(packet(1));
  bench.world.runFor(1_000);
  assert.equal(b.ends.length, 1);
});

test("a power loss is silent; sends fail once the machine is back, or after the link timeout", () => {
  const bench = new NetworkBench(1, 3);
  const [, toBack] = bench.connect(0, 1);
  const [, toGone] = bench.connect(0, 2);
  bench.die(0, true);
  toBack.link!.send(packet(1));
  bench.world.runFor(5_000);
  assert.deepEqual(toBack.ends, []);
  bench.boot(0);
  toBack.link!.send(packet(2));
  bench.world.runFor(100);
  assert.deepEqual(toBack.ends, [LinkEnd.Failed]);
  assert.deepEqual(toGone.ends, []);
  toGone.link!.send(packet(3));
  bench.world.runFor(100);
  assert.deepEqual(toGone.ends, [LinkEnd.Failed]);
});

test("close: Local here, Closed there, each once and last; sends afterwards are refused", () => {
  const bench = new NetworkBench(1);
  const [a, b] = bench.connect(0, 1);
  a.link!.close();
  a.link!.close();
  assert.deepEqual(a.ends, [], "not inside the call");
  assert.equal(a.link!.send(packet(1)), false);
  b.link!.send(packet(2));
  bench.world.runFor(1000);
  assert.deepEqual(a.ends, [LinkEnd.Local]);
  assert.deepEqual(b.ends, [LinkEnd.Closed]);
  assert.equal(bench.network.linkCount, 0);
});

test("closing a dial before it opens ends it quietly", () => {
  const bench = new NetworkBench(1);
  const dialer = bench.dial(0, 1);
  dialer.link!.close();
  bench.world.runFor(5000);
  assert.deepEqual(dialer.ends, [LinkEnd.Local]);
  assert.equal(dialer.opened, false);
  assert.deepEqual(bench.accepted, []);
  assert.equal(bench.network.linkCount, 0);
});

test("the queue is bounded, says no without queueing, and tells when it is empty again", () => {
  const bench = new NetworkBench(1);
  bench.network.options.windowBytes = 100;
  bench.network.options.queueBytesMax = 250;
  const [a, b] = bench.connect(0, 1);
  const taken = upTo(10).map((i) => a.link!.send(packet(i, 100)));
  assert.deepEqual(taken, [true, true, true, false, false, false, false, false, false, false]);
  assert.equal(a.link!.queuedBytes, 200);
  bench.world.runFor(100);
  assert.deepEqual(b.got, [0, 1, 2]);
  assert.equal(a.link!.queuedBytes, 0);
  assert.equal(a.drains, 1);
});

test("a paused reader gets nothing and holds the sender back; resumed, all in order", () => {
  const bench = new NetworkBench(1);
  bench.network.options.windowBytes = 300;
  const [a, b] = bench.connect(0, 1);
  b.link!.pause();
  for (const i of upTo(10)) a.link!.send(packet(i, 100));
  bench.world.runFor(100);
  assert.deepEqual(b.got, []);
  assert.equal(a.link!.queuedBytes, 700);
  b.link!.resume();
  bench.world.runFor(100);
  assert.deepEqual(b.got, upTo(10));
});

test("a blinking proxy ends links and refuses dials from one side until it is back", () => {
  const bench = new NetworkBench(1, 3);
  const [a, b] = bench.connect(0, 1);
  bench.network.blink("m0", "m1");
  const refused = bench.dial(0, 1);
  const other = bench.dial(2, 1);
  bench.world.runFor(100);
  assert.deepEqual(a.ends, [LinkEnd.Closed]);
  assert.deepEqual(b.ends, [LinkEnd.Closed]);
  assert.deepEqual(refused.ends, [LinkEnd.Refused]);
  assert.ok(other.opened);
  bench.network.unblink("m0", "m1");
  assert.ok(bench.connect(0, 1)[0].opened);
});

test("every send is shown to the hook that checkers use", () => {
  const bench = new NetworkBench(1);
  const seen: string[] = [];
  bench.network.onSend = (from, to, bytes) => void seen.push(`${from.name}>${to.name} ${bytes[0]}`);
  const [a, b] = bench.connect(0, 1);
  a.link!.send(packet(1));
  b.link!.send(packet(2));
  assert.deepEqual(seen, ["m0>m1 1", "m1>m0 2"]);
});

test("two runs of a seed agree, other seeds differ", () => {
  const run = (seed: number): string => {
    const bench = new NetworkBench(seed, 3);
    bench.network.options.lossChance = 0.1;
    bench.network.options.duplicateChance = 0.1;
    bench.network.options.duplicateDelayMaxUs = 10_000;
    const [a, b] = bench.connect(0, 1);
    for (const i of upTo(100)) {
      a.link!.send(packet(i));
      if (i === 50) bench.network.cut("m0", "m1");
      if (i === 70) bench.network.heal();
      bench.world.runFor(1);
    }
    bench.world.runFor(1000);
    bench.world.note("end", b.got.join(" "));
    return bench.world.unseed();
  };
  assert.equal(run(1), run(1));
  assert.notEqual(run(1), run(2));
});
