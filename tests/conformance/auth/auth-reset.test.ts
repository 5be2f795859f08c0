// Nobody knows root's password any more: `quorate auth reset` on the machine of one member lets its operator
// in again, everywhere and at once. Method: real processes; the word is left at a member that runs and does
// not lead, and at one that is started later. Goal: the old password and its tokens end, nothing else does.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { AuthCalls, Right } from "./auth-calls.ts";
import { withCluster } from "../../processes/cluster.ts";
import { runQuorate } from "../../processes/entry.ts";
import type { Ended } from "../../processes/entry.ts";
import { eventually } from "../../processes/eventually.ts";
import { put } from "../../processes/kv-calls.ts";
import type { TestMember } from "../../processes/member.ts";

function reset(directory: string, password: string, ...more: readonly string[]): Promise<Ended> {
  return runQuorate(["auth", "reset", "--data-dir", directory, ...more], {}, `${password}\n`);
}

function told(member: TestMember, user: string): Promise<true> {
  const line = new RegExp(`"user":"${user}".*by quorate auth reset`);
  return eventually(`${member.name} has given ${user} a password`, () => member.logged(line));
}

test("root gets a new password by a word at one member, and another user by one at the next start", async () => {
  await withCluster({ flags: ["--bcrypt-cost=4"] }, async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader)!;
    const calls = new AuthCalls(leader.client);
    await calls.addRole("r");
    await calls.grant("r", Right.Both, "k");
    await calls.addUser("u", "password of u", "r");
    const lost = await calls.enable("a password that is lost");
    const user = await calls.login("u", "password of u");

    const written = await reset(follower.directory, "marked-new-4d1e");
    deepEqual([written.code, written.stderr], [0, ""]);
    await told(follower, "root");
    equal(existsSync(join(follower.directory, "auth-reset")), false);
    for (const { client } of cluster.members) {
      const here = new AuthCalls(client);
      await rejects(here.login("root", "a password that is lost"), /authentication failed/);
      here.token = await here.login("root", "marked-new-4d1e");
      await here.auth("UserList", etcd.AuthUserListRequestSchema, {});
    }
    const old = await calls.call("/etcdserverpb.Auth/UserList", new Uint8Array(0), lost);
    equal(old.code, GrpcCode.Unauthenticated);
    match(old.text, /invalid auth token/);
    const range = Buffer.from("\n\u0001k");
    equal((await calls.call("/etcdserverpb.KV/Range", range, user)).code, GrpcCode.Ok);
    equal((await put(follower.client, "k", "v")).text, "etcdserver: user name is empty");

    await follower.kill();
    const later = await reset(follower.directory, "marked-rescue-8c2a", "--user=rescue");
    deepEqual([later.code, later.stderr], [0, ""]);
    ok(existsSync(join(follower.directory, "auth-reset")));
    follower.start();
    await told(follower, "rescue");
    const rescue = new AuthCalls(leader.client);
    rescue.token = await rescue.login("rescue", "marked-rescue-8c2a");
    await rescue.auth("UserList", etcd.AuthUserListRequestSchema, {});
    for (const member of cluster.members) {
      member.token = rescue.token;
      ok(!member.log.some((line) => /marked-/.test(line)));
    }
    await cluster.equalDigests();
  });
});

test("without a directory of a member or a password there is no word", async () => {
  await withCluster({ size: 1, flags: ["--bcrypt-cost=4"] }, async (cluster) => {
    const { directory } = cluster.members[0]!;
    const rows: [Ended, RegExp][] = [
      [await reset(cluster.folder, "password"), /no data directory of Quorate/],
      [await reset(directory, "x".repeat(73)), /more than 72 bytes/],
      [await reset(directory, ""), /the password is empty/],
    ];
    for (const [{ code, stderr }, why] of rows) {
      equal(code, 64);
      match(stderr, why);
    }
    equal(existsSync(join(directory, "auth-reset")), false);
    await reset(directory, "password of root");
    await eventually("it says that nobody is locked out", () =>
      cluster.members[0]!.logged(/not carried out: authentication is off/),
    );
  });
});
