// Leases at real members: Debian's etcdctl against Quorate and against a real etcd, command by command;
// keep-alive streams; expiry; and that no lease ends early because its leader was killed.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcClient } from "@quorate/grpc";
import {
  decodeLeaseResponse,
  decodeLeasesResponse,
  decodeRangeResponse,
  encodeLeaseGrantRequest,
  encodeLeaseIdRequest,
  encodeLeaseTimeToLiveRequest,
  encodePutRequest,
  encodeRangeRequest,
  leaseIdHigh,
  leaseIdLow,
  leaseIdOf,
  noLease,
  PutRequest,
  RangeRequest,
} from "@quorate/kv";
import type { LeaseId, LeaseResponse } from "@quorate/kv";
import { TestCluster, withCluster } from "../processes/cluster.ts";
import { EtcdCluster, etcdMissing } from "../processes/etcd-cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { runTool } from "../processes/run-tool.ts";
import type { Outcome } from "../processes/run-tool.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED tests with etcdctl: ${missing}\n\n`);
const skip = missing ?? false;

// ---- Side by side ---------------------------------------------------------------------------------------

function etcdctl(addresses: string, argv: readonly string[]): Promise<Outcome> {
  return runTool("etcdctl", [`--endpoints=${addresses}`, ...argv]);
}

/** One of the two clusters: its endpoints, and the leases that commands have been granted so far. */
class Side {
  readonly addresses: readonly string[];
  readonly granted: string[];

  constructor(addresses: readonly string[]) {
    this.addresses = addresses;
    this.granted = [];
  }

  /** `$1` in a line is the first lease that was granted here. */
  async run(line: string, at: number): Promise<Outcome> {
    const text = line.replace(/\$(\d)/g, (_, n: string) => this.granted[Number(n) - 1]!);
    const address = this.addresses[at % this.addresses.length]!;
    const { code, out, err } = await etcdctl(address, text.split(" "));
    const granted = /^lease ([0-9a-f]+) granted/.exec(out);
    if (granted !== null) this.granted.push(granted[1]!);
    return { code, out: this.#plain(out), err: this.#plain(err) };
  }

  #plain(text: string): string {
    let result = text;
    this.granted.forEach((hex, at) => {
      result = result.replaceAll(hex, `$${at + 1}`);
      result = result.replaceAll(BigInt(`0x${hex}`).toString(), `$${at + 1}`);
    });
    return result
      .replace(/remaining\(\d+s\)/g, "remaining(Ns)")
      .replace(/"ttl":[1-9]\d*/g, '"ttl":N')
      .replace(/"(ID|id)":\d{9,}/g, '"$1":ID')
      .replace(/"ts":"[^"]*"/g, '"ts":TIME')
      .replace(/endpoint:\/\/client-[-0-9a-f]+\/[\d.:]+/g, "CLIENT")
      .replace(/"(cluster_id|member_id)":\d+/g, '"$1":ID')
      .replace(/"raft_term":\d+/g, '"raft_term":N')
      .replace(/^("(?:ClusterID|MemberID|RaftTerm)" :) \d+$/gm, "$1 ID");
  }
}

let cluster: TestCluster;
let etcd: EtcdCluster;
let sides: readonly [Side, Side];

before(async () => {
  if (skip !== false) return;
  etcd = await EtcdCluster.start(3);
  cluster = await TestCluster.make();
  cluster.start();
  await cluster.ready();
  sides = [new Side(cluster.members.map((m) => m.address)), new Side(etcd.addresses)];
  await eventually("etcd serves", async () => {
    const all = etcd.addresses.map((address) => etcdctl(address, ["get", "nothing"]));
    return (await Promise.all(all)).every(({ code }) => code === 0);
  });
});

after(async () => {
  if (skip !== false) return;
  await cluster.close();
  await etcd.close();
});

/** Every command on both, each at the next of the three endpoints; Quorate's outcomes. */
async function same(lines: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [at, line] of lines.entries()) {
    const [ours, theirs] = await Promise.all(sides.map((side) => side.run(line, at)));
    deepEqual(ours, theirs, `etcdctl ${line}`);
    outcomes.push(ours!);
  }
  return outcomes;
}

/** `$1` is from here on the next lease that is granted. */
function begin(): void {
  for (const { granted } of sides) granted.length = 0;
}

test("grant, attach, time to live, keep alive, revoke: as etcd", { skip }, async () => {
  begin();
  const outcomes = await same([
    "lease grant 300",
    "lease grant 600 -w json",
    "lease grant 0",
    "lease grant 9000000001",
    "lease grant nothing",
    "put a 1 --lease=$1",
    "put b 1 --lease=$1",
    "put b 2 --lease=$1 --prev-kv",
    "get a -w json",
    "get a -w fields",
    "lease timetolive $1",
    "lease timetolive $1 -w json",
    "put c 1 --lease=$1",
    "put c 2",
    "put c 3 --ignore-lease",
    "get c -w fields",
    "put a 2 --ignore-lease",
    "put a 3 --ignore-lease --lease=$1",
    "get a -w fields",
    "del b",
    "lease timetolive $1 --keys",
    "lease timetolive $1 --keys -w json",
    "lease keep-alive --once $1",
    "lease keep-alive --once $1 -w json",
    "lease keep-alive --once 1234",
    "lease timetolive 1234",
    "lease timetolive 1234 --keys -w json",
    "put d 1 --lease=1234",
    "lease revoke 1234",
    "lease revoke nothing",
    "lease revoke $1",
    "lease revoke $1",
    "get --prefix a -w json",
    "get --prefix c -w json",
    "lease timetolive $1",
    "lease keep-alive --once $1",
  ]);
  match(outcomes[0]!.out, /^lease \$1 granted with TTL\(300s\)\n$/);
  match(outcomes[3]!.err, /too large lease TTL/);
  match(outcomes[20]!.out, /attached keys\(\[a\]\)/);
  match(outcomes[27]!.err, /requested lease not found/);
  equal(outcomes[30]!.out, "lease $1 revoked\n");
});

test("a revoke takes all its keys in one revision, and nothing else", { skip }, async () => {
  begin();
  const outcomes = await same([
    "lease grant 300",
    "put r/b 1 --lease=$1",
    "put r/a 1 --lease=$1",
    "put r/keep 1",
    "lease timetolive $1",
    "lease revoke $1",
    "get r/ --prefix -w json",
    "put r/next 1",
    "get r/next -w json",
  ]);
  deepEqual([outcomes[2]!.out, outcomes[5]!.out], ["OK\n", "lease $1 revoked\n"]);
});

test(
  "leases end by themselves, with their keys; the list has those that are left",
  { skip },
  async () => {
    begin();
    const outcomes = await same([
      "lease grant 3",
      "put e/1 1 --lease=$1",
      "put e/2 1 --lease=$1",
      "put e/keep 1",
      "lease grant 700",
    ]);
    deepEqual(
      outcomes.slice(1, 4).map(({ out }) => out),
      ["OK\n", "OK\n", "OK\n"],
    );
    await eventually("both have expired it", async () => {
      const all = await Promise.all(
        sides.map((side) => side.run("get --prefix e/ --keys-only", 0)),
      );
      return all.every(({ out }) => out === "e/keep\n\n");
    });
    await same(["lease timetolive $1", "lease keep-alive --once $1", "get --prefix e/ -w json"]);
    // etcd's leader lists them by when they end, others in no order; ids of other tests are of one side.
    for (const at of [0, 1, 2]) {
      const [ours, theirs] = await Promise.all(sides.map((side) => side.run("lease list", at)));
      const lines = ({ out }: Outcome): string[] =>
        out
          .replace(/^[0-9a-f]{13,16}$/gm, "ID")
          .split("\n")
          .toSorted();
      deepEqual(lines(ours!), lines(theirs!));
      ok(lines(ours!).includes("$2"));
    }
  },
);

// ---- Calls ----------------------------------------------------------------------------------------------

const callTimeoutMs = 20_000;

async function call(
  client: GrpcClient,
  method: string,
  request: Uint8Array,
): Promise<LeaseResponse | string> {
  const result = await client.call(`/etcdserverpb.Lease/${method}`, request, callTimeoutMs);
  if (result.code !== GrpcCode.Ok) return result.text;
  return decodeLeaseResponse(result.message!)!;
}

async function must(response: Promise<LeaseResponse | string>): Promise<LeaseResponse> {
  const answer = await response;
  if (typeof answer === "string") throw new Error(answer);
  return answer;
}

const grant = (client: GrpcClient, ttlSeconds: number, id = noLease) =>
  call(client, "LeaseGrant", encodeLeaseGrantRequest({ id, ttlSeconds }));

/** One message, then the client ends its side: that ends the stream. */
const keepAlive = (client: GrpcClient, id: LeaseId) =>
  call(client, "LeaseKeepAlive", encodeLeaseIdRequest(id));

async function put(client: GrpcClient, key: string, id: LeaseId): Promise<void> {
  const leaseHigh = leaseIdHigh(id);
  const leaseLow = leaseIdLow(id);
  const request = new PutRequest({ key: Buffer.from(key), leaseHigh, leaseLow });
  const path = "/etcdserverpb.KV/Put";
  const { code, text } = await client.call(path, encodePutRequest(request), callTimeoutMs);
  equal(code, GrpcCode.Ok, text);
}

/** Linearizable; null: nobody could say. */
async function has(client: GrpcClient, key: string): Promise<boolean | null> {
  const request = encodeRangeRequest(new RangeRequest({ key: Buffer.from(key) }));
  const { message } = await client.call("/etcdserverpb.KV/Range", request, callTimeoutMs);
  return message === null ? null : decodeRangeResponse(message)!.count === 1;
}

test("calls at every member: headers, ids of all 64 bits, what is unknown, what is malformed", async () => {
  await withCluster({}, async (members) => {
    const [one, two, three] = members.members.map((member) => member.client);
    const negative = leaseIdOf(0xffffffff, 0xfffffff9);
    const granted = await must(grant(one!, 1, negative));
    deepEqual([granted.id, granted.ttlSeconds], [negative, 2], "raised to what an election needs");
    equal(await grant(two!, 60, negative), "etcdserver: lease already exists");
    const chosen = await must(grant(three!, 3600));
    ok(chosen.id !== noLease && leaseIdHigh(chosen.id) < 2 ** 31, "an id of our own is positive");
    for (const client of [one!, two!, three!]) {
      const alive = await must(keepAlive(client, chosen.id));
      deepEqual([alive.id, alive.ttlSeconds, alive.header!.revision], [chosen.id, 3600, 1]);
      const request = encodeLeaseTimeToLiveRequest({ id: chosen.id, keys: true });
      const left = await must(call(client, "LeaseTimeToLive", request));
      ok(left.ttlSeconds > 3000 && left.ttlSeconds <= 3600);
      deepEqual([left.grantedTtlSeconds, left.keys], [3600, []]);
      const unknown = await must(keepAlive(client, leaseIdOf(0, 99)));
      equal(unknown.ttlSeconds, 0);
      const path = "/etcdserverpb.Lease/LeaseLeases";
      const list = await client.call(path, new Uint8Array(0), callTimeoutMs);
      ok(decodeLeasesResponse(list.message!)!.includes(chosen.id));
    }
    const broken = Uint8Array.of(0x08);
    for (const method of ["Grant", "Revoke", "KeepAlive", "TimeToLive", "Leases"]) {
      const answer = await call(two!, `Lease${method}`, broken);
      equal(answer, "grpc: failed to unmarshal the received message", method);
    }
    await members.equalDigests();
  });
});

test("kill -9 of the leader: no lease ends before the time its client was last told", async () => {
  await withCluster({}, async (members) => {
    const ttlSeconds = 4;
    const leader = await members.leader();
    const others = members.members.filter((member) => member !== leader);
    const leases = [leader, ...others].map((member, at) => ({
      client: member === leader ? others[0]!.client : member.client,
      grantedBy: member.client,
      key: `k${at}`,
      id: noLease,
      until: 0,
    }));
    for (const lease of leases) {
      lease.until = performance.now() + ttlSeconds * 1000;
      lease.id = (await must(grant(lease.grantedBy, ttlSeconds))).id;
      await put(lease.grantedBy, lease.key, lease.id);
    }
    const renew = async ({ client, id, ...lease }: (typeof leases)[number]): Promise<number> => {
      const sentMs = performance.now();
      const answer = await keepAlive(client, id);
      const renewed = typeof answer !== "string" && answer.ttlSeconds === ttlSeconds;
      return renewed ? sentMs + ttlSeconds * 1000 : lease.until;
    };
    for (let round = 0; round < 3; round++) {
      for (const lease of leases) lease.until = await renew(lease);
    }
    await leader.kill();
    // One is renewed across the election, the others have to last by themselves.
    leases[0]!.until = await renew(leases[0]!);
    for (const lease of leases) {
      await eventually(`${lease.key} has ended`, async () => {
        const there = await has(lease.client, lease.key);
        if (there !== false) return false;
        ok(performance.now() >= lease.until, `${lease.key} ended early`);
        return true;
      });
    }
    equal(leases.length, 3);
  });
});
