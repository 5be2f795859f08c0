// Every command of README.md's tour works as it stands there, on other ports. Method: the blocks are
// taken from the page, `npx quorate` and the ports replaced, and run by a shell that stops at the
// first command that fails.
import { equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeProgram } from "@quorate/cli/src/program.ts";
import { withCluster } from "./cluster.ts";
import type { TestCluster } from "./cluster.ts";
import { plainEnvironment, startQuorate, toolVersion } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./ports.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const quorate = `"${process.execPath}" --conditions=@quorate/source "${root}/packages/cli/src/main.ts"`;
const folder = mkdtempSync(join(tmpdir(), "quorate-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The shell block that holds these words. */
function block(words: string): string {
  const found = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].find((b) => b[1]!.includes(words));
  equal(found === undefined, false, `README.md has no block with ${words}`);
  return found![1]!;
}

function shell(script: string, environment: Record<string, string>): Promise<[number, string]> {
  const child = spawn("bash", ["-e", "-o", "pipefail", "-c", script], {
    cwd: folder,
    env: { ...plainEnvironment(), ...environment },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => child.on("close", (code) => resolve([code ?? -1, output])));
}

function onPortsOf(cluster: TestCluster, script: string): string {
  const [first, second, third] = cluster.members;
  return script
    .replaceAll("127.0.0.1:2379", first!.address)
    .replaceAll("127.0.0.1:22379", second!.address)
    .replaceAll("127.0.0.1:32379", third!.address)
    .replaceAll("npx quorate", quorate);
}

test("the tour: etcdctl's part, then quorate's", async (t) => {
  await withCluster({}, async (cluster) => {
    if (toolVersion("etcdctl", "version") === null) {
      t.diagnostic("SKIPPED etcdctl's part: etcdctl is not installed");
    } else {
      const [code, output] = await shell(onPortsOf(cluster, block("etcdctl put greeting")), {});
      equal(code, 0, output);
      match(output, /^OK\ngreeting\nhello\nOK\ngreeting\nhello\ngreeting\ngoodbye\n1\n/);
    }
    const environment = { ETCDCTL_ENDPOINTS: cluster.endpoints };
    const [code, output] = await shell(
      onPortsOf(cluster, block("npx quorate put greeting")),
      environment,
    );
    equal(code, 0, output);
    match(output, /^OK\nOK\ngreeting\nhello\npiped\nfrom a pipe\n\nNAME +ROLE/);
  });
});

test("a member by hand", async () => {
  const port = await freePorts(1);
  const [command, probe, write] = block("quorate serve --name solo").split("\ncurl ");
  const argv = command!
    .replaceAll("\\\n", " ")
    .replaceAll("12379", String(port))
    .replaceAll("12380", String(port + 1))
    .replaceAll("/tmp/", `${folder}/`)
    .trim()
    .split(/\s+/);
  equal(argv.slice(0, 2).join(" "), "npx quorate");
  const member = startQuorate(argv.slice(2), { QUORATE_EXIT_ON_STDIN_END: "1" });
  try {
    match(probe!, /^http:\/\/127\.0\.0\.1:12379\/health/);
    const health = await eventually("it is healthy", async () => {
      const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
      return response?.status === 200 ? response : null;
    });
    equal(await health.text(), '{"health":"true","reason":""}');
    for (const path of ["livez", "readyz", "version", "metrics"]) {
      equal((await fetch(`http://127.0.0.1:${port}/${path}`)).status, 200, path);
    }
    const [, path, body] = /^http:\/\/127\.0\.0\.1:12379(\S+) -d '(.+)'/.exec(write!)!;
    const written = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: body! });
    equal(written.status, 200);
    match(await written.text(), /"revision":"2"/);
  } finally {
    member.kill("SIGKILL");
    await new Promise((resolve) => member.on("close", resolve));
  }
});

test("every command and every document that README.md names is there", () => {
  const commands = makeProgram().commands.map((command) => command.name());
  for (const [, name] of readme.matchAll(/^\| `quorate (\w+)/gm)) {
    equal(commands.includes(name!), true, `quorate ${name}`);
  }
  const scripts = Object.keys(
    (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object }).scripts,
  );
  for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) {
    equal(scripts.includes(name!), true, `npm run ${name}`);
  }
  for (const [, path] of readme.matchAll(/\]\((docs\/[^)#]+)\)/g)) {
    equal(toolVersion("test", "-e", join(root, path!)) !== null, true, path);
  }
});
