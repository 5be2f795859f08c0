// KV.Put, KV.DeleteRange and KV.Compact: rows and revisions that they make, and what is refused.
import { deepEqual, equal } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import type { Case } from "../suite/case.ts";
import { namesOf, plainRow, plainRows } from "../suite/rows.ts";
import { bytes } from "../suite/trial.ts";

const { range, put, deleteRange, compact } = etcd.KV.method;

export const writeCases: readonly Case[] = [
  {
    rule: "E-H1",
    name: "the empty store is at revision 1",
    own: { members: 1 },
    run: async (trial) => equal(await trial.revision(), 1n),
  },
  {
    rule: "E-H1",
    name: "every KV answer tells the present revision",
    run: async (trial) => {
      const r1 = await trial.put("a");
      const r2 = await trial.put("b");
      equal(r2, r1 + 1n);
      const read = await trial.ok(range, { key: trial.key("a"), revision: r1 });
      equal(read.header!.revision, r2);
      const gone = await trial.ok(deleteRange, { key: trial.key("a") });
      equal(gone.header!.revision, r2 + 1n);
      const txn = await trial.ok(etcd.KV.method.txn, {});
      equal(txn.header!.revision, r2 + 1n);
      const compacted = await trial.ok(compact, { revision: r1 });
      equal(compacted.header!.revision, r2 + 1n);
    },
  },
  {
    rule: "E-H2",
    name: "the header names the cluster, the member that serves and its term",
    run: async (trial) => {
      const { header: first } = await trial.ok(put, { key: trial.key("a") });
      const { header: second } = await trial.ok(range, { key: trial.key("a") });
      const status = await trial.ok(etcd.Maintenance.method.status, {});
      for (const header of [second, status.header]) {
        deepEqual(
          [header!.clusterId, header!.memberId, header!.raftTerm],
          [first!.clusterId, first!.memberId, first!.raftTerm],
        );
      }
      equal(status.raftTerm, first!.raftTerm);
      equal(first!.clusterId > 0n && first!.memberId > 0n && first!.raftTerm > 0n, true);
    },
  },
  {
    rule: "E-P1",
    name: "put makes a row, counts its version, and answers the previous row when asked",
    run: async (trial) => {
      const key = trial.key("a");
      const first = await trial.ok(put, { key, value: bytes("1"), prevKv: true });
      equal(first.prevKv, undefined);
      const r1 = first.header!.revision;
      const second = await trial.ok(put, { key, value: bytes("2"), prevKv: true });
      deepEqual(plainRow(trial, second.prevKv!), {
        key: "a",
        value: "1",
        create: r1,
        mod: r1,
        version: 1n,
        lease: 0n,
      });
      const plain = await trial.ok(put, { key, value: bytes("3") });
      equal(plain.prevKv, undefined);
      const { kvs } = await trial.ok(range, { key });
      deepEqual(plainRows(trial, kvs), [
        { key: "a", value: "3", create: r1, mod: r1 + 2n, version: 3n, lease: 0n },
      ]);
    },
  },
  {
    rule: "E-P1",
    name: "keys and values are bytes: zeros, no UTF-8, and no value at all",
    run: async (trial) => {
      const key = Uint8Array.of(...trial.key(""), 0, 0xff, 0xc3, 0x28);
      const value = Uint8Array.of(0, 1, 0xfe, 0xff);
      await trial.ok(put, { key, value });
      const found = await trial.ok(range, { key });
      deepEqual([[...found.kvs[0]!.key], [...found.kvs[0]!.value]], [[...key], [...value]]);
      await trial.ok(put, { key });
      equal((await trial.ok(range, { key })).kvs[0]!.value.length, 0);
    },
  },
  {
    rule: "E-P1",
    name: "ignore_value keeps the value and makes a new version; ignore_lease keeps the lease",
    run: async (trial) => {
      const key = trial.key("a");
      await trial.put("a", "kept");
      const rev = (await trial.ok(put, { key, ignoreValue: true })).header!.revision;
      await trial.ok(put, { key, value: bytes("new"), ignoreLease: true });
      const past = await trial.ok(range, { key, revision: rev });
      deepEqual(plainRow(trial, past.kvs[0]!).value, "kept");
      const { kvs } = await trial.ok(range, { key });
      deepEqual([plainRow(trial, kvs[0]!).value, kvs[0]!.version], ["new", 3n]);
    },
  },
  {
    rule: "E-P1",
    name: "what is refused: no key, a value or lease with its ignore flag, an absent key with one",
    run: async (trial) => {
      await trial.put("a");
      const before = await trial.revision();
      const key = trial.key("a");
      const absent = trial.key("absent");
      const value = bytes("v");
      await trial.refused("emptyKey", put, { value });
      await trial.refused("emptyKey", put, { value, ignoreValue: true });
      await trial.refused("valueProvided", put, { key, value, ignoreValue: true });
      await trial.refused("leaseProvided", put, { key, lease: 7n, ignoreLease: true });
      await trial.refused("keyNotFound", put, { key: absent, ignoreValue: true });
      await trial.refused("keyNotFound", put, { key: absent, ignoreLease: true });
      await trial.refused("leaseNotFound", put, { key, lease: 0x1234_5678_9abc_def0n });
      await trial.refused("leaseNotFound", put, { key, lease: -1n });
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-P2",
    name: "a delete of nothing makes no revision",
    run: async (trial) => {
      const before = await trial.revision();
      const none = await trial.ok(deleteRange, { key: trial.key("a"), prevKv: true });
      deepEqual([none.deleted, none.prevKvs.length, none.header!.revision], [0n, 0, before]);
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-P2",
    name: "a delete of many keys is one revision; the previous rows come when asked",
    run: async (trial) => {
      const first = await trial.put("a", "1");
      await trial.put("b", "2");
      const last = await trial.put("c", "3");
      const gone = await trial.ok(deleteRange, {
        key: trial.key("a"),
        rangeEnd: trial.key("c"),
        prevKv: true,
      });
      deepEqual([gone.deleted, gone.header!.revision], [2n, last + 1n]);
      deepEqual(namesOf(trial, gone.prevKvs), "a b");
      equal(gone.prevKvs[0]!.modRevision, first);
      const left = await trial.ok(range, { key: trial.key(""), rangeEnd: trial.prefixEnd() });
      equal(namesOf(trial, left.kvs), "c");
      const rest = await trial.ok(deleteRange, { key: trial.key("c"), rangeEnd: trial.key("d") });
      deepEqual([rest.deleted, rest.prevKvs.length], [1n, 0]);
    },
  },
  {
    rule: "E-P2",
    name: 'a delete up to "\\0" takes every key from the key on; a new life begins at version 1',
    run: async (trial) => {
      // Above every other case's keys.
      const key = Uint8Array.of(0xfe, ...trial.key("a"));
      await trial.ok(put, { key, value: bytes("1") });
      await trial.ok(put, { key: Uint8Array.of(0xff), value: bytes("2") });
      const gone = await trial.ok(deleteRange, { key, rangeEnd: Uint8Array.of(0) });
      equal(gone.deleted, 2n);
      const rev = (await trial.ok(put, { key })).header!.revision;
      const { kvs } = await trial.ok(range, { key });
      deepEqual([kvs[0]!.createRevision, kvs[0]!.version], [rev, 1n]);
      await trial.ok(deleteRange, { key });
    },
  },
  {
    rule: "E-ERR",
    name: "a delete without a key",
    run: async (trial) => {
      const before = await trial.revision();
      await trial.refused("emptyKey", deleteRange, { rangeEnd: bytes("z") });
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-ERR",
    name: "a request above max-request-bytes: refused, nothing written, the next one served",
    run: async (trial) => {
      const before = await trial.revision();
      const value = new Uint8Array(1_572_864);
      await trial.refused("requestTooLarge", put, { key: trial.key("a"), value });
      await trial.unchanged(before);
      await trial.ok(put, { key: trial.key("a"), value: value.subarray(0, 1_500_000) });
      await trial.ok(deleteRange, { key: trial.key("a") });
    },
  },
  {
    rule: "E-C1",
    name: "compaction: above the present and at or below the last one, refused",
    run: async (trial) => {
      const rev = await trial.put("a", "1");
      await trial.put("a", "2");
      await trial.refused("futureRevision", compact, { revision: rev + 2n });
      await trial.ok(compact, { revision: rev });
      await trial.refused("compacted", compact, { revision: rev });
      await trial.refused("compacted", compact, { revision: rev - 1n });
      await trial.refused("compacted", compact, { revision: 0n });
      await trial.refused("compacted", compact, { revision: -1n });
      equal(await trial.revision(), rev + 1n);
    },
  },
  {
    rule: "E-C1",
    name: "a physical compaction answers when it is done; the present stays as it was",
    run: async (trial) => {
      await trial.put("a", "1");
      const rev = await trial.put("b", "2");
      await trial.ok(deleteRange, { key: trial.key("a") });
      const done = await trial.ok(compact, { revision: rev + 1n, physical: true });
      equal(done.header!.revision, rev + 1n);
      const { kvs } = await trial.ok(range, { key: trial.key(""), rangeEnd: trial.prefixEnd() });
      equal(namesOf(trial, kvs), "b");
      await trial.refused("compacted", range, { key: trial.key("a"), revision: rev });
    },
  },
];
