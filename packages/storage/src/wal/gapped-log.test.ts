// Logs with lost parts, as names of entries. Method: what batches say, by hand, and at random against a
// log of which nothing was lost. Goal: what comes again never joins with what belongs to another log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { GappedLog } from "./gapped-log.ts";
import type { LogPoint } from "@quorate/raft";

function points(firstIndex: number, ...terms: number[]): LogPoint[] {
  return terms.map((term, i) => ({ index: firstIndex + i, term }));
}

/** 1..4 of term 1; 5 and 6 are lost, of which (6, 2) is known; 7..9 of term 2. */
function holed(): GappedLog<LogPoint> {
  const log = new GappedLog<LogPoint>(0, 0);
  log.append(1, points(1, 1, 1, 1, 1));
  log.lose(5, { index: 6, term: 2 });
  log.append(7, points(7, 2, 2, 2));
  return log;
}

test("what stands behind a hole stays when the entry before it comes again", () => {
  const log = holed();
  assert.equal(log.missing, 2);
  assert.deepEqual(log.names(), points(6, 2));
  assert.equal(log.repair(points(5, 2, 2)), 0);
  assert.equal(log.missing, 0);
  assert.deepEqual(log.dense(), points(1, 1, 1, 1, 1, 2, 2, 2, 2, 2));
});

test("and goes when another entry stands there, although terms ascend", () => {
  const log = holed();
  assert.equal(log.repair(points(5, 1, 1)), 6);
  assert.equal(log.missing, 0);
  assert.deepEqual(log.dense(), points(1, 1, 1, 1, 1, 1, 1));
  assert.deepEqual([log.lastIndex, log.lastTerm], [6, 1]);
});

test("and goes when terms would fall below it, although the end has a higher one", () => {
  const log = holed();
  log.append(10, points(10, 4));
  assert.equal(log.repair(points(5, 3)), 5);
  assert.deepEqual(log.dense(), points(1, 1, 1, 1, 1, 3));
});

test("behind a batch that cut off what was lost, the first entry has to come again itself", () => {
  const make = (): GappedLog<LogPoint> => {
    const log = new GappedLog<LogPoint>(0, 0);
    log.append(1, points(1, 1, 1, 1, 1));
    log.forgetAbove(4, { index: 8, term: 2 });
    log.append(7, points(7, 3, 3, 3));
    return log;
  };
  const ours = make();
  assert.deepEqual(ours.behind(), points(8, 3, 3), "of 7 only the name counts");
  assert.deepEqual(ours.names(), points(7, 3));
  ours.repair(points(5, 2, 2));
  assert.equal(ours.missing, 1);
  ours.repair(points(7, 3));
  assert.equal(ours.missing, 0);
  const other = make();
  other.repair(points(5, 1, 1));
  assert.equal(other.missing, 1, "whether 7 follows these, nobody knows yet");
  assert.equal(other.repair(points(7, 2)), 7);
  assert.deepEqual(other.dense(), points(1, 1, 1, 1, 1, 1, 1, 2));
});

/** Logs that Raft allows: the term of each entry below another's is the same in both (§5.3). */
class Logs {
  readonly #prng: Prng;
  readonly #all: LogPoint[][] = [[]];
  #term = 1;

  constructor(seed: number) {
    this.#prng = new Prng(`gapped log ${seed}`);
  }

  /** A leader of a new term whose log is a prefix of one that there was, and what it appends. */
  next(): LogPoint[] {
    const from = this.#prng.pick(this.#all);
    const log = from.slice(0, this.#prng.below(from.length + 1));
    this.#term += 1;
    const { length } = log;
    for (let i = 1 + this.#prng.below(4); i > 0; i--) {
      log.push({ index: log.length + 1, term: this.#term });
    }
    assert(log.length > length);
    this.#all.push(log);
    return log;
  }
}

test("at random: a log that lacks nothing is a log that there was", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const prng = new Prng(`gapped ${seed}`);
    const logs = new Logs(seed);
    const log = new GappedLog<LogPoint>(0, 0);
    const chains = new Set<string>();
    let mine: LogPoint[] = [];
    const remember = (whole: readonly LogPoint[]): void => {
      for (let n = 0; n <= whole.length; n++) chains.add(JSON.stringify(whole.slice(0, n)));
    };
    // As a follower of ever newer leaders; some batches are lost with their headers, some without.
    for (let round = 0; round < 6; round++) {
      const leader = logs.next();
      remember(leader);
      let at = 0;
      while (at < mine.length && mine[at]!.term === leader[at]?.term) at++;
      while (at < leader.length) {
        const batch = leader.slice(at, at + 1 + prng.below(3));
        mine = [...leader.slice(0, at), ...batch];
        at += batch.length;
        const roll = prng.below(4);
        if (roll === 0) log.lose(batch[0]!.index, mine.at(-1)!);
        else if (roll === 1) log.forgetAbove(prng.below(batch[0]!.index), mine.at(-1)!);
        else assert(log.append(batch[0]!.index, batch));
      }
    }
    // Then leaders that know nothing of it give what it lacks, each a part.
    for (let round = 0; round < 6 && log.missing > 0; round++) {
      const leader = prng.chance(0.5) ? mine : logs.next();
      remember(leader);
      const dense = log.dense();
      let at = 0;
      while (at < dense.length && dense[at]!.term === leader[at]?.term) at++;
      const batch = leader.slice(at, at + 1 + prng.below(4));
      if (batch.length > 0) log.repair(batch);
      assert(chains.has(JSON.stringify(log.dense())), `seed ${seed}: the dense part is one`);
    }
  }
});
