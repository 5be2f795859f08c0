// Method: members under an adversarial scheduler (chaos.ts), thousands of small steps per seed.
// Goal: none of Raft's properties (figure 3), none of the core's own invariants and nothing of the
// law between a core and its host is ever violated; healed, the cluster converges. RAFT_SEEDS runs
// more seeds, RAFT_SEED one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chaos } from "./chaos.ts";
import type { ChaosOptions } from "./chaos.ts";

const calm: ChaosOptions = {
  voters: 3,
  membership: false,
  crashes: false,
  links: false,
  snapshots: false,
  hints: false,
  holes: false,
};

interface Family {
  readonly name: string;
  readonly options: ChaosOptions;
  /** Rare combinations need more seeds. */
  readonly weight: number;
}

const families: readonly Family[] = [
  { name: "reordered messages, slow disks", options: calm, weight: 1 },
  { name: "lossy links and partitions", options: { ...calm, voters: 5, links: true }, weight: 1 },
  { name: "crashes", options: { ...calm, links: true, crashes: true }, weight: 1 },
  {
    name: "crashes, snapshots, close hints",
    options: { ...calm, voters: 5, links: true, crashes: true, snapshots: true, hints: true },
    weight: 2,
  },
  {
    name: "membership changes, reordered messages",
    options: { ...calm, membership: true },
    weight: 2,
  },
  {
    name: "membership changes under everything",
    options: {
      voters: 3,
      links: true,
      crashes: true,
      snapshots: true,
      hints: true,
      membership: true,
      holes: false,
    },
    weight: 4,
  },
  {
    name: "logs that lose their ends",
    options: { ...calm, links: true, crashes: true, snapshots: true, hints: true, holes: true },
    weight: 3,
  },
  { name: "two voters", options: { ...calm, voters: 2, links: true, crashes: true }, weight: 1 },
  {
    name: "one voter that grows",
    options: { ...calm, voters: 1, crashes: true, membership: true },
    weight: 1,
  },
];

const stepsPerSeed = 8000;
const seeds = Number(process.env["RAFT_SEEDS"] ?? 10);
const only = process.env["RAFT_SEED"];

function run(seed: number, options: ChaosOptions): Chaos {
  const chaos = new Chaos(seed, options);
  let step = 0;
  try {
    for (; step < stepsPerSeed; step++) chaos.step();
    chaos.converge();
  } catch (error) {
    throw new Error(`seed ${seed}, step ${step}: ${String(error)}`, { cause: error });
  }
  return chaos;
}

for (const { name, options, weight } of families) {
  test(`Raft's properties hold: ${name}`, (t) => {
    let committed = 0;
    let elections = 0;
    let reads = 0;
    let mended = 0;
    const first = only === undefined ? 1 : Number(only);
    const count = only === undefined ? seeds * weight : 1;
    for (let seed = first; seed < first + count; seed++) {
      const chaos = run(seed, options);
      const { checkers } = chaos;
      mended += chaos.mended;
      committed += checkers.committedMax;
      elections += checkers.elections;
      reads += checkers.readsAnswered;
    }
    t.diagnostic(`${committed} committed, ${elections} elections, ${reads} reads`);
    // A run in which nothing happens proves nothing.
    assert(committed > 10 && elections > 0 && reads > 0, `${committed} ${elections} ${reads}`);
    assert(mended > 0 || !options.holes, "no log was mended");
  });
}
