// Ranges of many keys at the host: one at a time, a slice a turn, each answered once whatever happens.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { KvError, nobody } from "@quorate/kv";
import { FailureCode } from "../host-api.ts";
import { failure } from "../proposals.ts";
import { PendingRead, ReadKind } from "../reads.ts";
import { LargeReads } from "./large-reads.ts";

/** Ranges whose first byte says in how many slices they are read; 0: at once. */
function world() {
  const open = { now: 0, most: 0 };
  const reads = new LargeReads({
    largeRange: ([slices = 0]) => {
      if (slices === 0) return null;
      open.now += 1;
      open.most = Math.max(open.most, open.now);
      let left = slices;
      const task = {
        error: KvError.None,
        stale: false,
        bytes: null as Uint8Array | null,
        step: () => {
          left -= 1;
          if (left > 0) return false;
          open.now -= 1;
          task.bytes = Uint8Array.of(slices);
          return true;
        },
        abandon: () => void (open.now -= 1),
      };
      return task;
    },
  });
  const heard: string[] = [];
  const made = { full: false, payloads: new Map<string, Uint8Array>() };
  const read = (name: string, slices: number, deadlineTick: number = 1000): PendingRead => {
    const payload = Uint8Array.of(slices);
    made.payloads.set(name, payload);
    const sink = {
      reply: ([byte]: Uint8Array) => void heard.push(`${name}: ${byte}`),
      fail: ({ code }: { code: FailureCode }) => void heard.push(`${name} failed: ${code}`),
      get full() {
        return made.full;
      },
    };
    return new PendingRead(ReadKind.Range, payload, sink, deadlineTick, nobody);
  };
  const turns = (count: number, nowTick: number = 1): boolean => {
    let more = false;
    for (let n = 0; n < count; n += 1) {
      more = reads.turn(1, nowTick, ({ sink }) => sink.reply(Uint8Array.of(0)));
    }
    return more;
  };
  return { reads, heard, made, read, turns, open };
}

test("one after the other, a slice a turn; what is small is none of them", () => {
  const { reads, heard, read, turns, open } = world();
  equal(reads.take(read("small", 0), 1), false);
  equal(reads.take(read("a", 3), 1), true);
  equal(reads.take(read("b", 2), 1), true);
  equal(open.now, 1, "one is built at a time");
  equal(turns(2), true);
  deepEqual(heard, []);
  equal(turns(1), true);
  deepEqual(heard, ["a: 3"]);
  equal(turns(2), true);
  equal(turns(1), false);
  deepEqual(heard, ["a: 3", "b: 2"]);
  deepEqual(open, { now: 0, most: 2 });
});

test("what has become small is answered at once, what is too late or too much is refused", () => {
  const { reads, heard, read, turns, made } = world();
  for (const name of ["a", "b", "c", "d"]) reads.take(read(name, 2, name === "c" ? 5 : 1000), 1);
  made.payloads.get("b")![0] = 0;
  turns(3);
  deepEqual(heard.splice(0), ["a: 2", "b: 0"]);
  turns(1, 6);
  deepEqual(heard.splice(0), [`c failed: ${FailureCode.TimedOut}`]);
  made.full = true;
  turns(1, 6);
  deepEqual(heard.splice(0), [`d failed: ${FailureCode.TooManyRequests}`]);
  made.full = false;
  reads.take(read("e", 9, 10), 1);
  turns(2, 9);
  turns(1, 10);
  deepEqual(heard.splice(0), [`e failed: ${FailureCode.TimedOut}`]);
});

test("a state that goes, or a stop, answers all of them; more than wait are refused", () => {
  const { reads, heard, read, turns, open } = world();
  for (let n = 0; n < 1025; n += 1) reads.take(read(`r${n}`, 5), 1);
  deepEqual(heard, []);
  reads.take(read("more", 5), 1);
  deepEqual(heard.splice(0), [`more failed: ${FailureCode.TooManyRequests}`]);
  turns(1);
  reads.abandon(failure(FailureCode.Rebuilding));
  equal(heard.length, 1025);
  equal(heard[0], `r0 failed: ${FailureCode.Rebuilding}`);
  equal(open.now, 0);
  equal(turns(1), false);
});
