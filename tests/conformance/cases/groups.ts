// All groups of cases, one for each service and each shape of cluster that it needs.
import type { Group } from "../suite/case.ts";
import { authCases } from "./auth.ts";
import { authOnCases } from "./auth-on.ts";
import { authRightsCases } from "./auth-rights.ts";
import { badFrameCases } from "./bad-frames.ts";
import { badGatewayCases } from "./bad-gateway.ts";
import { badMessageCases } from "./bad-messages.ts";
import { clusterCases } from "./cluster.ts";
import { deadlineCases } from "./deadlines.ts";
import { healthCases } from "./health.ts";
import { rangeCases } from "./kv-range.ts";
import { txnCases } from "./kv-txn.ts";
import { writeCases } from "./kv-write.ts";
import { electionCases, lockCases } from "./lock.ts";
import { malformedCases } from "./malformed.ts";
import { leaseCases, leaseClusterCases } from "./lease.ts";
import { watchCases, watchClusterCases } from "./watch.ts";
import { moveLeaderCases, quorumCases } from "./leadership.ts";
import {
  defragmentCases,
  downgradeCases,
  hashCases,
  hashClusterCases,
  maintenanceCases,
  wholeHashCases,
} from "./maintenance.ts";
import { snapshotCases } from "./snapshot.ts";

const one = { members: 1 } as const;
const three = { members: 3 } as const;
/** Passwords are hashed with the least work there is. */
const auth = { members: 1, flags: ["--bcrypt-cost=4"] } as const;

export const groups: readonly Group[] = [
  {
    name: "kv",
    title: "KV: ranges, puts, deletes, transactions, compaction",
    setup: one,
    cases: [...rangeCases, ...writeCases, ...txnCases],
  },
  {
    name: "quorum",
    title: "KV at three members, with and without a quorum",
    setup: three,
    cases: [...quorumCases, ...hashClusterCases],
  },
  {
    name: "cluster",
    title: "Cluster: members and their changes",
    setup: three,
    cases: clusterCases,
  },
  {
    name: "maintenance",
    title: "Maintenance: Status, Alarm, HashKV",
    setup: one,
    cases: [...maintenanceCases, ...hashCases],
  },
  { name: "hash", title: "Maintenance: Hash", setup: one, cases: wholeHashCases },
  { name: "defragment", title: "Maintenance: Defragment", setup: one, cases: defragmentCases },
  { name: "move-leader", title: "Maintenance: MoveLeader", setup: three, cases: moveLeaderCases },
  { name: "snapshot", title: "Maintenance: Snapshot", setup: one, cases: snapshotCases },
  { name: "downgrade", title: "Maintenance: Downgrade", setup: one, cases: downgradeCases },
  { name: "watch", title: "Watch at one member", setup: one, cases: watchCases },
  { name: "watch-3", title: "Watch at three members", setup: three, cases: watchClusterCases },
  { name: "lease", title: "Lease at one member", setup: one, cases: leaseCases },
  { name: "lease-3", title: "Lease at three members", setup: three, cases: leaseClusterCases },
  { name: "lock", title: "Lock", setup: one, cases: lockCases },
  { name: "auth", title: "Auth: users, roles, permissions", setup: auth, cases: authCases },
  {
    name: "auth-on",
    title: "Auth: who asks, and who may what",
    setup: auth,
    cases: [...authOnCases, ...authRightsCases],
  },
  { name: "election", title: "Election", setup: one, cases: electionCases },
  {
    name: "bad-input",
    title: "what no honest client sends",
    // Of its own: no lease that another group has left may end meanwhile.
    setup: { ...auth },
    cases: [...malformedCases, ...badFrameCases, ...badMessageCases, ...badGatewayCases],
  },
  {
    name: "health",
    title: "grpc.health.v1, and deadlines of calls",
    setup: one,
    cases: [...healthCases, ...deadlineCases],
  },
];
