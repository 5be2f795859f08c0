// All suites of clients on one cluster of three, of Quorate or of etcd: what a client is told must not
// depend on whose it is. First everything that clients can do beside each other, then what everybody
// notices, then the death of the leader, and in the end authentication, which none of the others survives.
import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { eventually } from "../processes/eventually.ts";
import { missingReason, startServers } from "../conformance/suite/servers.ts";
import type { ServerKind, Servers } from "../conformance/suite/servers.ts";
import { WireClient } from "../conformance/wire/wire-client.ts";
import { enableAuth } from "./accounts.ts";
import { grpcJs } from "./grpc-js.ts";
import { npmEtcd3 } from "./npm-etcd3.ts";
import { pythonEtcd3 } from "./python-etcd3.ts";
import type { ClientSuite } from "./suite.ts";

/** An election costs its users calls, and they are here for their clients: none on a loaded machine. */
const flags = ["--election-timeout=2000", "--bcrypt-cost=4"];

export const suites: readonly ClientSuite[] = [npmEtcd3, grpcJs, pythonEtcd3];

/** Why a suite is left out, said once and loudly. */
export function skipOf({ name, missing }: ClientSuite): string | false {
  if (missing !== null) process.stderr.write(`\nSKIPPED ${name}: ${missing}\n\n`);
  return missing ?? false;
}

export function testSuites(kind: ServerKind): void {
  const missing = missingReason(kind);
  if (missing !== null) process.stderr.write(`\nSKIPPED clients of ${kind}: ${missing}\n\n`);
  describe(`clients of ${kind}`, { skip: missing ?? false }, () => {
    let servers: Servers;
    before(async () => {
      servers = await startServers(kind, { members: 3, flags });
    });
    after(async () => {
      for (const suite of suites) await suite.close();
      await servers.close();
    });
    const wanted = suites.map((suite) => ({ suite, skip: skipOf(suite) }));

    describe("beside each other", { concurrency: true }, () => {
      for (const { suite, skip } of wanted) {
        describe(suite.name, { skip, concurrency: true }, () => {
          for (const [what, run] of Object.entries(suite.cases)) {
            test(what, () => run(servers.addresses));
          }
        });
      }
    });

    for (const { suite, skip } of wanted) {
      test(`${suite.name}: compactions and alarms`, { skip }, () => suite.alone(servers.addresses));
    }

    test("the leader is killed: nothing is lost for any of them", async (t) => {
      const doomed = await leaderOf(servers);
      const address = servers.addresses[doomed]!;
      const present = suites.filter((suite) => suite.missing === null);
      const goOn = await Promise.all(
        present.map((suite) => suite.outlives(servers.addresses, address)),
      );
      await servers.kill(doomed);
      await Promise.all(goOn.map((check, at) => t.test(present[at]!.name, check)));
    });

    test("authentication", async (t) => {
      const alive = await aliveOf(servers);
      const client = new GrpcClient(alive[0]!);
      await enableAuth(client);
      client.close();
      for (const { suite, skip } of wanted) {
        const { name, auth } = suite;
        if (auth !== null) await t.test(name, { skip }, () => auth(alive));
      }
      equal(servers.crashed(), null);
    });
  });
}

async function leaderOf(servers: Servers): Promise<number> {
  return eventually("a leader", async () => {
    const at = await Promise.all(
      servers.addresses.map(async (address) => {
        const client = new WireClient(address);
        const { message } = await client.unary(etcd.Maintenance.method.status, {});
        client.close();
        return message !== null && message.leader === message.header?.memberId;
      }),
    );
    return at.includes(true) ? { at: at.indexOf(true) } : null;
  }).then(({ at }) => at);
}

/** The members that serve, each shown by a read. */
async function aliveOf(servers: Servers): Promise<string[]> {
  const alive: string[] = [];
  for (const address of servers.addresses) {
    const client = new WireClient(address);
    const { end } = await client.unary(etcd.KV.method.range, { key: Buffer.from("k") });
    if (end.code === GrpcCode.Ok) alive.push(address);
    client.close();
  }
  deepEqual(alive.length, 2);
  return alive;
}
