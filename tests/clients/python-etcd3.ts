// The Python package `etcd3`, Debian's: one process of python3 runs the cases of python_etcd3.py by name.
import { equal } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { plainEnvironment } from "../processes/entry.ts";
import { accounts } from "./accounts.ts";
import type { ClientSuite, Cluster } from "./suite.ts";

/** The system's own: another one on the path does not see Debian's packages. */
const python = "/usr/bin/python3";
const script = join(import.meta.dirname, "python_etcd3.py");

type Python = ChildProcessByStdio<Writable, Readable, null>;
interface Verdict {
  readonly ok: boolean;
  readonly error?: string;
}

let child: Python | null = null;
/** Who waits for the next answers, in their order. */
const waiting: ((verdict: Verdict) => void)[] = [];

function start(): Python {
  const started = spawn(python, ["-u", script], {
    // What it writes to a log of its own when a connection is refused says nothing.
    env: { ...plainEnvironment(), GRPC_VERBOSITY: "NONE" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  createInterface({ input: started.stdout }).on("line", (line) => {
    waiting.shift()?.(JSON.parse(line) as Verdict);
  });
  started.on("close", () => {
    child = null;
    for (const each of waiting.splice(0)) each({ ok: false, error: "python3 has ended" });
  });
  return started;
}

async function run(name: string, given: Readonly<Record<string, string>>): Promise<void> {
  child ??= start();
  child.stdin.write(`${JSON.stringify({ case: name, arguments: given })}\n`);
  const { ok, error } = await new Promise<Verdict>((resolve) => waiting.push(resolve));
  equal(ok, true, error);
}

function at(name: string): (cluster: Cluster) => Promise<void> {
  return (cluster) => run(name, { address: cluster[2]! });
}

function missing(): string | null {
  const { status } = spawnSync(python, ["-c", "import etcd3"], { env: plainEnvironment() });
  return status === 0 ? null : "python3-etcd3 is not installed";
}

export const pythonEtcd3: ClientSuite = {
  name: "Python etcd3",
  missing: missing(),
  cases: {
    "values, previous ones, conditional puts": at("keys"),
    "ranges: order, keys alone, deletes": at("ranges"),
    "transactions, one in another": at("transactions"),
    "watchers: the past, previous values, callbacks, time-outs": at("watching"),
    "leases: refreshed, ended, revoked": at("leases"),
    "locks exclude each other": at("locks"),
    "errors become its classes": at("errors"),
    "status, members, alarms, hash, snapshot": at("maintenance"),
  },
  alone: at("alone"),
  outlives: async (cluster, doomed) => {
    await run("outlives", { address: doomed });
    return () => run("outlived", { address: cluster.find((address) => address !== doomed)! });
  },
  // Its gRPC sends no credentials over a connection that is open to everybody.
  auth: null,
  tls: (secure) => run("tls", { ...secure }),
  authByTls: (secure) => run("auth", { ...secure, password: accounts.al }),
  close: async () => {
    const ending = child;
    if (ending === null) return;
    const end = new Promise((resolve) => ending.on("close", resolve));
    ending.stdin.end();
    // It waits for threads of its own that nothing ends.
    ending.kill();
    await end;
  },
};
