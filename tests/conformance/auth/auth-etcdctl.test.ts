// Users, roles and rights by Debian's etcdctl, against Quorate and against a real etcd: outputs and exit
// codes are equal, command by command, each at the next member.
import { equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { BothClusters } from "../../processes/both-clusters.ts";
import type { Command } from "../../processes/both-clusters.ts";
import type { Outcome } from "../../processes/run-tool.ts";
import { etcdMissing } from "../../processes/etcd-cluster.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED auth with etcdctl: ${missing}\n\n`);
const skip = missing ?? false;

let both: BothClusters;

before(async () => {
  if (skip === false) both = await BothClusters.start(["--bcrypt-cost=4"]);
});

after(async () => {
  if (skip === false) await both.close();
});

/** By that user, as etcdctl is told it. */
function as(user: string, commands: readonly Command[]): Promise<Outcome[]> {
  return both.same(
    commands.map(([line, input]): Command => [`--user ${user} ${line}`, input ?? ""]),
  );
}

test("while authentication is off: users and roles, and what is refused", { skip }, async () => {
  const outcomes = await both.same([
    ["auth enable"],
    ["auth disable"],
    ["user add root:rootpw"],
    ["user add al:longer"],
    ["user add al:longer"],
    ["user add bob --interactive=false", "bobpw\n"],
    ["user add carl --new-user-password carlpw"],
    ["user add nopw --no-password"],
    ["user add :nobody"],
    ["user list"],
    ["user list -w json"],
    ["user get root"],
    ["user get nobody"],
    ["user get nobody --detail"],
    ["user delete nobody"],
    ["user delete carl"],
    ["role list"],
    ["role add reader"],
    ["role add reader"],
    ["role add ''"],
    ["role add writer -w json"],
    ["role get reader"],
    ["role get nothing"],
    ["role grant-permission reader read a"],
    ["role grant-permission reader read a -w json"],
    ["role grant-permission reader read b d"],
    ["role grant-permission reader readwrite b d"],
    ["role grant-permission reader read --prefix p/"],
    ["role grant-permission reader write --from-key z"],
    ["role grant-permission reader read --prefix ''"],
    ["role grant-permission reader bogus x"],
    ["role grant-permission nothing read a"],
    ["role get reader"],
    ["role get reader -w json"],
    ["role revoke-permission reader a b"],
    ["role revoke-permission reader --prefix ''"],
    ["role revoke-permission reader --from-key z"],
    ["role revoke-permission nothing a"],
    ["role grant-permission writer write b"],
    ["role grant-permission writer write --prefix w"],
    ["role get writer"],
    ["role list"],
    ["user grant-role al reader"],
    ["user grant-role al reader"],
    ["user grant-role al writer -w json"],
    ["user grant-role al nothing"],
    ["user grant-role nobody reader"],
    ["user revoke-role al nothing"],
    ["user revoke-role nobody reader"],
    ["user get al"],
    ["user get al -w json"],
    ["user get al --detail"],
    ["put a 1"],
    ["put b 2"],
    ["put c 3"],
    ["put p/1 4"],
    ["--user root:rootpw get a"],
    ["auth enable"],
    ["role get root"],
  ]);
  match(outcomes[0]!.err, /Error: etcdserver: root user does not exist/);
  equal(outcomes[57]!.out, "Authentication Enabled\n");
});

test("while it is on: nobody, wrong passwords, and who may not", { skip }, async () => {
  const outcomes = await both.same([
    ["get a"],
    ["put a x"],
    ["del a"],
    ["txn", "\n\nget a\n\n\n"],
    ["user list"],
    ["auth disable"],
    ["--user root:wrong get a"],
    ["--user nobody:rootpw get a"],
    ["--user al get a", "longer\n"],
  ]);
  match(outcomes[0]!.err, /Error: etcdserver: user name is empty/);
  match(outcomes[6]!.err, /authentication failed, invalid user ID or password/);
  await as("al:longer", [
    ["get a"],
    ["get b c"],
    ["get b e"],
    ["get b d -w json"],
    ["get --prefix p/"],
    ["get --prefix p"],
    ["get --from-key b"],
    ["get --prefix ''"],
    ["get e"],
    ["put a x"],
    ["put b x"],
    ["put b y --prev-kv"],
    ["put w1 x"],
    ["put w1 y --prev-kv"],
    ["del b d --prev-kv"],
    ["del b e"],
    ["del w1 --prev-kv"],
    ["del w1"],
    ["txn", 'value("a") = "1"\n\nput b z\nget b\n\nget a\n\n'],
    ["txn", 'value("e") = "1"\n\nget a\n\nget a\n\n'],
    ["txn", "\n\nget a\n\nput a 1\n\n"],
    ["txn", "\n\nget b d\ndel b\n\n\n"],
    ["user get al"],
    ["user get root"],
    ["user list"],
    ["user delete bob"],
    ["user passwd al --interactive=false", "other\n"],
    ["role get reader"],
    ["role get root"],
    ["role list"],
    ["role add mine"],
    ["auth disable"],
    ["endpoint health"],
  ]);
  await as("bob:bobpw", [["get a"], ["put a x"], ["user get bob"], ["role get reader"]]);
});

test("root: everything, but not what would lock everybody out", { skip }, async () => {
  const root = (...commands: Command[]): Promise<Outcome[]> => as("root:rootpw", commands);
  const outcomes = await root(
    ["get --prefix ''"],
    ["put anything at-all"],
    ["auth enable"],
    ["user delete root"],
    ["user revoke-role root root"],
    ["role delete root"],
    ["user get root"],
    ["role get root"],
    ["user list"],
    ["user grant-role bob root"],
    ["user revoke-role al writer"],
  );
  match(outcomes[3]!.err, /Error: etcdserver: invalid auth management/);
  await as("al:longer", [["put w1 x"], ["get a"]]);
  await as("bob:bobpw", [
    ["user list"],
    ["put w1 x"],
    ["user revoke-role bob root"],
    ["user list"],
  ]);
  await root(
    ["role delete reader"],
    ["user get al"],
    ["user passwd al --interactive=false", "another\n"],
  );
  await as("al:longer", [["get a"]]);
  await as("al:another", [["get a"], ["user get al"]]);
  await root(["user delete al"], ["user list"], ["role delete writer"], ["role delete writer"]);
  await as("al:another", [["get a"]]);
  await root(["auth disable"]);
  await both.same([
    ["auth disable"],
    ["get a"],
    ["user delete root"],
    ["auth enable"],
    ["user list"],
    ["role list"],
  ]);
});
