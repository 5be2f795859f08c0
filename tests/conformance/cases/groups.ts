// All groups of cases, one for each service and each shape of cluster that it needs.
import type { Group } from "../suite/case.ts";
import { rangeCases } from "./kv-range.ts";
import { txnCases } from "./kv-txn.ts";
import { writeCases } from "./kv-write.ts";

export const groups: readonly Group[] = [
  {
    name: "kv",
    title: "KV: ranges, puts, deletes, transactions, compaction",
    setup: { members: 1 },
    cases: [...rangeCases, ...writeCases, ...txnCases],
  },
];
