// Debian's Patroni with PostgreSQL 15, and Quorate in the place of its etcd (`etcd3`: the JSON gateway).
// Two nodes start at the same time and race for the initialize key; a switchover by patronictl; the death
// of the leader's Patroni and PostgreSQL; and meanwhile the death of Quorate's leader, which PostgreSQL's
// clients must not notice.
import { equal, match, ok } from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withCluster } from "../processes/cluster.ts";
import type { TestCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { freePorts } from "../processes/ports.ts";
import { PatroniNode, patroniMissing, ttlSeconds } from "./patroni-node.ts";

const missing = patroniMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED Patroni: ${missing}\n\n`);

type Pair = readonly [leader: PatroniNode, replica: PatroniNode];

/** Each question costs a process, or Python's time. */
function slowly<Value>(
  what: string,
  check: () => Value | Promise<Value>,
): Promise<NonNullable<Exclude<Value, false>>> {
  return eventually(what, check, 120_000, 250);
}

/** One leads, and the other one streams from it: what is written there is read here. */
async function replicating(nodes: readonly PatroniNode[], mark: string): Promise<Pair> {
  const leader = await slowly(`one leads (${mark})`, async () => {
    for (const node of nodes) if (await node.leads()) return node;
    return null;
  });
  const replica = nodes.find((node) => node !== leader)!;
  await slowly(`it takes ${mark}`, () => {
    const table = "create table if not exists marks (mark text primary key)";
    return (
      leader.sql(`${table}; insert into marks values ('${mark}') on conflict do nothing`) !== null
    );
  });
  await slowly(`${mark} is replicated`, async () => {
    const { role, state } = (await replica.state()) ?? { role: "", state: "" };
    if (role !== "replica" || state !== "running") return false;
    return replica.sql(`select mark from marks where mark = '${mark}'`) === mark;
  });
  return [leader, replica];
}

async function withNodes(
  cluster: TestCluster,
  use: (nodes: readonly PatroniNode[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "quorate-patroni-"));
  chmodSync(folder, 0o755);
  const ports = await freePorts(2);
  const hosts = cluster.members.map(({ address }) => address);
  const nodes = ["p1", "p2"].map((name, at) => {
    const restPort = ports + 2 * at;
    const place = { name, folder: join(folder, name), restPort, postgresPort: restPort + 1, hosts };
    return new PatroniNode(place);
  });
  try {
    for (const node of nodes) node.start();
    await use(nodes);
  } catch (error) {
    for (const { name, log } of nodes) process.stderr.write(`--- ${name}\n${log.slice(-6000)}\n`);
    throw error;
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

test("Patroni: bootstrap, switchover, failover", { skip: missing ?? false }, async () => {
  await withCluster({}, async (cluster) => {
    await withNodes(cluster, async (nodes) => {
      const [first, second] = await replicating(nodes, "bootstrap");

      // Quorate loses its leader: who holds the lease still does when it would have ended without renewals.
      const dead = await cluster.leader();
      await dead.kill();
      const killed = (await first.state())!;
      await slowly("the lease is renewed past its end", async () => {
        const { dcs_last_seen: seen } = (await first.state())!;
        return seen > killed.dcs_last_seen + ttlSeconds;
      });
      await replicating(nodes, "without one member");
      ok(await first.leads());
      equal((await first.state())!.timeline, killed.timeline);

      const flags = ["--leader", first.name, "--candidate", second.name, "--force"];
      const switched = first.ctl("switchover", "quorate", ...flags);
      equal(switched.code, 0, switched.stderr);
      match(switched.stdout, new RegExp(`Successfully switched over to "${second.name}"`));
      const [after] = await replicating(nodes, "switchover");
      equal(after.name, second.name);
      dead.start();

      // The leader dies as a machine does; what it had replicated is there, and it comes back behind.
      await second.kill();
      second.stopPostgres();
      await slowly("the other one leads", () => first.leads());
      second.start();
      const [last] = await replicating(nodes, "failover");
      equal(last.name, first.name);
      const all = first.sql("select string_agg(mark, ',' order by mark) from marks");
      equal(all, "bootstrap,failover,switchover,without one member");
      const list = first.ctl("list", "--format", "json");
      const roles = (JSON.parse(list.stdout) as { Member: string; Role: string }[]).map(
        ({ Member, Role }) => `${Member} ${Role}`,
      );
      equal(roles.sort().join(), [`${first.name} Leader`, `${second.name} Replica`].sort().join());
      await cluster.ready();
    });
  });
});
