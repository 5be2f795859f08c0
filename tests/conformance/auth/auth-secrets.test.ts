// No password and no token stands anywhere that lasts or is shown (A3, CVE-2021-28235): not in logs, WAL,
// checkpoints, metrics, statuses or journals. Method: marked secrets through every path that takes one,
// right and wrong, then a search through everything.
import { equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { AuthCalls } from "./auth-calls.ts";
import { withCluster } from "../../processes/cluster.ts";
import type { TestCluster } from "../../processes/cluster.ts";
import { eventually } from "../../processes/eventually.ts";

const passwords = [
  "marked-first-2f7b",
  "marked-second-91c0",
  "marked-wrong-5ee4",
  "marked-json-77aa",
];

test("marked passwords and tokens are found nowhere", async () => {
  const flags = ["--log-level=debug", "--checkpoint-interval=100", "--bcrypt-cost=4"];
  await withCluster({ flags }, async (cluster) => {
    const [first, second, third] = passwords as [string, string, string];
    const calls = new AuthCalls(cluster.members[0]!.client);
    await calls.addUser("u", first);
    const root = await calls.enable(first);
    const tokens = [root, await calls.login("u", first)];
    const schema = etcd.AuthUserChangePasswordRequestSchema;
    await calls.auth("UserChangePassword", schema, { name: "u", password: second });
    const other = new AuthCalls(cluster.members[1]!.client, root);
    tokens.push(await other.login("u", second));
    await other.login("u", third).then(
      () => ok(false, "a wrong password was taken"),
      (error: Error) => ok(error.message.includes("authentication failed")),
    );
    const long = await other
      .auth("UserAdd", etcd.AuthUserAddRequestSchema, {
        name: "long",
        password: `${third}${"x".repeat(80)}`,
      })
      .catch((error: Error) => error.message);
    equal(long, `UserAdd: ${GrpcCode.Unknown} bcrypt: password length exceeds 72 bytes`);
    // Its own text is what a call fails with that cannot be decoded: secrets in it, not in the answer.
    const broken = await other.call(
      "/etcdserverpb.Auth/UserAdd",
      Buffer.from(`\x0a\xff${passwords[3]}`),
    );
    equal(broken.code, GrpcCode.Internal);
    // A token that is no token, where one is expected and where none is.
    const stray = `${third}.12`;
    tokens.push(stray);
    equal(
      (await other.call("/etcdserverpb.KV/Range", Buffer.from("\x0a\x01k"), stray)).code,
      GrpcCode.Unauthenticated,
    );

    await checkpointed(cluster);
    for (const member of cluster.members) member.token = root;
    const shown = await shownBy(cluster, root);
    await Promise.all(cluster.members.map((member) => member.stop()));
    const files = readdirSync(cluster.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    ok(files.length > 6, files.join());
    const places = new Map(files.map((path) => [path, readFileSync(path)]));
    for (const { name, log } of cluster.members) {
      places.set(`log of ${name}`, Buffer.from(log.join("\n")));
    }
    places.set("what members show", Buffer.from(shown));
    let bytes = 0;
    for (const [place, content] of places) {
      bytes += content.length;
      for (const secret of [...passwords, ...tokens]) {
        for (const form of formsOf(secret)) {
          equal(content.includes(form), false, `${secret} is in ${place}`);
        }
      }
    }
    ok(bytes > 10_000);
    // The search finds what is there: the user's name, and the beginning of a hash.
    const wals = [...places].filter(([path]) => path.includes("wal"));
    ok(
      wals.some(([, content]) => content.includes("$2b$04$")),
      "hashes are in the log",
    );
  });
});

/** As it is, in hexadecimal, and as part of a text in base64, wherever it begins. */
function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    return text.slice(4, 4 * Math.floor((shift + bytes.length) / 3));
  });
  return [bytes, Buffer.from(bytes.toString("hex")), ...shifted.map((text) => Buffer.from(text))];
}

/** Each member has written its tables since the last change. */
async function checkpointed(cluster: TestCluster): Promise<void> {
  const before = cluster.members.map(({ log }) => log.length);
  await eventually("checkpoints", () =>
    cluster.members.every(({ log }, at) =>
      log.slice(before[at]).some((line) => line.includes('"msg":"checkpoint written"')),
    ),
  );
}

/** Metrics, status, journal and members, as anybody can ask for them. */
async function shownBy(cluster: TestCluster, token: string): Promise<string> {
  const texts: string[] = [];
  for (const { address, client } of cluster.members) {
    texts.push(await (await fetch(`http://${address}/metrics`)).text());
    for (const path of ["/quorate.v1.Inspect/Status", "/quorate.v1.Inspect/Journal"]) {
      const { message } = await client.call(path, new Uint8Array(0), 5000, { token });
      texts.push(Buffer.from(message!).toString("latin1"));
    }
  }
  ok(texts.every((text) => text.length > 20));
  return texts.join("\n");
}
