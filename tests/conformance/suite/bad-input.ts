// What no honest client sends, in numbers: how much of each kind was sent to each server. Around all of
// it stands one question: is the store what it was before?
import { deepEqual } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import type { ServerKind } from "./servers.ts";
import type { Trial } from "./trial.ts";

export const badKinds = [
  "malformed protobuf",
  "random bytes",
  "broken frames",
  "broken JSON",
  "wrong paths",
  "unknown fields",
  "oversize",
  "invalid UTF-8",
  "broken base64",
] as const;
export type BadKind = (typeof badKinds)[number];

const counts: Map<string, number> = new Map();
const nameOf = (server: ServerKind, door: Door, kind: BadKind): string =>
  `${server} ${door} ${kind}`;

/** Which of a member's two interfaces was asked. */
export type Door = "gRPC" | "gateway";
const doors: readonly Door[] = ["gRPC", "gateway"];

/** One more was sent. */
export function countBad(trial: Trial, door: Door, kind: BadKind): void {
  const name = nameOf(trial.servers.kind, door, kind);
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Lines for a report; none when nothing was sent to it. */
export function badInputSent(server: ServerKind): string[] {
  const lines: string[] = [];
  let all = 0;
  for (const door of doors) {
    const words: string[] = [];
    for (const kind of badKinds) {
      const count = counts.get(nameOf(server, door, kind)) ?? 0;
      all += count;
      if (count > 0) words.push(`${count} ${kind}`);
    }
    if (words.length > 0) lines.push(`bad input to ${server} by ${door}: ${words.join(", ")}`);
  }
  return all === 0 ? [] : [...lines, `bad input to ${server}: ${all} in all, nothing written`];
}

/** Everything that a write could change: the hash and the revision, members, alarms, leases, users, roles. */
async function stateOf(trial: Trial): Promise<unknown> {
  const { header, hash } = await trial.ok(etcd.Maintenance.method.hashKV, {});
  const { members } = await trial.ok(etcd.Cluster.method.memberList, {});
  const { alarms } = await trial.ok(etcd.Maintenance.method.alarm, {});
  const { leases } = await trial.ok(etcd.Lease.method.leaseLeases, {});
  const { users } = await trial.ok(etcd.Auth.method.userList, {});
  const { roles } = await trial.ok(etcd.Auth.method.roleList, {});
  const ids = leases.map(({ ID }) => `${ID}`).sort();
  return [header!.revision, hash, members, alarms, ids, users, roles];
}

/** The store's hash, and all else, are after it what they were before. */
export async function nothingWritten(trial: Trial, use: () => Promise<void>): Promise<void> {
  await trial.put("before", "it must be found as it is");
  const before = await stateOf(trial);
  await use();
  deepEqual(await stateOf(trial), before);
}
