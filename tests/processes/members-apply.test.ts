// `quorate members` and `quorate join` against real processes: 3 → 5 → 3 by `apply` while writers go
// on and lose nothing, new members by one command, refusals in words with a next step.
import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import type { TestCluster } from "./cluster.ts";
import { endOf, runQuorate, startQuorate } from "./entry.ts";
import type { Ended, QuorateProcess } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";
import { freePorts } from "./ports.ts";

function members(cluster: TestCluster, ...argv: readonly string[]): Promise<Ended> {
  return runQuorate(["members", ...argv, "--endpoints", cluster.endpoints, "--timeout", "30"]);
}

interface Joined {
  readonly process: QuorateProcess;
  readonly log: string[];
}

function joinArguments(cluster: TestCluster, name: string, port: number): string[] {
  return [
    "join",
    cluster.endpoints,
    ...["--data-dir", join(cluster.folder, name), "--name", name, "--timeout", "30"],
    ...["--peer-url", `http://127.0.0.1:${port + 1}`],
    ...["--client-url", `http://127.0.0.1:${port}`, "--", "--log-format=json"],
  ];
}

function startJoin(cluster: TestCluster, name: string, port: number): Joined {
  const process = startQuorate(joinArguments(cluster, name, port), {
    QUORATE_EXIT_ON_STDIN_END: "1",
  });
  const log: string[] = [];
  process.stdin.on("error", () => undefined);
  for (const stream of [process.stdout, process.stderr]) {
    createInterface({ input: stream }).on("line", (line) => log.push(line));
  }
  return { process, log };
}

function endedWith(child: QuorateProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.on("close", resolve));
}

/** One key after the other until told to stop; the acknowledged ones. */
function writeOn(cluster: TestCluster): { stop(): Promise<string[]> } {
  const acknowledged: string[] = [];
  let stopped = false;
  const writing = (async (): Promise<void> => {
    for (let n = 0; !stopped; n += 1) {
      const { client } = cluster.members[n % cluster.members.length]!;
      if ((await put(client, `apply/${n}`, "v")).code === GrpcCode.Ok) {
        acknowledged.push(`apply/${n}`);
      }
    }
  })();
  return {
    async stop() {
      stopped = true;
      await writing;
      return acknowledged;
    },
  };
}

function wanted(cluster: TestCluster, more: ReadonlyMap<string, number>): string {
  const places = [
    ...cluster.members.map(({ name, peerPort }) => [name, peerPort] as const),
    ...[...more].map(([name, port]) => [name, port + 1] as const),
  ];
  return places.map(([name, port]) => `${name}=http://127.0.0.1:${port}`).join(",");
}

function roles(stdout: string): string {
  return [...stdout.matchAll(/^(m\d) +[0-9a-f]{16} +(\w+)/gm)]
    .map(([, name, role]) => `${name} ${role}`)
    .join(", ");
}

test("3 → 5 → 3 by apply under writes; the new members join by one command", async () => {
  await withCluster({}, async (cluster) => {
    const port = await freePorts(2);
    const more = new Map([
      ["m4", port],
      ["m5", port + 2],
    ]);
    const writer = writeOn(cluster);
    const five = wanted(cluster, more);
    const shown = await members(cluster, "apply", five, "--dry-run");
    equal(shown.code, 0, shown.stderr);
    match(shown.stdout, /^before +2 of 3.*\nduring +2 of 3.*\n +and +3 of 5.*\nafter +3 of 5/m);
    equal(roles((await members(cluster, "list")).stdout), "m1 voter, m2 voter, m3 voter");

    const growing = startQuorate([
      ...["members", "apply", five, "--endpoints", cluster.endpoints],
      ...["--timeout", "30", "--wait", "300"],
    ]);
    const grownEnd = endOf(growing);
    const joined = new Map<string, Joined>();
    try {
      await eventually("both are added", async () => {
        const { stdout } = await members(cluster, "list");
        return roles(stdout) === "m1 voter, m2 voter, m3 voter, m4 unborn, m5 unborn";
      });
      const pile = await members(cluster, "add", "m6", "http://127.0.0.1:1");
      equal(pile.code, 1, pile.stdout);
      match(pile.stderr, /^Error: m4, m5 were added and have never been started: start them/);

      for (const [name, at] of more) joined.set(name, startJoin(cluster, name, at));
      const grown = await grownEnd;
      equal(grown.code, 0, grown.stderr);
      const all = "m1 voter, m2 voter, m3 voter, m4 voter, m5 voter";
      equal(roles(grown.stdout), all);

      // Killed and started by the very same command, it goes on.
      joined.get("m4")!.process.kill("SIGKILL");
      await endedWith(joined.get("m4")!.process);
      joined.set("m4", startJoin(cluster, "m4", port));
      await eventually("m4 serves again", () =>
        joined.get("m4")!.log.some((line) => line.includes('"msg":"ready')),
      );

      const shrunk = await eventually("the two are removed", async () => {
        const ended = await members(cluster, "apply", wanted(cluster, new Map()));
        if (ended.code === 0) return ended;
        // Until the restarted one is connected again, one more loss would be too many.
        match(
          ended.stderr,
          /^Error: (?:during|after), the loss of one more voter|would not survive/,
        );
        return null;
      });
      match(shrunk.stdout, /^before +3 of 5.*\nduring +3 of 5.*\n +and +2 of 3.*\nafter +2 of 3/m);
      equal(roles(shrunk.stdout), "m1 voter, m2 voter, m3 voter");
      for (const { process } of joined.values()) equal(await endedWith(process), 73);
      const acknowledged = await writer.stop();
      const found = await getAll(cluster.members[0]!.client, "apply/");
      if (typeof found === "string") throw new Error(found);
      equal(acknowledged.length > 0, true);
      equal(
        acknowledged.find((key) => !found.has(key)),
        undefined,
      );
    } finally {
      await writer.stop();
      growing.kill("SIGKILL");
      for (const { process } of joined.values()) process.kill("SIGKILL");
      await Promise.all([...joined.values()].map(({ process }) => endedWith(process)));
    }
  });
});

test("what is refused says why and what to do next; forced, it is done", async () => {
  await withCluster({}, async (cluster) => {
    const [m1, , m3] = cluster.members;
    await eventually("all are connected", async () => {
      return (await members(cluster, "remove", "m3", "--dry-run")).stderr.includes("--force");
    });
    const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["remove", "m3"], 1, /^Error: after, the loss of one more voter .*or say --force\n$/],
      [["remove", "m9"], 1, /^Error: no member has the name or id "m9"; there are m1, m2, m3\n$/],
      [["add", "m3", "http://127.0.0.1:1"], 1, /^Error: the name m3 is taken by the member at/],
      [["add", "m4", `http://127.0.0.1:${m1!.peerPort}`], 1, /is taken by the member m1: take/],
      [["add", "m4", "nonsense"], 64, /^quorate: the peer URL: "nonsense" is not a URL/],
      [["promote", "m1"], 1, /^Error: m1 votes already\n$/],
      [["apply", "nowhere"], 64, /^quorate: "nowhere" is neither NAME=URL,… nor a file/],
    ];
    for (const [argv, code, message] of rows) {
      const ended = await members(cluster, ...argv);
      equal(ended.code, code, `${argv.join(" ")}: ${ended.stdout}${ended.stderr}`);
      match(ended.stderr, message);
    }
    const again = await runQuorate(
      joinArguments(cluster, "m1", m1!.clientPort).with(3, `${cluster.folder}/x`),
    );
    equal(again.code, 1);
    match(again.stderr, /^Error: the member m1 at .* has been started before, with another data/);
    const forced = await members(cluster, "remove", "m3", "--force");
    equal(forced.code, 0, forced.stderr);
    equal(roles(forced.stdout), "m1 voter, m2 voter");
    equal((await m3!.ended()).code, 73);
  });
});

test("a dead member is replaced while it is away; it is told so when it comes back", async () => {
  await withCluster({}, async (cluster) => {
    const dead = cluster.member("m3");
    await dead.kill();
    const port = await freePorts(1);
    const url = `http://127.0.0.1:${port + 1}`;
    const endpoints = cluster.running.map((member) => member.address).join();
    const replacing = endOf(
      startQuorate([
        ...["members", "replace", "m3", "m4", url, "--endpoints", endpoints],
        ...["--timeout", "30", "--wait", "300"],
      ]),
    );
    await eventually("m4 is added", async () => {
      return roles((await members(cluster, "list")).stdout).endsWith("m4 unborn");
    });
    const fourth = startJoin(cluster, "m4", port);
    try {
      const replaced = await replacing;
      equal(replaced.code, 0, replaced.stderr);
      match(replaced.stdout, /^before +2 of 3 needed, +2 answer: +m1 m2 \(m3\)$/m);
      equal(roles(replaced.stdout), "m1 voter, m2 voter, m4 voter");
      dead.start();
      equal((await dead.ended()).code, 73, dead.log.at(-1));
      equal((await put(cluster.members[0]!.client, "after", "v")).code, GrpcCode.Ok);
    } finally {
      fourth.process.kill("SIGKILL");
      await endedWith(fourth.process);
    }
  });
});
