// Every command of docs/OPERATING.md is carried out, in the stories that the page tells: members come, go and
// are replaced until three other machines serve; a cluster changes to TLS, and grows by it; and three of five
// machines are lost for good.
import { deepEqual, equal, match } from "node:assert/strict";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { TestAuthority } from "@quorate/server/internal";
import { AuthCalls } from "../conformance/auth/auth-calls.ts";
import { Guide, guideLines } from "./guide.ts";
import { Members, until } from "./members.ts";
import type { MembersTls } from "./members.ts";
import { Hosts, whyNot } from "./net.ts";

const reason = whyNot();
const skip = reason === null ? false : `SKIPPED: ${reason}`;
const done = new Set<string>();

interface Place {
  readonly members: Members;
  readonly guide: Guide;
}

function place(
  t: TestContext,
  count: number,
  founders: number,
  tls: ((folder: string) => MembersTls) | null = null,
): Place {
  const hosts = new Hosts(count);
  const members = new Members(hosts, count, founders, tls);
  const guide = new Guide(hosts, members);
  t.after(() => {
    for (const line of guide.done) done.add(line);
    guide.stop();
    members.stop();
    hosts.remove();
  });
  return { members, guide };
}

test("members come, go and are replaced, as the page says", { skip }, async (t) => {
  const { members, guide } = place(t, 6, 3);
  await members.leader([0, 1, 2]);
  equal((await members.put(0, "guide/kept", "to the end")).code, GrpcCode.Ok);
  const everywhere = ["--endpoints", [0, 1, 2, 3, 4, 5].map((at) => members.address(at)).join(",")];
  const list = (): Promise<string> => listed(guide, everywhere);
  const joins = (at: number, by: number): void => {
    const words = ["join", members.address(by), "--data-dir", members.directory(at)];
    guide.other(at, [...words, "--name", members.name(at)]);
  };
  const are = (wanted: string): Promise<true> =>
    until(wanted, async () => ((await list()) === wanted ? true : null));

  guide.begin(3, "join");
  await are("m1 voter, m2 voter, m3 voter, m4 voter");

  match((await guide.run(1, "members remove m1", everywhere)).stdout, /^after +2 of 3/m);
  equal(await members.ended(0), 73);

  const replacing = guide.begin(2, "members replace m2 m6", everywhere);
  await until("m6 is added", async () => ((await list()).includes("m6 unborn") ? true : null));
  joins(5, 2);
  const replaced = await replacing.ended;
  deepEqual([replaced.code, replaced.stderr], [0, ""]);
  await are("m3 voter, m4 voter, m6 voter");

  const dryRun = lineWith("--dry-run");
  const preview = await guide.run(2, dryRun, everywhere);
  equal(await members.ended(1), 73);
  match(preview.stdout, /^before +2 of 3[\s\S]*^grown +3 of 5[\s\S]*^after +2 of 3/m);
  const applying = guide.begin(2, dryRun.replace(" --dry-run", ""), everywhere);
  await until("both are added", async () => {
    const all = await list();
    return all.includes("m1 unborn") && all.includes("m5 unborn") ? true : null;
  });
  rmSync(members.directory(0), { recursive: true });
  joins(0, 2);
  joins(4, 2);
  const applied = await applying.ended;
  deepEqual([applied.code, applied.stderr], [0, ""]);
  await are("m1 voter, m4 voter, m5 voter");
  await members.leader([0, 3, 4]);
  equal((await members.all(4, "guide/")).get("guide/kept"), "to the end");

  const client = new GrpcClient(members.address(4));
  t.after(() => client.close());
  const root = new AuthCalls(client);
  await root.enable("a password that is lost");
  await guide.run(3, "auth reset", [], { input: "another password\n" });
  await until("root comes in again", () =>
    root.login("root", "another password").catch(() => null),
  );
});

test(
  "a cluster changes to TLS, and a member joins by it, as the page says",
  { skip },
  async (t) => {
    const { members, guide } = place(t, 4, 3, secured);
    const founders = [0, 1, 2];
    await members.leader(founders);
    const mine = ["--cacert", "ca.pem", "--cert", "me.pem", "--key", "me-key.pem"];
    const everywhere = [
      "--endpoints",
      founders.map((at) => members.clientUrl(at)).join(","),
      ...mine,
    ];
    const update = lineWith("members update");
    for (const at of founders) {
      const url = members.peerUrl(at).replace("http:", "https:");
      const words = ["members", "update", members.name(at), url];
      // Refused while the members' connections are young.
      await until(`the URL of ${members.name(at)} is changed`, async () => {
        const command =
          at === 0 ? guide.begin(0, update, everywhere) : guide.other(at, words, everywhere);
        return (await command.ended).code === 0 ? true : null;
      });
      await members.kill(at);
      members.start(at, [`--listen-peer-urls=${url}`]);
      await members.leader(founders);
    }
    await until("all is well", async () =>
      (await guide.begin(0, "status --endpoints").ended).code === 0 ? true : null,
    );
    guide.begin(3, lineWith("join https"), ["--name", "m4", "--", ...members.tlsFlags(3)]);
    await until("m4 votes", async () =>
      (await listed(guide, everywhere)) === "m1 voter, m2 voter, m3 voter, m4 voter" ? true : null,
    );
  },
);

/** One authority for all; ca.pem, me.pem and me-key.pem are the page's. */
function secured(folder: string): MembersTls {
  const authority = new TestAuthority(folder);
  const me = authority.issue("me", { commonName: "me" });
  return {
    client: {
      authorities: readFileSync(authority.file),
      certificate: readFileSync(me.certificate),
      key: readFileSync(me.key),
      verify: true,
    },
    flagsOf(name, host) {
      const { certificate, key } = authority.issue(name, { commonName: name, hosts: [host] });
      return [
        ...[`--cert-file=${certificate}`, `--key-file=${key}`, "--client-cert-auth"],
        `--trusted-ca-file=${authority.file}`,
        ...[`--peer-cert-file=${certificate}`, `--peer-key-file=${key}`, "--peer-client-cert-auth"],
        `--peer-trusted-ca-file=${authority.file}`,
      ];
    },
  };
}

test("three of five machines are lost, as the page says", { skip }, async (t) => {
  const { members, guide } = place(t, 5, 5);
  const all = [0, 1, 2, 3, 4];
  await members.leader(all);
  equal((await members.put(0, "guide/kept", "by a quorum")).code, GrpcCode.Ok);
  const here = ["--endpoints", members.address(0)];
  equal((await guide.run(0, "alarms list", here)).stdout, "");
  await guide.run(0, "alarms disarm NOSPACE", here);
  await until("it is everywhere", async () => {
    const found = await Promise.all(all.map((at) => members.get(at, "guide/kept", true)));
    return found.every(({ code }) => code === GrpcCode.Ok) ? true : null;
  });

  for (const at of all) await members.kill(at);
  cpSync(members.directory(2), join(dirname(members.directory(2)), "old-disk-of-m3"), {
    recursive: true,
  });
  for (const at of [2, 3, 4]) rmSync(members.directory(at), { recursive: true });
  for (const what of ["wal", "rows", "checkpoint"]) await guide.run(0, `inspect ${what}`);

  match((await guide.run(0, "recover collect")).stdout, /^m1 [\s\S]*^m2 /m);
  const apply = async (): Promise<void> => {
    const planned = await guide.run(0, "recover plan");
    const word = /--confirm (lose-[0-9a-f]{4})/.exec(planned.stdout)?.[1] ?? "";
    match(word, /^lose-/);
    await guide.run(0, "recover apply", [], { word });
  };
  await apply();
  await guide.run(0, "recover abandon");
  await apply();
  match((await guide.run(0, "recover explain recovery-plan.json")).stdout, /^Next: start/m);
  await guide.run(0, "recover explain /var/lib/m1");
  for (const at of [0, 1]) members.start(at, ["--initial-cluster-state=existing"]);
  await members.leader([0, 1]);
  await guide.run(0, "recover verify");
  match((await guide.run(0, "recover fence")).stdout, /^fenced /);
  equal((await members.all(1, "guide/")).get("guide/kept"), "by a quorum");
});

test("no command of the page is left out", { skip }, () => {
  const left = guideLines.filter((line) => !done.has(line));
  deepEqual(left, []);
});

function lineWith(word: string): string {
  const line = guideLines.find((one) => one.includes(word));
  if (line === undefined) throw new Error(`no command with ${word}`);
  return line.slice("quorate ".length);
}

/** "m1 voter, m2 unborn": as `quorate members list` has it; empty when nobody answers. */
async function listed(guide: Guide, everywhere: readonly string[]): Promise<string> {
  const { stdout } = await guide.other(2, ["members", "list"], everywhere).ended;
  return [...stdout.matchAll(/^(m\d) +[0-9a-f]{16} +(\w+)/gm)]
    .map(([, name, role]) => `${name} ${role}`)
    .join(", ");
}
