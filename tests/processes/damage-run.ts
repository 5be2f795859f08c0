// One damaged file after the other in a running cluster of three, each time of another member: kill -9,
// damage, start with the same flags, and wait for how it ends. The others write meanwhile.
import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GrpcCode } from "@quorate/grpc";
import type { TestCluster } from "./cluster.ts";
import { damageOneFile, DamageEnd, drawing, usedBytes } from "./damage-cases.ts";
import type { DamageCase } from "./damage-cases.ts";
import { eventually } from "./eventually.ts";
import { put } from "./kv-calls.ts";
import type { TestMember } from "./member.ts";

const putsBetween = 20;
const valueBytes = 2000;
const sentShareMax = 3;
/** A log that has hardly anything in it is repaired with the state, whose frames have heads. */
const sentFreeBytes = 65_536;

export interface DamageTold {
  readonly damage: DamageCase;
  readonly end: DamageEnd;
  readonly receivedBytes: number;
  readonly tookMs: number;
}

/** Runs `count` cases, and throws when any ended otherwise than its row allows. */
export async function runDamage(
  cluster: TestCluster,
  seed: number,
  count: number,
  onCase: (told: DamageTold, at: number) => void = () => undefined,
): Promise<void> {
  const draw = drawing(seed);
  const wrong: string[] = [];
  for (let at = 0; at < count; at += 1) {
    await write(cluster, at);
    const member = cluster.members[draw(cluster.members.length)]!;
    const told = await runCase(cluster, member, draw);
    onCase(told, at);
    const { kind, file, detail, allowed } = told.damage;
    if (allowed.has(told.end)) continue;
    const wanted = [...allowed].join(" or ");
    wrong.push(`case ${at}: ${member.name}, ${file} ${kind} ${detail}: ${told.end}, not ${wanted}`);
  }
  deepEqual(wrong, []);
  await cluster.ready();
  await cluster.equalDigests();
}

async function write(cluster: TestCluster, at: number): Promise<void> {
  const value = String(at % 10).repeat(valueBytes);
  for (let n = 0; n < putsBetween; n += 1) {
    await eventually("a put is acknowledged", async () => {
      const { client } = await cluster.leader();
      return (await put(client, `damage/${at}/${n}`, value)).code === GrpcCode.Ok;
    });
  }
}

async function runCase(
  cluster: TestCluster,
  member: TestMember,
  draw: (below: number) => number,
): Promise<DamageTold> {
  const before = await eventually("a status", () => member.status());
  await member.kill();
  const damage = damageOneFile(member.directory, draw);
  const startedMs = performance.now();
  member.log.length = 0;
  member.start();
  const end = await endOf(cluster, member, before.raftId);
  const tookMs = performance.now() - startedMs;
  const receivedBytes = end === DamageEnd.Stopped ? 0 : await received(member);
  if (end === DamageEnd.Stopped) await replace(cluster, member);
  forgetQuarantines(member);
  return { damage, end, receivedBytes, tookMs };
}

/** It is whole, with every entry of the leader applied and the same digests; or it has ended. */
async function endOf(cluster: TestCluster, member: TestMember, raftId: bigint): Promise<DamageEnd> {
  const what = `${member.name} is whole again, or has ended`;
  await eventually(what, async () => !member.running || (await isWhole(cluster, member)));
  if (!member.running) {
    const { code } = await member.ended();
    ok(code === 72 || code === 75, `it ends with 72 or 75, not ${code}`);
    ok(member.logged(/"level":"(?:error|fatal)"/), "it says why");
    return DamageEnd.Stopped;
  }
  await cluster.ready();
  await cluster.equalDigests();
  const after = await eventually("a status", () => member.status());
  return after.raftId === raftId ? DamageEnd.Same : DamageEnd.Rejoined;
}

async function isWhole(cluster: TestCluster, member: TestMember): Promise<boolean> {
  const [own, leader] = await Promise.all([member.status(), (await cluster.leader()).status()]);
  return own?.phase === "running" && leader !== null && own.applied >= leader.committed;
}

async function received(member: TestMember): Promise<number> {
  const status = await eventually("a status", () => member.status());
  const bytes = status.peers.reduce((sum, peer) => sum + Number(peer.bytesReceived), 0);
  const data = readdirSync(member.directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name }) => sum + usedBytesIfThere(join(member.directory, name)), 0);
  ok(bytes <= sentShareMax * data + sentFreeBytes, `${bytes} bytes came for ${data} of data`);
  return bytes;
}

/** The member runs: its next checkpoint may have taken the file away meanwhile. */
function usedBytesIfThere(path: string): number {
  try {
    return usedBytes(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

/** What its operator does: an empty directory, and it comes back by itself. */
async function replace(cluster: TestCluster, member: TestMember): Promise<void> {
  for (const name of readdirSync(member.directory)) {
    rmSync(join(member.directory, name), { recursive: true });
  }
  member.start();
  await eventually("it comes back", () => isWhole(cluster, member));
  await cluster.ready();
  equal((await member.status())?.phase, "running");
}

/** Or the next time within ten minutes it would rather stop. */
function forgetQuarantines(member: TestMember): void {
  for (const name of readdirSync(member.directory)) {
    if (!name.startsWith("quarantine-")) continue;
    rmSync(join(member.directory, name), { recursive: true });
  }
}
