// Users, roles and rights go back to etcd: a snapshot of a cluster with authentication on, restored by
// etcdctl; the etcd that starts from it takes the same passwords and gives the same rights.
import { equal, match } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RestoredEtcd } from "../snapshot/restored-etcd.ts";
import { AuthCalls, Right } from "./auth-calls.ts";
import { etcdctl } from "../../processes/both-clusters.ts";
import { withCluster } from "../../processes/cluster.ts";
import { etcdMissing } from "../../processes/etcd-cluster.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED a snapshot with users: ${missing}\n\n`);

test(
  "what etcd is given back knows users, passwords, roles and rights",
  { skip: missing ?? false },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-auth-snapshot-"));
    const path = join(folder, "snapshot.db");
    try {
      await withCluster({ size: 1 }, async (cluster) => {
        const [member] = cluster.members;
        const calls = new AuthCalls(member!.client);
        await calls.addRole("r");
        await calls.grant("r", Right.Read, "a", "c");
        await calls.addUser("u", "password of u", "r");
        await calls.enable("password of root");
        const user = "root:password of root";
        const put = await etcdctl(member!.address, ["--user", user, "put", "b", "kept"]);
        equal(put.out, "OK\n", put.err);
        const denied = await etcdctl(member!.address, [
          "--user",
          "u:password of u",
          "snapshot",
          "save",
          path,
        ]);
        match(denied.err, /permission denied/);
        const saved = await etcdctl(member!.address, ["--user", user, "snapshot", "save", path]);
        equal(saved.code, 0, saved.err);
      });
      const restored = await RestoredEtcd.start(path);
      try {
        const ask = async (user: string, ...argv: string[]): Promise<string> => {
          const { out, err } = await etcdctl(restored.address, ["--user", user, ...argv]);
          return out === "" ? (/Error: (.*)/.exec(err)?.[1] ?? err) : out;
        };
        equal(await ask("u:password of u", "get", "b"), "b\nkept\n");
        equal(await ask("u:password of u", "get", "c"), "etcdserver: permission denied");
        equal(await ask("u:password of u", "put", "b", "x"), "etcdserver: permission denied");
        match(await ask("u:another", "get", "b"), /authentication failed/);
        equal(await ask("root:password of root", "user", "list"), "root\nu\n");
        match(await ask("root:password of root", "role", "get", "r"), /\[a, c\)/);
        const nobody = await etcdctl(restored.address, ["get", "b"]);
        match(nobody.err, /user name is empty/);
      } finally {
        await restored.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
