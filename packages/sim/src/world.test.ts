// The event heap: order by time, then by the seed; cancelled events never run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

test("events run in order of time, and time never goes back", () => {
  const world = new World(1);
  const seen: number[] = [];
  for (const delay of [30, 10, 20, 10]) world.after(delay, () => seen.push(world.nowUs));
  world.runFor(1);
  assert.deepEqual(seen, [10, 10, 20, 30]);
  assert.equal(world.nowUs, 1000);
});

test("events of one moment are shuffled by the seed, and equally for the same seed", () => {
  const orderOf = (seed: number): string => {
    const world = new World(seed);
    const seen: number[] = [];
    for (let i = 0; i < 8; i++) world.after(5, () => seen.push(i));
    world.runFor(1);
    return seen.join("");
  };
  assert.equal(orderOf(7), orderOf(7));
  const orders = new Set(Array.from({ length: 20 }, (_, seed) => orderOf(seed)));
  assert.ok(orders.size > 10, `only ${orders.size} orders in 20 seeds`);
});

test("an event may add events to the moment it runs in", () => {
  const world = new World(1);
  const seen: string[] = [];
  world.after(5, () => {
    seen.push("first");
    world.after(0, () => seen.push("second"));
  });
  world.runFor(1);
  assert.deepEqual(seen, ["first", "second"]);
});

test("a cancelled event does not run and does not count", () => {
  const world = new World(1);
  const event = world.after(5, () => assert.fail("cancelled"));
  world.cancel(event);
  assert.equal(world.step(), false);
  assert.equal(world.eventCount, 0);
});

test("runUntil stops at the event that fulfils the condition, or at the deadline", () => {
  const world = new World(1);
  let count = 0;
  for (let ms = 1; ms <= 9; ms++) world.after(ms * 1000, () => count++);
  assert.equal(
    world.runUntil(() => count === 3, 100),
    true,
  );
  assert.equal(world.nowMs, 3);
  assert.equal(
    world.runUntil(() => count === 8, 2),
    false,
  );
  assert.equal(world.nowMs, 5);
  assert.equal(count, 5);
});

test("afterEvent is called after every event with nothing on the stack", () => {
  const world = new World(1);
  let inside = false;
  let looks = 0;
  world.afterEvent.push(() => {
    assert.equal(inside, false);
    looks++;
  });
  for (let i = 0; i < 5; i++) {
    world.after(i, () => {
      inside = true;
      inside = false;
    });
  }
  world.runFor(1);
  assert.equal(looks, 5);
});

test("a loop of events at one moment is stopped by eventsMax", () => {
  const world = new World(1);
  world.eventsMax = 1000;
  const again = (): void => void world.after(0, again);
  again();
  assert.throws(() => world.runFor(1), /more than eventsMax/);
});

test("equal runs have equal unseeds; one more draw, event or line changes it", () => {
  const unseed = (extra: (world: World) => void): string => {
    const world = new World(3);
    const stream = world.random("a");
    world.after(5, () => world.note("x", "y", { n: stream.u32() }));
    world.runFor(1);
    extra(world);
    return world.unseed();
  };
  const plain = unseed(() => {});
  assert.equal(
    plain,
    unseed(() => {}),
  );
  assert.notEqual(
    plain,
    unseed((world) => void world.streams[0]!.u32()),
  );
  assert.notEqual(
    plain,
    unseed((world) => void world.streams[1]!.fork("b")),
  );
  assert.notEqual(
    plain,
    unseed((world) => world.note("x", "z")),
  );
  assert.notEqual(
    plain,
    unseed((world) => {
      world.after(0, () => {});
      world.step();
    }),
  );
});

test("a stream's label is taken once; a draw in one stream does not shift another", () => {
  const world = new World(1);
  world.random("a");
  assert.throws(() => world.random("a"), /exists/);
  const drawn = (before: number): number => {
    const other = new World(9);
    const first = other.random("one");
    for (let i = 0; i < before; i++) first.u32();
    return other.random("two").u32();
  };
  assert.equal(drawn(0), drawn(10));
});
