// The queue of superseded versions against plain arrays, one a key; and that an old version of a
// key with very many is found in few steps.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { VersionQueue } from "./version-queue.ts";

interface Twin {
  readonly main: number;
  readonly ref: number;
  readonly sequence: number;
}

test("findAt gives the newest reachable version with main ≤ revision, for many keys at once", () => {
  const random = new Prng("version-queue");
  const queue = new VersionQueue();
  const chains: Twin[][] = Array.from({ length: 7 }, () => []);
  let main = 1;
  for (let i = 0; i < 30_000; i++) {
    // Several of one revision, as inside a transaction.
    main += random.below(3) === 0 ? 1 : 0;
    // One key far busier than the others.
    const slot = random.chance(0.5) ? 0 : random.below(chains.length);
    const chain = chains[slot]!;
    const older = chain.at(-1)?.sequence ?? -1;
    const sequence = queue.push(slot, main, i, i % 5 === 0, main, older);
    chain.push({ main, ref: i, sequence });
    if (random.chance(0.45)) queue.shift();
    if (i > 28_000 || i % 97 === 0) compareOne(queue, random, chains, main);
  }
  ok(queue.size > 10_000);
});

function compareOne(queue: VersionQueue, random: Prng, chains: Twin[][], main: number): void {
  const slot = random.below(chains.length);
  const chain = chains[slot]!;
  if (chain.length === 0) return;
  const revision = random.below(main + 2);
  const found = queue.findAt(chain.at(-1)!.sequence, revision);
  const expected = chain.findLast((twin) => twin.main <= revision);
  if (expected === undefined || expected.sequence < queue.head) {
    equal(found, -1);
    return;
  }
  equal(found, expected.sequence);
  equal(queue.main(found), expected.main);
  equal(queue.ref(found), expected.ref);
  equal(queue.slot(found), slot);
  equal(queue.tombstone(found), expected.ref % 5 === 0);
}

for (const compactedHalfway of [false, true]) {
  test(`a key of 200,000 versions is searched in at most 120 steps, compacted on the way: ${compactedHalfway}`, () => {
    const queue = new VersionQueue();
    let newest = -1;
    for (let main = 1; main <= 200_000; main++) {
      newest = queue.push(0, main, main, false, main, newest);
      if (compactedHalfway && main > 50_000) queue.shift();
    }
    let steps = 0;
    const main = queue.main.bind(queue);
    queue.main = (sequence) => {
      steps++;
      return main(sequence);
    };
    for (let revision = main(queue.head); revision <= 200_000; revision += 777) {
      steps = 0;
      const found = queue.findAt(newest, revision);
      equal(main(found), revision);
      ok(steps <= 120, `${steps} steps to revision ${revision}`);
    }
  });
}

test("an emptied queue begins again, and links into what is gone lead nowhere", () => {
  const queue = new VersionQueue();
  let newest = -1;
  for (let round = 0; round < 3; round++) {
    const gone = newest;
    for (let i = 0; i < 5000; i++) newest = queue.push(1, round * 5000 + i, i, false, i, newest);
    equal(queue.findAt(gone, 1e6), -1);
    while (queue.size > 0) queue.shift();
  }
  equal(queue.findAt(newest, 1e6), -1);
});
