// The npm package `etcd3`, as its README uses it: builders, transactions, watchers that come back by
// themselves, leases that keep themselves alive, locks and elections made of these.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  Etcd3,
  EtcdAuthenticationFailedError,
  EtcdLeaseInvalidError,
  EtcdLockFailedError,
  EtcdPermissionDeniedError,
  EtcdRoleExistsError,
  EtcdUserNotFoundError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
  GRPCUnavailableError,
} from "etcd3";
import type { IOptions, IWatchResponse, Namespace, Watcher } from "etcd3";
import { eventually } from "../processes/eventually.ts";
import { accounts } from "./accounts.ts";
import type { ClientSuite, Cluster, SecureServer } from "./suite.ts";

async function withClient(
  cluster: Cluster,
  use: (client: Etcd3) => Promise<void>,
  options: Partial<IOptions> = {},
): Promise<void> {
  const client = new Etcd3({ hosts: [...cluster], ...options });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

/** Keys of its own, under a prefix that the client adds and takes away again. */
function inNamespace(
  name: string,
  use: (keys: Namespace, client: Etcd3) => Promise<void>,
): (cluster: Cluster) => Promise<void> {
  return (cluster) =>
    withClient(cluster, (client) => use(client.namespace(`npm/${name}/`), client));
}

async function keys(space: Namespace, client: Etcd3): Promise<void> {
  await space.put("text").value("grüße");
  equal(await space.get("text").string(), "grüße");
  const bytes = Buffer.from([0, 255, 10, 128]);
  await space.put(bytes).value(bytes);
  deepEqual(await space.get(bytes).buffer(), bytes);
  await space.put("number").value(42);
  equal(await space.get("number").number(), 42);
  await space.put("json").value('{"a":[1]}');
  deepEqual(await space.get("json").json(), { a: [1] });
  equal(await space.get("nothing"), null);
  equal(await space.get("nothing").exists(), false);
  equal(await space.get("text").exists(), true);
  const previous = await space.put("text").value("other").getPrevious();
  equal(previous.value.toString(), "grüße");
  await space.put("text").touch();
  const touched = await space.get("text").exec();
  equal(touched.kvs[0]!.version, "3");
  equal(touched.kvs[0]!.value.toString(), "other");
  const before = String(Number(previous.header.revision) - 1);
  equal(await space.get("text").revision(before).string(), "grüße");
  equal(await space.get("text").serializable(true).exists(), true);
  // The prefix is the client's alone: the server knows the whole key.
  equal(await client.get("npm/keys/text").string(), "other");
  await space.put("").value("");
  equal(await client.get("npm/keys/").string(), "");
}

async function ranges(space: Namespace): Promise<void> {
  const names = ["a", "b", "c", "d"];
  for (const [at, name] of names.entries()) await space.put(name).value(9 - at);
  await space.put("b").value("z");
  deepEqual(await space.getAll().keys(), names);
  deepEqual(await space.getAll().numbers().then(Object.keys), names);
  equal(await space.getAll().count(), 4);
  deepEqual(await space.getAll().prefix("c").strings(), { c: "7" });
  deepEqual(await space.getAll().inRange({ start: "b", end: "d" }).keys(), ["b", "c"]);
  deepEqual(await space.getAll().sort("Key", "Descend").limit(2).keys(), ["d", "c"]);
  deepEqual(await space.getAll().sort("Mod", "Ascend").keys(), ["a", "c", "d", "b"]);
  deepEqual(await space.getAll().sort("Value", "Ascend").keys(), ["d", "c", "a", "b"]);
  const all = await space.getAll().limit(1).exec();
  deepEqual([all.count, all.more, all.kvs.length], ["4", true, 1]);
  const first = (await space.get("a").exec()).kvs[0]!;
  deepEqual(await space.getAll().maxModRevision(first.mod_revision).keys(), ["a"]);
  const deleted = await space.delete().inRange({ start: "a", end: "c" }).getPrevious();
  deepEqual(
    deleted.map((kv) => kv.value.toString()),
    ["9", "z"],
  );
  equal((await space.delete().key("c")).deleted, "1");
  equal((await space.delete().key("c")).deleted, "0");
  equal((await space.delete().all()).deleted, "1");
}

async function transactions(space: Namespace): Promise<void> {
  const put = (): Promise<{ succeeded: boolean }> =>
    space
      .if("t", "Create", "==", 0)
      .then(space.put("t").value("first"))
      .else(space.get("t"), space.delete().key("nothing"))
      .commit();
  equal((await put()).succeeded, true);
  const second = await space
    .if("t", "Value", "!=", "first")
    .and("t", "Version", ">", 0)
    .then(space.delete().all())
    .else(space.get("t"), space.delete().key("nothing"))
    .commit();
  equal(second.succeeded, false);
  equal(second.responses[0]!.response_range.kvs[0]!.value.toString(), "first");
  equal(second.responses[1]!.response_delete_range.deleted, "0");

  // Its software transactions: reads become compares, a conflict is tried again.
  await space.put("count").value(0);
  const increments = Array.from({ length: 4 }, () =>
    space.stm({ retries: 100 }).transact(async (step) => {
      const count = await step.get("count").number();
      await step.put("count").value(count! + 1);
    }),
  );
  await Promise.all(increments);
  equal(await space.get("count").number(), 4);
}

async function watching(space: Namespace): Promise<void> {
  const start = (await space.put("w/0").value("before")).header.revision;
  const seen: string[] = [];
  const all = await space.watch().prefix("w/").withPreviousKV().create();
  all.on("put", (kv, previous) => {
    const was = previous?.value.toString() ?? "";
    seen.push(`put ${kv.key.toString()} ${kv.value.toString()} after "${was}"`);
  });
  all.on("delete", (kv, previous) => {
    seen.push(`delete ${kv.key.toString()} "${previous?.value.toString()}"`);
  });
  const deletes: string[] = [];
  const only = await space.watch().key("w/1").only("delete").create();
  only.on("data", ({ events }) => {
    for (const event of events) deletes.push(`${event.type} ${event.kv.key.toString()}`);
  });
  const past: string[] = [];
  const since = await space.watch().prefix("w/").startRevision(start).create();
  since.on("put", (kv) => past.push(kv.value.toString()));

  await space.put("w/1").value("a");
  await space.put("w/1").value("b");
  await space.delete().key("w/1");
  await space.put("other").value("c");
  await space.put("w/2").value("last");
  await eventually("all was told", () => seen.length === 4 && past.length === 4);
  deepEqual(seen, [
    'put w/1 a after ""',
    'put w/1 b after "a"',
    'delete w/1 "b"',
    'put w/2 last after ""',
  ]);
  deepEqual(past, ["before", "a", "b", "last"]);
  deepEqual(deletes, ["Delete w/1"]);

  // One of a stream's watchers goes, the others stay.
  await all.cancel();
  await space.put("w/3").value("unseen");
  await eventually("the one that stays is told", () => past.includes("unseen"));
  equal(seen.length, 4);
  await Promise.all([only.cancel(), since.cancel()]);
}

async function leases(space: Namespace): Promise<void> {
  const short = space.lease(2, { autoKeepAlive: false });
  const { revision } = (await short.put("short").value("x")).header;
  const was = await space.get("short").revision(revision).exec();
  equal(was.kvs[0]!.lease, await short.grant());
  const kept = space.lease(3);
  let renewals = 0;
  let lost = 0;
  kept.on("keepaliveSucceeded", () => (renewals += 1));
  kept.on("lost", () => (lost += 1));
  await kept.put("kept").value("x");
  await eventually("what nobody renews ends", async () => !(await space.get("short").exists()));
  await rejects(short.keepaliveOnce(), EtcdLeaseInvalidError);
  // Renewed three times in its time to live: more often than that, and it has outlived it.
  await eventually("it was renewed past its end", () => renewals > 3);
  equal((await kept.keepaliveOnce()).TTL, "3");
  equal(await space.get("kept").exists(), true);

  // Taken away by somebody else: its owner hears it at the next renewal.
  const id = await kept.grant();
  equal((await space.leaseClient.leaseTimeToLive({ ID: id, keys: true })).grantedTTL, "3");
  await space.leaseClient.leaseRevoke({ ID: id });
  equal(await space.get("kept").exists(), false);
  await eventually("the owner hears it", () => lost === 1);
  await rejects(space.put("k").value("x").lease(id).exec(), EtcdLeaseInvalidError);
  const revoked = space.lease(100);
  await revoked.put("revoked").value("x");
  await revoked.revoke();
  equal(await space.get("revoked").exists(), false);
}

async function locks(space: Namespace): Promise<void> {
  const first = space.lock("lock");
  await first.ttl(10).acquire();
  await rejects(space.lock("lock").acquire(), EtcdLockFailedError);
  await first.release();
  const done = await space.lock("lock").do(async () => {
    await rejects(space.lock("lock").acquire(), EtcdLockFailedError);
    return "done";
  });
  equal(done, "done");
  equal(await space.getAll().count(), 0);
}

async function elections(space: Namespace): Promise<void> {
  const election = space.election("e", 10);
  const observer = await election.observe();
  const changes: (string | undefined)[] = [];
  observer.on("change", (value) => changes.push(value));
  const first = election.campaign("first");
  await first.wait();
  equal(await election.leader(), "first");
  const second = election.campaign("second");
  let elected = false;
  second.on("elected", () => (elected = true));
  await eventually("both stand in the queue", async () => {
    return (await space.getAll().prefix("election/e/").count()) === 2;
  });
  await first.proclaim("first again");
  await eventually("the word is heard", () => changes.at(-1) === "first again");
  equal(elected, false);
  await first.resign();
  await eventually("the second leads", () => elected);
  await eventually("the observer hears it", () => changes.at(-1) === "second");
  deepEqual(changes, ["first", "first again", "second"]);
  await observer.cancel();
  await second.resign();
  equal(await election.leader(), undefined);
}

async function errors(space: Namespace, client: Etcd3): Promise<void> {
  await rejects(client.put("").value("x").exec(), GRPCInvalidArgumentError);
  await rejects(client.get("k").revision("1000000000000").exec(), GRPCOutOfRangeError);
  const twice = [space.put("k").value(1), space.put("k").value(2)];
  await rejects(
    space
      .if("k", "Version", ">", -1)
      .then(...twice)
      .commit(),
    /duplicate key given/,
  );
  await rejects(client.user("nobody").roles(), EtcdUserNotFoundError);
  await client.role("npm").create();
  await rejects(client.role("npm").create(), EtcdRoleExistsError);
  await rejects(client.auth.authEnable(), GRPCFailedPreconditionError);
  await client.role("npm").delete();
}

async function users(_: Namespace, client: Etcd3): Promise<void> {
  const role = await client.role("npm-role").create();
  const range = client.range({ prefix: "npm-" });
  await role.grant({ permission: "Readwrite", range });
  await role.grant({ permission: "Read", key: "alone" });
  const permissions = await role.permissions();
  deepEqual(
    permissions.map(({ permission, range: { start } }) => [permission, start.toString()]),
    [
      ["Read", "alone"],
      ["Readwrite", "npm-"],
    ],
  );
  const user = await client.user("npm-user").create("password");
  await user.addRole(role);
  deepEqual(
    (await user.roles()).map(({ name }) => name),
    ["npm-role"],
  );
  await user.setPassword("another");
  await role.removeUser(user);
  deepEqual(await user.roles(), []);
  await user.delete();
  await role.delete();
  equal((await client.getUsers()).length, 0);
}

async function maintenance(_: Namespace, client: Etcd3): Promise<void> {
  const status = await client.maintenance.status();
  match(status.version, /^3\.\d+\.\d+$/);
  const { members } = await client.cluster.memberList({});
  ok(members.some(({ ID }) => ID === status.leader));
  await client.maintenance.defragment();
  deepEqual((await client.maintenance.alarm({ action: "Get" })).alarms, []);
  const stream = await client.maintenance.snapshot();
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    stream.on("data", ({ blob }) => (bytes += blob.length));
    stream.on("error", reject);
    stream.on("end", resolve);
  });
  // Whole pages, and their hash behind them.
  equal(bytes % 512, 32);
}

async function alone(cluster: Cluster): Promise<void> {
  await withClient(cluster, async (client) => {
    const space = client.namespace("npm/alone/");
    const { revision } = (await space.put("k").value("1")).header;
    const { header } = await space.put("k").value("2");
    await client.kv.compact({ revision: header.revision, physical: true });
    await rejects(space.get("k").revision(revision).exec(), GRPCOutOfRangeError);
    const watcher = await space.watch().key("k").startRevision(revision).create();
    const [error] = (await once(watcher, "error")) as [Error];
    match(error.message, /^Watcher canceled: /);
  });
}

/** A watcher, and whom it was connected to first. */
async function connected(space: Namespace): Promise<{ watcher: Watcher; member: string }> {
  const watcher = space.watch().prefix("").watcher();
  const [response] = (await once(watcher, "connected")) as [IWatchResponse];
  return { watcher, member: response.header.member_id };
}

async function outlives(cluster: Cluster, doomed: string): Promise<() => Promise<void>> {
  const client = new Etcd3({ hosts: [...cluster] });
  const lone = new Etcd3({ hosts: doomed });
  const { header } = await lone.maintenance.status();
  lone.close();
  // Each namespace has a stream of its own, at any of the members: until one is at the doomed one.
  let seen: string[] = [];
  let disconnected = 0;
  let space = client.namespace("npm/outlives/0/");
  let { watcher, member } = await connected(space);
  for (let at = 1; member !== header.member_id; at += 1) {
    await watcher.cancel();
    space = client.namespace(`npm/outlives/${at}/`);
    ({ watcher, member } = await connected(space));
  }
  watcher.on("put", (kv) => seen.push(kv.value.toString()));
  watcher.on("disconnected", () => (disconnected += 1));
  const lease = client.lease(10);
  let [renewals, lost] = [0, 0];
  lease.on("keepaliveSucceeded", () => (renewals += 1));
  lease.on("lost", () => (lost += 1));
  await lease.put("npm/outlives-lease").value("x");
  await space.put("k").value("1");
  await eventually("it watches", () => seen.length === 1);
  return async () => {
    for (const value of ["2", "3", "4"]) {
      await eventually(`${value} is written`, () =>
        space
          .put("k")
          .value(value)
          .exec()
          .then(
            () => true,
            () => false,
          ),
      );
    }
    const renewed = renewals;
    await eventually("the watcher has come back and heard all", () => seen.at(-1) === "4");
    // A put whose answer was lost may have been made twice.
    seen = seen.filter((value, at) => value !== seen[at - 1]);
    deepEqual(seen, ["1", "2", "3", "4"]);
    ok(disconnected > 0);
    await eventually("the lease is renewed", () => renewals > renewed);
    equal(lost, 0);
    await lease.revoke();
    await watcher.cancel();
    client.close();
  };
}

function as(user: keyof typeof accounts, password: string = accounts[user]): Partial<IOptions> {
  return { auth: { username: user, password } };
}

async function allowed(al: Etcd3): Promise<void> {
  await al.put("al/k").value("mine");
  equal(await al.get("al/k").string(), "mine");
  await rejects(al.get("k").exec(), EtcdPermissionDeniedError);
  await rejects(al.put("k").value("x").exec(), EtcdPermissionDeniedError);
  await rejects(al.getUsers(), EtcdPermissionDeniedError);
  // A namespace of its own: where one watcher is refused, this client makes no other one any more.
  const all = al.namespace("");
  await rejects(all.watch().prefix("").create(), EtcdPermissionDeniedError);
  const watcher = await al.watch().prefix("al/").create();
  const heard = once(watcher, "put");
  await al.put("al/watched").value("x");
  await heard;
  await watcher.cancel();
}

async function auth(cluster: Cluster): Promise<void> {
  await withClient(cluster, async (nobody) => {
    await rejects(nobody.get("al/k").exec(), /user name is empty/);
    const wrong = (client: Etcd3): Promise<void> =>
      rejects(client.get("al/k").exec(), EtcdAuthenticationFailedError);
    await withClient(cluster, wrong, as("al", "wrong"));
    await withClient(cluster, allowed, as("al"));
    await withClient(
      cluster,
      async (root) => {
        equal((await root.getUsers()).length, 2);
        // All tokens are forgotten with this: it has to log in again, by itself.
        await root.auth.authDisable();
        await nobody.auth.authEnable();
        equal(await root.get("al/k").string(), "mine");
      },
      as("root"),
    );
  });
}

function hostsOf({ address }: SecureServer): string[] {
  return [`https://${address}`];
}

function credentialsOf({ authority, certificate, key }: SecureServer): Partial<IOptions> {
  const credentials = {
    rootCertificate: readFileSync(authority),
    privateKey: readFileSync(key),
    certChain: readFileSync(certificate),
  };
  return { credentials };
}

async function tls(secure: SecureServer): Promise<void> {
  const use = async (client: Etcd3): Promise<void> => {
    await client.put("npm/tls").value("x");
    const watcher = await client.watch().key("npm/tls").create();
    const heard = once(watcher, "put");
    await client.put("npm/tls").value("y");
    await heard;
    await watcher.cancel();
    equal(await client.get("npm/tls").string(), "y");
  };
  await withClient(hostsOf(secure), use, credentialsOf(secure));
  const rootCertificate = readFileSync(secure.authority);
  for (const others of [{ credentials: { rootCertificate } }, {}]) {
    await withClient(
      hostsOf(secure),
      (client) => rejects(client.get("npm/tls").exec(), GRPCUnavailableError),
      others,
    );
  }
}

function authByTls(secure: SecureServer): Promise<void> {
  return withClient(hostsOf(secure), allowed, { ...credentialsOf(secure), ...as("al") });
}

export const npmEtcd3: ClientSuite = {
  name: "npm etcd3",
  missing: null,
  cases: {
    "values of all kinds, previous ones, revisions, namespaces": inNamespace("keys", keys),
    "ranges: order, limits, filters, deletes": inNamespace("ranges", ranges),
    "transactions, and its software transactions": inNamespace("transactions", transactions),
    "watchers on one stream: previous values, filters, the past": inNamespace("watch", watching),
    "leases: kept alive, ended, revoked, lost": inNamespace("leases", leases),
    "locks exclude each other": inNamespace("locks", locks),
    "elections: one leads, others wait, observers hear": inNamespace("elections", elections),
    "errors become its classes": inNamespace("errors", errors),
    "users and roles": inNamespace("users", users),
    "status, members, alarms, snapshot": inNamespace("maintenance", maintenance),
  },
  alone,
  outlives,
  auth,
  tls,
  authByTls,
  close: () => Promise.resolve(),
};
