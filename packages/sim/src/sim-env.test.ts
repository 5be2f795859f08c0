// One process incarnation: turns, crash points, fatal, death from outside, pauses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as invariant } from "@quorate/base";
import type { LinkEnd } from "@quorate/storage";
import { DiskError, ExitCode } from "@quorate/storage";
import { SimClock } from "./sim-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import { type CrashPlan, EndKind, SimProcess } from "./sim-env.ts";
import { SimNetwork } from "./sim-network.ts";
import { World } from "./world.ts";

class Bench {
  readonly world = new World(1);
  readonly network = new SimNetwork(this.world, this.world.random("network"));
  readonly disk = new SimDisk(this.world, this.world.random("disk"), "m0");
  readonly marks: string[] = [];
  readonly ended: string[] = [];
  #boots = 0;

  constructor() {
    this.network.addMachine("m0", ["m0:2380"]);
    this.network.addMachine("m1", ["m1:2380"]);
  }

  boot(machine = "m0", crashPlan: CrashPlan | null = null): SimProcess {
    const boot = ++this.#boots;
    return new SimProcess(
      `${machine}#${boot}`,
      {
        world: this.world,
        network: this.network,
        disk: this.disk,
        clock: new SimClock(this.world, 0, 0, 0),
        random: this.world.random(`boot ${boot}`),
        machine,
      },
      {
        crashPlan,
        onMark: (_, point) => void this.marks.push(point),
        onEnd: (incarnation) => void this.ended.push(incarnation.name),
      },
    );
  }
}

test("scheduled turns run soon, once, in order, those added meanwhile in a later turn", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  const seen: string[] = [];
  incarnation.schedule(() => {
    seen.push("a");
    incarnation.schedule(() => seen.push("c"));
    seen.push("a end");
  });
  incarnation.schedule(() => seen.push("b"));
  assert.deepEqual(seen, []);
  bench.world.runFor(1);
  assert.deepEqual(seen, ["a", "a end", "b", "c"]);
});

test("a crash point unwinds the process: nothing behind the mark runs, and nothing ever again", () => {
  const bench = new Bench();
  const plan: CrashPlan = (incarnation) => (incarnation.marks === 2 ? EndKind.Killed : null);
  const incarnation = bench.boot("m0", plan);
  const seen: string[] = [];
  incarnation.schedule(() => {
    seen.push("before");
    incarnation.trace.mark("one");
    incarnation.schedule(() => seen.push("later turn"));
    incarnation.trace.mark("two");
    seen.push("after");
  });
  bench.world.runFor(10);
  assert.deepEqual(seen, ["before"]);
  assert.deepEqual(bench.marks, ["one", "two"]);
  assert.equal(incarnation.end, EndKind.Killed);
  assert.deepEqual(bench.ended, [incarnation.name]);
});

test("a crash inside a completion, with other completions outstanding: all are dead", () => {
  const bench = new Bench();
  const incarnation = bench.boot("m0", () => EndKind.Killed);
  const seen: string[] = [];
  incarnation.run(() => {
    const file = incarnation.disk.openNow("/f", true);
    assert.ok(!(file instanceof DiskError));
    file.write(0, new Uint8Array(1), () => {
      incarnation.trace.mark("written");
      seen.push("unreachable");
    });
    for (let i = 0; i < 5; i++) {
      file.sync(() => {
        if (incarnation.alive) return;
        seen.push("dead");
      });
    }
  });
  bench.world.runFor(1000);
  assert.deepEqual(seen, []);
  assert.equal(incarnation.end, EndKind.Killed);
});

test("fatal ends the process with its code and never returns", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  let after = false;
  incarnation.run(() => {
    incarnation.fatal(ExitCode.Damaged, "file x, offset 0");
    after = true;
  });
  assert.equal(after, false);
  assert.equal(incarnation.end, EndKind.Exited);
  assert.equal(incarnation.exitCode, ExitCode.Damaged);
  assert.equal(incarnation.reason, "file x, offset 0");
  incarnation.run(() => assert.fail("dead"));
});

test("an assertion inside the process ends it and is kept for the report", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  incarnation.schedule(() => invariant(false, "broken"));
  bench.world.runFor(1);
  assert.equal(incarnation.end, EndKind.Asserted);
  assert.equal(incarnation.failure?.message, "broken");
  assert.deepEqual(bench.ended, [incarnation.name]);
});

test("death tells the peers and frees the lock", () => {
  const bench = new Bench();
  const first = bench.boot("m0");
  const second = bench.boot("m1");
  const ends: LinkEnd[] = [];
  first.transport.listen(() => ({ onOpen() {}, onBytes() {}, onDrain() {}, onEnd() {} }));
  second.transport.dial("m0:2380", {
    onOpen() {},
    onBytes() {},
    onDrain() {},
    onEnd: (end) => void ends.push(end),
  });
  assert.equal(first.disk.lockNow("/LOCK"), null);
  bench.world.runFor(100);
  first.kill(EndKind.Killed, "test");
  bench.world.runFor(100);
  assert.equal(ends.length, 1);
  assert.equal(bench.boot("m0").disk.lockNow("/LOCK"), null);
});

test("a paused process finds its backlog in order when it wakes; killed while paused it finds nothing", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  const seen: number[] = [];
  incarnation.pause();
  for (const i of [1, 2, 3]) bench.world.after(i, () => incarnation.run(() => void seen.push(i)));
  bench.world.runFor(10);
  assert.equal(seen.length, 0);
  incarnation.resume();
  incarnation.run(() => seen.push(4));
  bench.world.runFor(10);
  assert.deepEqual(seen, [1, 2, 3, 4]);
  incarnation.pause();
  incarnation.run(() => seen.push(5));
  incarnation.kill(EndKind.Killed, "test");
  incarnation.resume();
  bench.world.runFor(10);
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test("a woken process takes turns between what it finds, and can be paused again meanwhile", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  const seen: string[] = [];
  incarnation.pause();
  for (const i of [1, 2, 3, 4, 5, 6]) {
    incarnation.run(() => {
      seen.push(`${i}`);
      incarnation.schedule(() => seen.push("turn"));
    });
  }
  incarnation.resume();
  bench.world.runUntil(() => seen.length >= 2, 10);
  incarnation.pause();
  const before = seen.length;
  bench.world.runFor(10);
  assert.ok(seen.length <= before + 1);
  incarnation.resume();
  bench.world.runFor(10);
  assert.deepEqual(
    seen.filter((what) => what !== "turn"),
    ["1", "2", "3", "4", "5", "6"],
  );
  assert.ok(seen.indexOf("turn") < 6, seen.join(" "));
});

test("a busy event loop: timers first, then all that has arrived in one go, and only then a turn", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  const seen: string[] = [];
  incarnation.pause();
  for (const i of [1, 2, 3]) {
    incarnation.run(() => {
      seen.push(`${i}`);
      incarnation.schedule(() => seen.push("turn"));
    });
  }
  bench.world.runFor(10);
  const events = bench.world.eventCount;
  bench.world.after(0, () => incarnation.resumeAtOnce(() => seen.push("timer")));
  bench.world.step();
  assert.deepEqual(seen, ["timer", "1", "2", "3"]);
  assert.equal(bench.world.eventCount, events + 1);
  bench.world.runFor(1);
  assert.deepEqual(seen.slice(4), ["turn", "turn", "turn"], "of one turn's event");
});

test("a busy event loop that is entered at a crash point: what is left behind it never runs", () => {
  const bench = new Bench();
  const incarnation = bench.boot("m0", () => EndKind.Killed);
  const seen: string[] = [];
  incarnation.pause();
  incarnation.run(() => incarnation.trace.mark("here"));
  incarnation.run(() => seen.push("behind"));
  incarnation.resumeAtOnce(() => seen.push("timer"));
  assert.deepEqual(seen, ["timer"]);
  assert.equal(incarnation.end, EndKind.Killed);
});

test("what a process was still waking to comes in order when its loop was busy meanwhile", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  const seen: number[] = [];
  incarnation.pause();
  for (const i of [1, 2, 3, 4]) incarnation.run(() => void seen.push(i));
  incarnation.resume();
  bench.world.runUntil(() => seen.length >= 1, 10);
  incarnation.pause();
  incarnation.run(() => void seen.push(5));
  incarnation.resumeAtOnce(() => {});
  incarnation.run(() => void seen.push(6));
  incarnation.pause();
  incarnation.run(() => void seen.push(7));
  incarnation.resume();
  incarnation.run(() => void seen.push(8));
  bench.world.runFor(10);
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("log lines carry the process's name into the trace", () => {
  const bench = new Bench();
  const incarnation = bench.boot();
  incarnation.trace.warn("slow disk", { ms: 5 });
  assert.match(bench.world.trace.tail(1)[0]!, /m0#1 slow disk ms=5$/);
});
