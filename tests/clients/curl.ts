// curl with a client's certificate: a day's work at the JSON gateway, from the shell.
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { plainEnvironment, toolVersion } from "../processes/entry.ts";
import type { Ended } from "../processes/entry.ts";
import type { SecureServer } from "./suite.ts";

export function curlMissing(): string | null {
  return toolVersion("curl", "--version") === null ? "curl is not installed" : null;
}

function flagsOf({ authority, certificate, key }: SecureServer): string[] {
  return ["-sS", "--cacert", authority, "--cert", certificate, "--key", key];
}

function curl(...argv: readonly string[]): Promise<Ended> {
  const child = spawn("curl", argv, { env: plainEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

type Body = Readonly<Record<string, unknown>>;

async function post(
  server: SecureServer,
  path: string,
  body: Body,
  ...more: string[]
): Promise<Body> {
  const url = `https://${server.address}/v3/${path}`;
  const { code, stdout, stderr } = await curl(
    ...flagsOf(server),
    ...more,
    url,
    "-d",
    JSON.stringify(body),
  );
  equal(code, 0, stderr);
  return JSON.parse(stdout) as Body;
}

const k = btoa("curl/k");

export async function gatewayByCurl(server: SecureServer): Promise<void> {
  const { header } = (await post(server, "kv/put", { key: k, value: btoa("1") })) as {
    header: { revision: string };
  };
  // A stream: a line for its creation, one for the past, one for what comes.
  const watch = spawn(
    "curl",
    [
      ...flagsOf(server),
      "-N",
      `https://${server.address}/v3/watch`,
      "-d",
      JSON.stringify({ create_request: { key: k, start_revision: header.revision } }),
    ],
    { env: plainEnvironment(), stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: watch.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  match(await line(), /^\{"result":\{"header":\{.*\},"created":true\}\}$/);
  match(await line(), /"events":\[\{"kv":\{"key":"Y3VybC9r".*"value":"MQ=="/);

  const compare = [{ key: k, target: "VALUE", result: "EQUAL", value: btoa("1") }];
  const success = [{ request_put: { key: k, value: btoa("2") } }];
  const txn = await post(server, "kv/txn", { compare, success });
  equal(txn["succeeded"], true);
  match(await line(), /"value":"Mg=="/);
  watch.kill();

  const range = (await post(server, "kv/range", { key: k })) as { kvs: { value: string }[] };
  equal(range.kvs[0]!.value, btoa("2"));
  const { ID } = (await post(server, "lease/grant", { TTL: 60 })) as { ID: string };
  const kept = (await post(server, "lease/keepalive", { ID })) as { result: { TTL: string } };
  equal(kept.result.TTL, "60");
  const lock = (await post(server, "lock/lock", { name: btoa("curl-lock"), lease: ID })) as {
    key: string;
  };
  match(atob(lock.key), /^curl-lock\/[0-9a-f]+$/);
  await post(server, "lock/unlock", { key: lock.key });
  await post(server, "lease/revoke", { ID });
  const deleted = await post(server, "kv/deleterange", { key: k });
  equal(deleted["deleted"], "1");
  const refused = await post(server, "lease/revoke", { ID });
  equal(refused["error"], "etcdserver: requested lease not found");

  const health = await curl(...flagsOf(server), `https://${server.address}/health`);
  equal((JSON.parse(health.stdout) as Body)["health"], "true");
  const strangers = [["--cacert", server.authority], ["--insecure"], []];
  for (const flags of strangers) {
    const { code, stdout } = await curl("-sS", ...flags, `https://${server.address}/health`);
    notEqual(code, 0, flags.join(" "));
    equal(stdout, "");
  }
  const plain = await curl("-sS", `http://${server.address}/health`);
  notEqual(plain.code, 0);
}

/** With a certificate that is nobody's, the token in the header says who asks. */
export async function tokenByCurl(
  server: SecureServer,
  name: string,
  password: string,
): Promise<void> {
  const none = await post(server, "kv/range", { key: k });
  equal(none["error"], "etcdserver: user name is empty");
  const { token } = (await post(server, "auth/authenticate", { name, password })) as {
    token: string;
  };
  const authorization = ["-H", `Authorization: ${token}`];
  const put = await post(server, "kv/put", { key: k, value: k }, ...authorization);
  deepEqual(Object.keys(put), ["header"]);
  const wrong = await post(server, "kv/range", { key: k }, "-H", "Authorization: none");
  equal(wrong["error"], "etcdserver: invalid auth token");
}
