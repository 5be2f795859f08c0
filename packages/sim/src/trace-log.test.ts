// The trace: bounded, its hash covers every line ever written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TraceLevel, TraceLog } from "./trace-log.ts";

function hashOf(lines: readonly (readonly [number, string, string])[]): string {
  const log = new TraceLog();
  for (const [at, source, event] of lines) log.line(at, source, TraceLevel.Info, event);
  return log.hash();
}

test("the hash tells texts, times, sources and orders apart", () => {
  const variants: (readonly [number, string, string])[][] = [
    [],
    [[1, "a", "x"]],
    [[2, "a", "x"]],
    [[1, "b", "x"]],
    [[1, "a", "y"]],
    [
      [1, "a", "x"],
      [1, "a", "y"],
    ],
    [
      [1, "a", "y"],
      [1, "a", "x"],
    ],
    [
      [1, "a", "x"],
      [1, "a", "x"],
    ],
  ];
  const hashes = variants.map(hashOf);
  assert.equal(new Set(hashes).size, variants.length);
  assert.deepEqual(hashes, variants.map(hashOf));
});

test("numbers above 2^32 are hashed whole", () => {
  const hash = (value: number): string => {
    const log = new TraceLog();
    log.number(value);
    return log.hash();
  };
  assert.notEqual(hash(5), hash(5 + 2 ** 32));
  assert.notEqual(hash(2 ** 40), hash(2 ** 41));
});

test("the tail gives the newest lines, oldest first, and the ring forgets the rest", () => {
  const log = new TraceLog();
  for (let i = 0; i < 10_000; i++) log.line(i * 1000, "s", TraceLevel.Info, `e${i}`, { n: i });
  assert.deepEqual(
    log.tail(2).map((line) => line.trim()),
    ["9998.000 s e9998 n=9998", "9999.000 s e9999 n=9999"],
  );
  assert.equal(log.tail(100_000).length, 4096);
});

test("the sink gets lines from its level on", () => {
  const log = new TraceLog();
  const seen: string[] = [];
  log.sink = (line) => void seen.push(line.trim());
  log.sinkLevel = TraceLevel.Warn;
  log.line(0, "s", TraceLevel.Info, "quiet");
  log.line(0, "s", TraceLevel.Warn, "loud", { why: "test" });
  assert.deepEqual(seen, ["0.000 s loud why=test"]);
});
