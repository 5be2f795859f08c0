// KV.Txn: compares, both branches, nested transactions, one revision for all, and what is refused.
import { deepEqual, equal } from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { etcd } from "@quorate/proto";
import type { Case } from "../suite/case.ts";
import { namesOf, plainRow } from "../suite/rows.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";

const { range, txn, compact } = etcd.KV.method;
const { Compare_CompareResult: Result, Compare_CompareTarget: Target } = etcd;
type CompareInit = MessageInitShape<typeof etcd.CompareSchema>;
type TxnInit = MessageInitShape<typeof etcd.TxnRequestSchema>;
type Op = MessageInitShape<typeof etcd.RequestOpSchema>;

const opPut = (key: Uint8Array, value: string = ""): Op => ({
  request: { case: "requestPut", value: { key, value: bytes(value) } },
});
const opGet = (key: Uint8Array, rangeEnd: Uint8Array = new Uint8Array(0)): Op => ({
  request: { case: "requestRange", value: { key, rangeEnd } },
});
const opDelete = (key: Uint8Array, rangeEnd: Uint8Array = new Uint8Array(0)): Op => ({
  request: { case: "requestDeleteRange", value: { key, rangeEnd, prevKv: true } },
});
const opTxn = (value: TxnInit): Op => ({
  request: { case: "requestTxn", value: create(etcd.TxnRequestSchema, value) },
});
const always: CompareInit = { target: Target.CREATE, key: bytes("never-put") };

async function holds(trial: Trial, ...compare: CompareInit[]): Promise<boolean> {
  return (await trial.ok(txn, { compare })).succeeded;
}

/** Every row of compares on one key: target, result, operand, whether it holds. */
async function table(trial: Trial, key: Uint8Array, rows: readonly Row[]): Promise<void> {
  for (const [target, result, operand, expected] of rows) {
    const compare: CompareInit = {
      target: Target[target],
      result: Result[result],
      key,
      targetUnion: operandOf(target, operand),
    };
    const found = await holds(trial, compare);
    equal(found, expected, `${target} ${result} ${String(operand)}`);
  }
}

type Row = readonly [keyof typeof Target, keyof typeof Result, bigint | string, boolean];

function operandOf(target: keyof typeof Target, of: bigint | string): etcd.Compare["targetUnion"] {
  if (typeof of === "string") return { case: "value", value: bytes(of) };
  const names = {
    VERSION: "version",
    CREATE: "createRevision",
    MOD: "modRevision",
    LEASE: "lease",
  } as const;
  return { case: names[target as keyof typeof names], value: of };
}

export const txnCases: readonly Case[] = [
  {
    rule: "E-T1",
    name: "several writes are one revision; reads inside see what came before them",
    run: async (trial) => {
      const before = await trial.put("b", "old");
      const done = await trial.ok(txn, {
        success: [
          opGet(trial.key(""), trial.prefixEnd()),
          opPut(trial.key("a"), "1"),
          opDelete(trial.key("b")),
          opPut(trial.key("c"), "3"),
          opGet(trial.key(""), trial.prefixEnd()),
        ],
      });
      equal(done.header!.revision, before + 1n);
      const shapes = done.responses.map(({ response }) => response.case);
      deepEqual(shapes, [
        "responseRange",
        "responsePut",
        "responseDeleteRange",
        "responsePut",
        "responseRange",
      ]);
      const reads = [done.responses[0]!, done.responses[4]!].map(({ response }) =>
        response.case === "responseRange" ? namesOf(trial, response.value.kvs) : "",
      );
      deepEqual(reads, ["b", "a c"]);
      const { kvs } = await trial.ok(range, { key: trial.key(""), rangeEnd: trial.prefixEnd() });
      deepEqual(
        kvs.map((row) => row.modRevision),
        [before + 1n, before + 1n],
      );
    },
  },
  {
    rule: "E-T1",
    name: "headers of inner answers carry the revision and nothing else",
    run: async (trial) => {
      const before = await trial.put("b", "old");
      const key = trial.key("b");
      const done = await trial.ok(txn, {
        success: [
          opGet(key),
          opPut(trial.key("a")),
          opDelete(key),
          opTxn({ success: [opGet(key)] }),
        ],
      });
      const headers = done.responses.map(({ response }) => response.value?.header);
      for (const header of headers) {
        deepEqual(
          [header?.clusterId ?? 0n, header?.memberId ?? 0n, header?.raftTerm ?? 0n],
          [0n, 0n, 0n],
        );
      }
      deepEqual(
        headers.map((header) => header?.revision),
        [before, before + 1n, before + 1n, 0n],
      );
    },
  },
  {
    rule: "E-T1",
    name: "a transaction that only reads, or writes nothing, makes no revision",
    run: async (trial) => {
      const before = await trial.put("a");
      const reads = await trial.ok(txn, { success: [opGet(trial.key("a"))] });
      const nothing = await trial.ok(txn, { success: [opDelete(trial.key("none"))] });
      const empty = await trial.ok(txn, {});
      for (const { header } of [reads, nothing, empty]) equal(header!.revision, before);
      deepEqual([empty.succeeded, empty.responses.length], [true, 0]);
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-T2",
    name: "compares of a present key: every target with every result",
    run: async (trial) => {
      const made = await trial.put("k", "m");
      const mod = await trial.put("k", "m");
      await table(trial, trial.key("k"), [
        ["VERSION", "EQUAL", 2n, true],
        ["VERSION", "EQUAL", 1n, false],
        ["VERSION", "GREATER", 1n, true],
        ["VERSION", "GREATER", 2n, false],
        ["VERSION", "LESS", 3n, true],
        ["VERSION", "LESS", 2n, false],
        ["VERSION", "NOT_EQUAL", 1n, true],
        ["VERSION", "NOT_EQUAL", 2n, false],
        ["CREATE", "EQUAL", made, true],
        ["CREATE", "GREATER", made - 1n, true],
        ["CREATE", "LESS", made, false],
        ["CREATE", "NOT_EQUAL", mod, true],
        ["MOD", "EQUAL", mod, true],
        ["MOD", "GREATER", mod, false],
        ["MOD", "LESS", mod + 1n, true],
        ["MOD", "NOT_EQUAL", mod, false],
        ["VALUE", "EQUAL", "m", true],
        ["VALUE", "GREATER", "l", true],
        ["VALUE", "GREATER", "mm", false],
        ["VALUE", "LESS", "mm", true],
        ["VALUE", "NOT_EQUAL", "m", false],
        ["LEASE", "EQUAL", 0n, true],
        ["LEASE", "GREATER", -1n, true],
        ["LEASE", "NOT_EQUAL", 0n, false],
      ]);
    },
  },
  {
    rule: "E-T2",
    name: "compares of an absent key: VALUE never holds, everything else compares with zero",
    run: async (trial) => {
      await table(trial, trial.key("absent"), [
        ["CREATE", "EQUAL", 0n, true],
        ["VERSION", "EQUAL", 0n, true],
        ["MOD", "EQUAL", 0n, true],
        ["LEASE", "EQUAL", 0n, true],
        ["VERSION", "GREATER", 0n, false],
        ["MOD", "LESS", 1n, true],
        ["VALUE", "EQUAL", "", false],
        ["VALUE", "NOT_EQUAL", "x", false],
        ["VALUE", "LESS", "x", false],
      ]);
    },
  },
  {
    rule: "E-T2",
    name: "a compare without an operand, or with another target's, compares with zero",
    run: async (trial) => {
      await trial.put("k", "v");
      const key = trial.key("k");
      equal(await holds(trial, { target: Target.VERSION, key }), false);
      equal(await holds(trial, { target: Target.VERSION, result: Result.GREATER, key }), true);
      const other = { case: "modRevision", value: 1n } as const;
      equal(await holds(trial, { target: Target.VERSION, key, targetUnion: other }), false);
      equal(await holds(trial, { target: Target.VALUE, result: Result.GREATER, key }), true);
      equal(await holds(trial, { target: Target.LEASE, key, targetUnion: other }), true);
    },
  },
  {
    rule: "E-T2",
    name: "a compare of a range must hold for every key; over no key it compares with zero once",
    run: async (trial) => {
      await trial.put("a", "x");
      const last = await trial.put("b", "y");
      const over = async (from: string, to: string, rest: CompareInit): Promise<boolean> =>
        holds(trial, { key: trial.key(from), rangeEnd: trial.key(to), ...rest });
      const version = { case: "version", value: 1n } as const;
      equal(await over("a", "c", { targetUnion: version }), true);
      await trial.put("b", "z");
      equal(await over("a", "c", { targetUnion: version }), false);
      equal(await over("a", "b", { targetUnion: version }), true);
      const mod = { case: "modRevision", value: last } as const;
      const target = Target.MOD;
      equal(await over("a", "c", { target, result: Result.GREATER, targetUnion: mod }), false);
      equal(
        await over("m", "n", { target, targetUnion: { case: "modRevision", value: 0n } }),
        true,
      );
      equal(await over("m", "n", { target, targetUnion: mod }), false);
      const empty = {
        target: Target.VALUE,
        targetUnion: { case: "value", value: bytes("") },
      } as const;
      equal(await over("m", "n", empty), false);
      const open = { key: trial.key("a"), rangeEnd: Uint8Array.of(0), target: Target.CREATE };
      equal(await holds(trial, { ...open, result: Result.GREATER }), true);
    },
  },
  {
    rule: "E-T2",
    name: "all compares must hold; else the other branch runs, and succeeded says so",
    run: async (trial) => {
      await trial.put("a", "1");
      const wrong: CompareInit = { target: Target.VERSION, key: trial.key("a") };
      const success = [opPut(trial.key("then"))];
      const failure = [opPut(trial.key("else"))];
      const yes = await trial.ok(txn, { compare: [always, always], success, failure });
      equal(yes.succeeded, true);
      const no = await trial.ok(txn, { compare: [always, wrong], success, failure });
      equal(no.succeeded, false);
      const { kvs } = await trial.ok(range, { key: trial.key(""), rangeEnd: trial.prefixEnd() });
      deepEqual(
        kvs.map((row) => [text(row.key).slice(trial.prefix.length), row.version]),
        [
          ["a", 1n],
          ["else", 1n],
          ["then", 1n],
        ],
      );
    },
  },
  {
    rule: "E-T3",
    name: "128 operations in a list are served, 129 in any list are refused",
    run: async (trial) => {
      const puts = (count: number): Op[] =>
        Array.from({ length: count }, (_, at) => opPut(trial.key(`k${at}`)));
      const many = (count: number): CompareInit[] => Array.from({ length: count }, () => always);
      await trial.ok(txn, { compare: many(128), success: puts(128), failure: puts(128) });
      const before = await trial.revision();
      await trial.refused("tooManyOps", txn, { compare: many(129) });
      await trial.refused("tooManyOps", txn, { success: puts(129) });
      await trial.refused("tooManyOps", txn, { failure: puts(129) });
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-T3",
    name: "an inner transaction has what the longest list of the outer one leaves",
    run: async (trial) => {
      const gets = (count: number): Op[] =>
        Array.from({ length: count }, () => opGet(trial.key("a")));
      const nested = (outer: number, inner: number): TxnInit => ({
        success: [...gets(outer - 1), opTxn({ success: gets(inner) })],
      });
      await trial.ok(txn, nested(100, 28));
      await trial.refused("tooManyOps", txn, nested(100, 29));
      await trial.refused("tooManyOps", txn, { success: [opTxn(nested(100, 28))] });
      await trial.ok(txn, { success: [opTxn(nested(100, 27))] });
    },
  },
  {
    rule: "E-T4",
    name: "one key put twice, or put and deleted, in one branch: refused",
    run: async (trial) => {
      const before = await trial.revision();
      const [a, b, c] = [trial.key("a"), trial.key("b"), trial.key("c")];
      const lists: readonly Op[][] = [
        [opPut(a), opPut(a)],
        [opPut(a), opDelete(a)],
        [opDelete(a, c), opPut(b)],
        [opPut(b), opTxn({ success: [opPut(b)] })],
        [opTxn({ success: [opPut(b)] }), opTxn({ failure: [opPut(b)] })],
        [opTxn({ success: [opDelete(a, c)] }), opPut(b)],
        [opDelete(a, c), opTxn({ failure: [opPut(b)] })],
      ];
      for (const [at, list] of lists.entries()) {
        await trial.refused("duplicateKey", txn, { success: list });
        await trial.refused("duplicateKey", txn, { failure: list });
        if (at > 1) continue;
        await trial.refused("duplicateKey", txn, { success: [opTxn({ failure: list })] });
      }
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-T4",
    name: "what does not overlap: both branches, deletes among themselves, an open end of a range",
    run: async (trial) => {
      const [a, b, c] = [trial.key("a"), trial.key("b"), trial.key("c")];
      await trial.ok(txn, { success: [opPut(a)], failure: [opPut(a)] });
      await trial.ok(txn, { success: [opDelete(a, c), opDelete(b)] });
      await trial.ok(txn, { success: [opDelete(a, c), opPut(c)] });
      await trial.ok(txn, { success: [opTxn({ success: [opPut(b)], failure: [opPut(b)] })] });
      await trial.ok(txn, { success: [opGet(a), opPut(a), opGet(a)] });
      // etcd reads an end of "\0" as a byte string here, which is below every key.
      await trial.ok(txn, { success: [opPut(b), opDelete(a, Uint8Array.of(0))] });
    },
  },
  {
    rule: "E-T4",
    name: "an operation without content",
    run: async (trial) => {
      const before = await trial.revision();
      await trial.refused("keyNotFound", txn, { success: [{}] });
      await trial.refused("keyNotFound", txn, { success: [opPut(trial.key("a"))], failure: [{}] });
      await trial.refused("keyNotFound", txn, { success: [opTxn({ success: [{}] })] });
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-T5",
    name: "a read at a revision that is gone or to come refuses the whole, before any write",
    run: async (trial) => {
      const old = await trial.put("a", "1");
      const now = await trial.put("a", "2");
      await trial.ok(compact, { revision: now });
      const at = (revision: bigint): Op => ({
        request: { case: "requestRange", value: { key: trial.key("a"), revision } },
      });
      const write = opPut(trial.key("b"));
      await trial.refused("compacted", txn, { success: [write, at(old)] });
      await trial.refused("futureRevision", txn, { success: [write, at(now + 1n)] });
      await trial.refused("futureRevision", txn, {
        success: [write, opTxn({ success: [at(now + 5n)] })],
      });
      await trial.refused("compacted", txn, { success: [at(old)] });
      await trial.unchanged(now);
      await trial.ok(txn, { success: [write], failure: [at(old)] });
    },
  },
  {
    rule: "E-T5",
    name: "a put that cannot be refuses the whole: ignore flags on an absent key, an unknown lease",
    run: async (trial) => {
      const before = await trial.put("a", "1");
      const absent = (flags: object): Op => ({
        request: { case: "requestPut", value: { key: trial.key("absent"), ...flags } },
      });
      const write = opPut(trial.key("b"));
      await trial.refused("keyNotFound", txn, { success: [write, absent({ ignoreValue: true })] });
      await trial.refused("keyNotFound", txn, { success: [write, absent({ ignoreLease: true })] });
      await trial.refused("leaseNotFound", txn, { success: [write, absent({ lease: 77n })] });
      await trial.refused("valueProvided", txn, {
        success: [absent({ ignoreValue: true, value: bytes("v") })],
      });
      await trial.refused("leaseProvided", txn, {
        success: [absent({ ignoreLease: true, lease: 1n })],
      });
      await trial.unchanged(before);
      await trial.ok(txn, { failure: [absent({ ignoreValue: true })] });
    },
  },
  {
    rule: "E-T5",
    name: "inner transactions compare with the state before the whole, and write in order",
    run: async (trial) => {
      await trial.put("a", "1");
      const done = await trial.ok(txn, {
        success: [
          opPut(trial.key("b"), "new"),
          opTxn({
            compare: [{ target: Target.CREATE, key: trial.key("b") }],
            success: [opGet(trial.key("b"))],
            failure: [opGet(trial.key("a"))],
          }),
        ],
      });
      const inner = done.responses[1]!.response;
      equal(inner.case, "responseTxn");
      if (inner.case !== "responseTxn") return;
      const { succeeded, responses } = inner.value;
      equal(succeeded, true);
      const read = responses[0]!.response.value as etcd.RangeResponse;
      deepEqual(plainRow(trial, read.kvs[0]!).value, "new");
    },
  },
  {
    rule: "E-ERR",
    name: "an empty key in a compare, in either branch, or in an inner transaction",
    run: async (trial) => {
      const before = await trial.revision();
      const none = new Uint8Array(0);
      await trial.refused("emptyKey", txn, { compare: [{ target: Target.CREATE }] });
      await trial.refused("emptyKey", txn, { success: [opPut(none)] });
      await trial.refused("emptyKey", txn, { failure: [opGet(none)] });
      await trial.refused("emptyKey", txn, { success: [opDelete(none)] });
      await trial.refused("emptyKey", txn, { success: [opTxn({ failure: [opPut(none)] })] });
      await trial.unchanged(before);
    },
  },
];
