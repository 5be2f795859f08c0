// Bytes of changes and configurations: fixed examples that pin the format, round trips, and fuzz.
// Method for fuzz: whatever decodes must encode to the very same bytes, so nothing but the one
// encoding is ever accepted.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, ByteReader, fromHex, toHex } from "@quorate/base";
import fc from "fast-check";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { ConfState } from "../types.ts";
import { applyChange, isConfChangeError } from "./change.ts";
import {
  changesMax,
  decodeConfChange,
  decodeConfState,
  encodeConfChange,
  encodeConfState,
  readConfState,
} from "./codec.ts";

const nodeId = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 52 }));

const anyChange = fc
  .record({
    transition: fc.constantFrom(...Object.values(ConfTransition)),
    changes: fc.array(
      fc.record({ type: fc.constantFrom(...Object.values(ConfChangeType)), node: nodeId }),
      { maxLength: 6 },
    ),
    context: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ transition, changes, context }) => {
    const singles = changes.map(({ type, node }) => new ConfChangeSingle(type, node));
    return new ConfChange(transition, singles, context);
  });

/** Sound by construction: what a first change makes of some voters and learners. */
const anyConf = fc
  .record({
    ids: fc.uniqueArray(nodeId, { minLength: 4, maxLength: 9 }),
    learnersFrom: fc.integer({ min: 1, max: 4 }),
    type: fc.constantFrom(...Object.values(ConfChangeType)),
    joint: fc.boolean(),
  })
  .map(({ ids, learnersFrom, type, joint }) => {
    const ascending = (part: number[]): number[] => part.toSorted((a, b) => a - b);
    const [voters, learners] = [ids.slice(0, learnersFrom), ids.slice(learnersFrom)];
    const conf = new ConfState(ascending(voters), [], ascending(learners), [], false);
    if (!joint) return conf;
    const changes = [
      new ConfChangeSingle(type, ids[0]!),
      new ConfChangeSingle(ConfChangeType.AddVoter, ids.at(-1)!),
    ];
    const empty = new Uint8Array(0);
    const next = applyChange(conf, new ConfChange(ConfTransition.JointExplicit, changes, empty));
    return isConfChangeError(next) ? conf : next;
  });

/** Valid bytes with one byte changed, cut, or added; or any bytes at all. */
function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const one = fc.record({ bytes: valid, at: fc.nat(), to: fc.nat(255) });
  return fc.oneof(
    one.map(({ bytes, at, to }) => bytes.with(at % bytes.length, to)),
    one.map(({ bytes, at }) => bytes.slice(0, at % bytes.length)),
    one.map(({ bytes, to }) => new Uint8Array([...bytes, to])),
    fc.uint8Array({ maxLength: 40 }),
  );
}

test("a change as bytes: the format is pinned", () => {
  const change = new ConfChange(
    ConfTransition.JointAutoLeave,
    [
      new ConfChangeSingle(ConfChangeType.AddVoter, 300),
      new ConfChangeSingle(ConfChangeType.Remove, 1),
    ],
    new Uint8Array([0xaa, 0xbb]),
  );
  equal(toHex(encodeConfChange(change)), "01" + "01" + "02" + "01ac02" + "0301" + "02aabb");
  deepEqual(decodeConfChange(encodeConfChange(change)), change);
});

test("a configuration as bytes: the format is pinned", () => {
  const conf = new ConfState([1, 2, 300], [1, 2, 3], [5], [3], true, [300]);
  const sets = "030102ac02" + "03010203" + "0105" + "0103" + "01ac02";
  equal(toHex(encodeConfState(conf)), `01${sets}01`);
  deepEqual(decodeConfState(encodeConfState(conf)), conf);
});

test("round trips", () => {
  fc.assert(
    fc.property(anyChange, (change) =>
      deepEqual(decodeConfChange(encodeConfChange(change)), change),
    ),
  );
  fc.assert(
    fc.property(anyConf, (conf) => deepEqual(decodeConfState(encodeConfState(conf)), conf)),
  );
});

test("damaged bytes never throw, and what still reads has exactly these bytes", () => {
  fc.assert(
    fc.property(damaged(anyChange.map(encodeConfChange)), (bytes) => {
      const change = decodeConfChange(bytes);
      if (change !== null) deepEqual(encodeConfChange(change), bytes);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(damaged(anyConf.map(encodeConfState)), (bytes) => {
      const conf = decodeConfState(bytes);
      if (conf !== null) deepEqual(encodeConfState(conf), bytes);
    }),
    { numRuns: 2000 },
  );
});

test("refused: other formats, unknown tags, bad ids, hostile counts, every cut, trailing bytes", () => {
  const change = "0101020101030200";
  equal(decodeConfChange(fromHex(change)!) !== null, true);
  const changes = ["0201020101030200", "0105020101030200", "0101020001030200", "0101020501030200"];
  const ids = ["0101020100030200", "01010201818080808080800803" + "0200"];
  const hostile = ["0101ffffffff7f", "01010181808080808080" + "808001"];
  for (const hex of [...changes, ...ids, ...hostile, `${change}00`]) {
    equal(decodeConfChange(fromHex(hex)!), null, hex);
  }
  for (let cut = 0; cut < change.length; cut += 2) {
    equal(decodeConfChange(fromHex(change.slice(0, cut))!), null, `cut at ${cut / 2}`);
  }
  const conf = "0103010203000000000000".slice(0, 20);
  equal(decodeConfState(fromHex(conf)!) !== null, true);
  for (const hex of [`${conf}00`, conf.replace("0203", "0302"), conf.slice(0, -2) + "02", "02"]) {
    equal(decodeConfState(fromHex(hex)!), null, hex);
  }
  for (let cut = 0; cut < conf.length; cut += 2) {
    equal(decodeConfState(fromHex(conf.slice(0, cut))!), null, `cut at ${cut / 2}`);
  }
});

test("a configuration inside other bytes: reads its own and no more; a defect fails the reader", () => {
  const conf = new ConfState([1, 2], [], [3], [], false);
  const bytes = encodeConfState(conf);
  const reader = new ByteReader(new Uint8Array([...bytes, 7, 8]));
  deepEqual(readConfState(reader), conf);
  equal(reader.remaining, 2);
  const broken = new ByteReader(bytes.with(1, 0));
  equal(readConfState(broken), null);
  equal(broken.ok, false);
});

test("what would not decode does not encode", () => {
  throws(() => encodeConfState(new ConfState([2, 1], [], [], [], false)), AssertionError);
  const many = Array.from(
    { length: changesMax + 1 },
    (_, i) => new ConfChangeSingle(ConfChangeType.AddVoter, i + 1),
  );
  const change = new ConfChange(ConfTransition.Auto, many, new Uint8Array(0));
  throws(() => encodeConfChange(change), AssertionError);
});
