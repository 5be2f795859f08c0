// KV.Range: which keys a range names, order, limits and filters, revisions, and what is refused.
import { deepEqual, equal, ok } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Case } from "../suite/case.ts";
import { namesOf, plainRows } from "../suite/rows.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";

const { range, rangeStream, put, deleteRange, compact } = etcd.KV.method;
const { SortOrder, SortTarget } = {
  SortOrder: etcd.RangeRequest_SortOrder,
  SortTarget: etcd.RangeRequest_SortTarget,
};
type RangeInit = MessageInitShape<typeof etcd.RangeRequestSchema>;

const zero = Uint8Array.of(0);

/** Everything of the case, or what `more` narrows it to. */
function all(trial: Trial, more: RangeInit = {}): Promise<etcd.RangeResponse> {
  return trial.ok(range, { key: trial.key(""), rangeEnd: trial.prefixEnd(), ...more });
}

/** a to e, put in the order c a e b d; b twice, a three times. */
async function five(trial: Trial): Promise<bigint> {
  const first = await trial.put("c", "3");
  for (const [name = "", value = ""] of ["a5", "e1", "b2", "d4", "b9", "a5", "a0"]) {
    await trial.put(name, value);
  }
  return first;
}

export const rangeCases: readonly Case[] = [
  {
    rule: "E-R1",
    name: "without a range end, one key; absent: no rows and count 0",
    run: async (trial) => {
      const rev = await trial.put("a", "1");
      await trial.put("ab", "2");
      const found = await trial.ok(range, { key: trial.key("a") });
      deepEqual(plainRows(trial, found.kvs), [
        { key: "a", value: "1", create: rev, mod: rev, version: 1n, lease: 0n },
      ]);
      deepEqual([found.count, found.more], [1n, false]);
      const none = await trial.ok(range, { key: trial.key("b") });
      deepEqual([none.kvs.length, none.count, none.more], [0, 0n, false]);
    },
  },
  {
    rule: "E-R1",
    name: "[key, end) in order of bytes; an end not above the key names nothing",
    run: async (trial) => {
      await five(trial);
      const named = async (from: string, to: string): Promise<string> =>
        namesOf(
          trial,
          (await trial.ok(range, { key: trial.key(from), rangeEnd: trial.key(to) })).kvs,
        );
      equal(await named("b", "d"), "b c");
      equal(await named("a", "a\0"), "a");
      equal(await named("d", "b"), "");
      equal(await named("b", "b"), "");
    },
  },
  {
    rule: "E-R1",
    name: 'an end of "\\0" means every key from the key on; key and end "\\0" mean all',
    run: async (trial) => {
      await five(trial);
      const from = await trial.ok(range, { key: trial.key("d"), rangeEnd: zero });
      ok(namesOf(trial, from.kvs).startsWith("d e"));
      const every = await trial.ok(range, { key: zero, rangeEnd: zero, countOnly: true });
      const own = await all(trial, { countOnly: true });
      ok(every.count >= own.count && own.count === 5n);
      const first = await trial.ok(range, { key: zero, rangeEnd: zero, limit: 1n });
      deepEqual([first.count, first.more], [every.count, every.count > 1n]);
    },
  },
  {
    rule: "E-R1",
    name: "a prefix whose last byte is 255 carries into the byte before",
    run: async (trial) => {
      const key = (...tail: number[]): Uint8Array => Uint8Array.of(...trial.key("p"), ...tail);
      for (const tail of [[0xff], [0xff, 0], [0xff, 0xff, 7], [0xfe]]) {
        await trial.ok(put, { key: key(...tail) });
      }
      const found = await trial.ok(range, { key: key(0xff), rangeEnd: trial.key("q") });
      deepEqual(
        found.kvs.map((row) => [...row.key.slice(trial.key("p").length)]),
        [[0xff], [0xff, 0], [0xff, 0xff, 7]],
      );
    },
  },
  {
    rule: "E-R2",
    name: "sort by each target in both orders; a target other than KEY without an order ascends",
    run: async (trial) => {
      await five(trial);
      const { KEY, VERSION, CREATE, MOD, VALUE } = SortTarget;
      const { NONE, ASCEND, DESCEND } = SortOrder;
      const rows: readonly (readonly [number, string])[] = [
        [KEY, "a b c d e"],
        [CREATE, "c a e b d"],
        [MOD, "c e d b a"],
        [VALUE, "a e c d b"],
      ];
      for (const [sortTarget, up] of rows) {
        const down = up.split(" ").reverse().join(" ");
        const sorted = async (sortOrder: number): Promise<string> =>
          namesOf(trial, (await all(trial, { sortTarget, sortOrder })).kvs);
        equal(await sorted(ASCEND), up);
        equal(await sorted(DESCEND), down);
        equal(await sorted(NONE), up);
      }
      const versions = (await all(trial, { sortTarget: VERSION, sortOrder: DESCEND })).kvs;
      equal(versions.map((row) => row.version).join(), "3,2,1,1,1");
    },
  },
  {
    rule: "E-R2",
    name: "the limit cuts after sort and filters; count ignores both; more says that rows are left",
    run: async (trial) => {
      const first = await five(trial);
      const limited = await all(trial, { limit: 2n });
      deepEqual([namesOf(trial, limited.kvs), limited.count, limited.more], ["a b", 5n, true]);
      const sorted = await all(trial, {
        limit: 2n,
        sortTarget: SortTarget.MOD,
        sortOrder: SortOrder.DESCEND,
      });
      deepEqual([namesOf(trial, sorted.kvs), sorted.count, sorted.more], ["a b", 5n, true]);
      const exact = await all(trial, { limit: 5n });
      deepEqual([exact.kvs.length, exact.more], [5, false]);
      const filtered = await all(trial, { limit: 1n, minModRevision: first + 5n });
      deepEqual([namesOf(trial, filtered.kvs), filtered.count, filtered.more], ["a", 5n, true]);
      const negative = await all(trial, { limit: -1n });
      deepEqual([negative.kvs.length, negative.more], [5, false]);
    },
  },
  {
    rule: "E-R2",
    name: "the four revision filters, each and together",
    run: async (trial) => {
      const first = await five(trial);
      const named = async (more: RangeInit): Promise<string> =>
        namesOf(trial, (await all(trial, more)).kvs);
      equal(await named({ minModRevision: first + 4n }), "a b d");
      equal(await named({ maxModRevision: first + 4n }), "c d e");
      equal(await named({ minCreateRevision: first + 2n }), "b d e");
      equal(await named({ maxCreateRevision: first + 1n }), "a c");
      equal(await named({ minModRevision: first + 5n, maxCreateRevision: first + 1n }), "a");
      equal(await named({ minModRevision: first + 4n, maxModRevision: first + 4n }), "d");
    },
  },
  {
    rule: "E-R2",
    name: "an order or target that no enum knows",
    run: async (trial) => {
      await trial.put("a");
      await trial.put("b");
      const both = { key: trial.key(""), rangeEnd: trial.prefixEnd() };
      const order = { ...both, sortOrder: 9 as etcd.RangeRequest_SortOrder };
      const target = { ...both, sortTarget: 9 as etcd.RangeRequest_SortTarget };
      if (trial.speaks("3.5")) {
        await trial.refused("invalidSortOption", range, order);
        await trial.refused("invalidSortOption", range, target);
      } else {
        // An unknown target ends 3.4's process: it is not asked.
        equal(namesOf(trial, (await trial.ok(range, order)).kvs), "a b");
      }
    },
  },
  {
    rule: "E-R3",
    name: "keys_only keeps everything but the value; count_only has no rows",
    run: async (trial) => {
      const rev = await trial.put("a", "1");
      const keys = await all(trial, { keysOnly: true });
      deepEqual(plainRows(trial, keys.kvs), [
        { key: "a", value: "", create: rev, mod: rev, version: 1n, lease: 0n },
      ]);
      const count = await all(trial, { countOnly: true });
      deepEqual([count.kvs.length, count.count, count.more], [0, 1n, false]);
      await trial.put("b");
      const limited = await all(trial, { countOnly: true, limit: 1n });
      deepEqual([limited.kvs.length, limited.count, limited.more], [0, 2n, false]);
    },
  },
  {
    rule: "E-R4",
    name: "the past is as it was; zero and below mean now; the header says now",
    run: async (trial) => {
      const r1 = await trial.put("a", "1");
      const r2 = await trial.put("a", "2");
      await trial.ok(deleteRange, { key: trial.key("a") });
      const r4 = await trial.put("a", "4");
      const at = async (revision: bigint): Promise<unknown> => {
        const { kvs, header, count } = await trial.ok(range, { key: trial.key("a"), revision });
        equal(header!.revision, r4);
        equal(Number(count), kvs.length);
        return kvs.map((row) => [text(row.value), row.createRevision, row.version]);
      };
      deepEqual(await at(r1 - 1n), []);
      deepEqual(await at(r1), [["1", r1, 1n]]);
      deepEqual(await at(r2), [["2", r1, 2n]]);
      deepEqual(await at(r2 + 1n), []);
      deepEqual(await at(0n), [["4", r4, 1n]]);
      deepEqual(await at(-7n), [["4", r4, 1n]]);
    },
  },
  {
    rule: "E-R4",
    name: "below the compacted revision and above the present one: refused; the compacted one: read",
    run: async (trial) => {
      const r1 = await trial.put("a", "1");
      const r2 = await trial.put("a", "2");
      await trial.ok(compact, { revision: r2 });
      await trial.refused("compacted", range, { key: trial.key("a"), revision: r1 });
      const kept = await trial.ok(range, { key: trial.key("a"), revision: r2 });
      equal(text(kept.kvs[0]!.value), "2");
      const now = await trial.revision();
      await trial.refused("futureRevision", range, { key: trial.key("a"), revision: now + 1n });
    },
  },
  {
    rule: "E-R5",
    name: "a serializable read answers as a linearizable one when nothing is amiss",
    run: async (trial) => {
      await trial.put("a", "1");
      const found = await trial.ok(range, { key: trial.key("a"), serializable: true });
      deepEqual([text(found.kvs[0]!.value), found.count], ["1", 1n]);
    },
  },
  {
    rule: "E-ERR",
    name: "a range without a key",
    run: async (trial) => {
      await trial.refused("emptyKey", range, {});
      await trial.refused("emptyKey", range, { rangeEnd: bytes("z") });
      await trial.refused("emptyKey", range, { serializable: true });
    },
  },
  {
    rule: "E-RPC",
    name: "RangeStream, which came with 3.7, is not there before",
    run: async (trial) => {
      equal(trial.speaks("3.7"), false, "a newer server needs cases of its own for it");
      const stream = trial.wire.stream(rangeStream);
      stream.send({ key: trial.key("a") });
      stream.call.halfClose();
      const { code, text: words } = (await stream.rest()).end;
      const method = "unknown method RangeStream for service etcdserverpb.KV";
      deepEqual([code, words], [12, method]);
    },
  },
];
