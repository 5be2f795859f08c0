// A running cluster changes to TLS between its members, one member at a time. Method: the steps of the
// operating guide on real processes, with a write after each. Goal: it serves all the while, and at the end
// nobody without a certificate of the authority is spoken to.
import { ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { TestAuthority } from "@quorate/server/internal";
import { TestCluster } from "../../processes/cluster.ts";
import { runQuorate } from "../../processes/entry.ts";
import { eventually } from "../../processes/eventually.ts";
import { put } from "../../processes/kv-calls.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
after(() => rmSync(folder, { recursive: true }));
const authority = new TestAuthority(folder);

function flagsOf(name: string): string[] {
  const { certificate, key } = authority.issue(name, { commonName: name, hosts: ["127.0.0.1"] });
  return [
    `--peer-cert-file=${certificate}`,
    `--peer-key-file=${key}`,
    `--peer-trusted-ca-file=${authority.file}`,
    "--peer-client-cert-auth",
  ];
}

test("members change to TLS one by one, without an end of service", async () => {
  // The first step: every member has its certificate, and its URL is still http.
  const cluster = await TestCluster.make({ tls: { client: null, peer: false, flagsOf } });
  try {
    cluster.start();
    await cluster.ready();
    for (const [at, member] of cluster.members.entries()) {
      const url = `https://127.0.0.1:${member.peerPort}`;
      const endpoints = `--endpoints=${cluster.endpoints}`;
      // Refused, or late, while the members' connections are young.
      await eventually("the URL is changed", async () => {
        const { code } = await runQuorate(["members", "update", member.name, url, endpoints]);
        return code === 0;
      });
      await member.stop();
      const other = cluster.members[(at + 1) % 3]!;
      await eventually("the two that are left serve", async () => {
        const { code } = await put(other.client, `during-${member.name}`, "1");
        return code === GrpcCode.Ok;
      });
      member.start([`--listen-peer-urls=${url}`]);
      await cluster.ready();
    }
    await cluster.equalDigests();
    const list = await runQuorate(["members", "list", `--endpoints=${cluster.endpoints}`]);
    for (const { peerPort } of cluster.members) {
      ok(list.stdout.includes(`https://127.0.0.1:${peerPort}`), list.stdout);
    }
  } catch (error) {
    cluster.showLogs();
    throw error;
  } finally {
    await cluster.close();
  }
});
