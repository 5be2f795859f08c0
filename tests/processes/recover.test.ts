// A quorum is lost for good: three of five data directories are gone. `quorate recover` says what is
// left and what may be lost, and brings the two others back as a cluster of their own. A dead member
// that returns with a copy of what it had is refused, and ends with 74. Every step explains itself, can be
// repeated, and can be abandoned until one of the members is started on what it has made.
import { deepEqual, equal, match } from "node:assert/strict";
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster, type TestCluster } from "./cluster.ts";
import { runQuorate } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { fingerprint } from "./folder.ts";
import { getAll, put } from "./kv-calls.ts";

const keys = 300;

async function recover(...argv: readonly string[]) {
  return runQuorate(["recover", ...argv]);
}

/** Enough for checkpoints and entries behind them; all five have all of it. */
async function fill(cluster: TestCluster): Promise<number> {
  const leader = await cluster.leader();
  const puts = Array.from({ length: keys }, (_, at) =>
    put(leader.client, `r/${at}`, `value ${at}`),
  );
  for (const { code } of await Promise.all(puts)) equal(code, GrpcCode.Ok);
  await cluster.equalDigests();
  return Number((await leader.status())!.revision);
}

test("three of five disks are lost: the two others go on, the old ones are refused", async () => {
  await withCluster({ size: 5, flags: ["--checkpoint-interval=500"] }, async (cluster) => {
    const revision = await fill(cluster);
    const [m1, m2, m3, ...lost] = cluster.members;
    await Promise.all(cluster.members.map((member) => member.kill()));
    const copies = [m3!, ...lost].map((member) => {
      const copy = join(cluster.folder, `copy-of-${member.name}`);
      cpSync(member.directory, copy, { recursive: true });
      return copy;
    });

    const intact = await recover(
      "plan",
      m1!.directory,
      m2!.directory,
      m3!.directory,
      "--dead=m4,m5",
    );
    equal(intact.code, 64);
    match(
      intact.stderr,
      /a quorum is left: m1, m2, m3 .* Just start them; to wipe .* destroy copies/,
    );

    for (const { directory } of [m3!, ...lost]) rmSync(directory, { recursive: true });
    const left = [m1!.directory, m2!.directory];
    const collected = await recover("collect", ...left);
    equal(collected.code, 0, collected.stderr);
    match(collected.stdout, /^m1 .* voter .*$/m);
    match(collected.stdout, /5 voters, a quorum is 3\.\nNot given: m[345] \(http/);

    const path = join(cluster.folder, "plan.json");
    const unnamed = await recover("plan", ...left, `--out=${path}`);
    equal(unnamed.code, 64);
    match(unnamed.stderr, /nothing is known of member m[345] .* name it with --dead/);
    const planned = await recover("plan", ...left, "--dead=m3,m4,m5", `--out=${path}`);
    equal(planned.code, 0, planned.stderr);
    match(planned.stdout, /^Kept for certain: every entry up to \d+\.$/m);
    match(
      planned.stdout,
      /^May be lost: whatever was acknowledged in term \d+ after entry \d+, or in any later/m,
    );
    const word = /--confirm (lose-[0-9a-f]{4})/.exec(planned.stdout)![1]!;

    const unconfirmed = await recover("apply", path);
    equal(unconfirmed.code, 64);
    match(unconfirmed.stderr, /acknowledged writes may be lost/);
    const applied = await recover("apply", path, `--confirm=${word}`);
    equal(applied.code, 0, applied.stderr);
    const again = await recover("apply", path, `--confirm=${word}`);
    equal(again.code, 0, again.stderr);
    const explained = await recover("explain", path);
    match(
      explained.stdout,
      /had 5 voters, and needs 3 .*\n.*m3, m4, m5 are given up; m1, m2 go on/,
    );
    match(explained.stdout, /^m1: \S+ is the new one; no member has been started on it; the old/m);
    match(explained.stdout, /^Next: start the members with their old flags/m);
    const alone = await recover("verify", path, m1!.address, "--timeout=1");
    equal(alone.code, 1);
    match(alone.stdout, /^! {2}\S+ does not answer: connection refused$/m);

    // Disks of the dead that can be read after all are closed; those of survivors are not.
    const [, m4copy] = copies;
    for (const times of [1, 2]) {
      const fenced = await recover("fence", path, m4copy!);
      deepEqual([fenced.code, fenced.stdout], [0, `fenced  ${m4copy} (member m4)\n`], `${times}`);
    }
    const kept = await recover(
      "fence",
      path,
      m1!.directory,
      `${m2!.directory}.before-${planIdOf(path)}`,
    );
    equal(kept.code, 1);
    match(
      kept.stdout,
      /^! \S+: it belongs to cluster [0-9a-f]{16}, which goes on\n! .* m2, which the plan/,
    );
    const tombstone = await recover("explain", m4copy!);
    match(tombstone.stdout, /^It is fenced: cluster \S+ lost its quorum and goes on as/m);
    cpSync(m4copy!, lost[0]!.directory, { recursive: true });
    lost[0]!.start();
    equal((await lost[0]!.ended()).code, 74);
    equal(lost[0]!.logged(/is superseded: cluster \S+ lost its quorum/), true);

    for (const member of [m1!, m2!]) member.start(["--initial-cluster-state=existing"]);
    await cluster.ready();
    await cluster.equalDigests();
    const found = await eventually("a read", async () => {
      const all = await getAll(m2!.client, "r/");
      return typeof all === "string" ? null : all;
    });
    equal(found.size, keys);
    equal(found.get(`r/${keys - 1}`), `value ${keys - 1}`);
    equal((await put(m1!.client, "r/after", "x")).code, GrpcCode.Ok);
    const status = (await m1!.status())!;
    equal(Number(status.revision), revision + 1_000_000_000 + 1);

    // What was dead returns with what it had: alone it would wait, but the others tell it.
    cpSync(copies[0]!, m3!.directory, { recursive: true });
    m3!.start();
    equal((await m3!.ended()).code, 74);
    equal(m3!.logged(/lost its quorum and goes on as/), true);
    equal(existsSync(m3!.directory), true);
    const verified = await recover("verify", path, m1!.address, m2!.address);
    equal(verified.code, 0, verified.stdout);
    match(
      verified.stdout,
      /^ok {2}m1 .* of cluster .*\nok {2}m2 .*\nok {2}a write .*\nok {2}all have digest .*\nok {2}m3 .* is silent\n/,
    );
    match(verified.stdout, /^verified$/m);
    const late = await recover("abandon", path);
    equal(late.code, 64);
    match(late.stderr, /m1 is in use: stop its member first/);

    // It does not forget what it was told, although nobody is there to tell it again.
    await Promise.all([m1!.kill(), m2!.kill()]);
    m3!.start();
    equal((await m3!.ended()).code, 74);
    const never = await recover("abandon", path);
    equal(never.code, 64);
    match(never.stderr, /m1 has been started as a member of cluster/);
    match(
      (await recover("explain", path)).stdout,
      /^The recovery is done, and can not be taken back/m,
    );

    // One that runs, and hears of it from verify alone.
    rmSync(lost[1]!.directory, { recursive: true, force: true });
    cpSync(copies[2]!, lost[1]!.directory, { recursive: true });
    const earlier = lost[1]!.log.length;
    lost[1]!.start();
    await eventually("m5 waits for a quorum", () =>
      lost[1]!.log.slice(earlier).some((line) => line.includes('"msg":"log recovered"')),
    );
    const told = await recover("verify", path, m1!.address, m2!.address, "--timeout=30");
    equal(told.code, 1);
    match(told.stdout, /^ok {2}m5 at \S+ is silent, since it (was told|hung up on being told)$/m);
    equal((await lost[1]!.ended()).code, 74);
  });
});

/** Of the member's files; the lock has a journal of its own. */
function content(directory: string): Record<string, string> {
  const { "LOCK-journal": _, ...files } = fingerprint(directory);
  return files;
}

function planIdOf(path: string): string {
  return (JSON.parse(readFileSync(path, "utf8")) as { planId: string }).planId;
}

test("an apply that is cut off explains itself and is abandoned; --force-new-cluster does without a plan", async () => {
  await withCluster({ flags: ["--checkpoint-interval=500"] }, async (cluster) => {
    await fill(cluster);
    const [m1, m2] = cluster.members;
    await Promise.all(cluster.members.map((member) => member.kill()));
    const before = content(m1!.directory);
    const path = join(cluster.folder, "plan.json");
    const planned = await recover("plan", m1!.directory, "--dead=m2,m3", `--out=${path}`);
    equal(planned.code, 0, planned.stderr);
    const word = /--confirm (lose-[0-9a-f]{4})/.exec(planned.stdout)![1]!;
    match(
      (await recover("explain", path)).stdout,
      /^Nothing has been applied\. Next:\n {2}.* apply/m,
    );
    equal((await recover("apply", path, `--confirm=${word}`)).code, 0);

    // As a crash between the two renames leaves it.
    renameSync(m1!.directory, `${m1!.directory}.recovered-${planIdOf(path)}`);
    const half = await recover("explain", path);
    match(
      half.stdout,
      /^m1: \S+ is between the two: .*\n\nThe plan is half applied\. Start no member now/m,
    );
    for (const times of [1, 2]) {
      const abandoned = await recover("abandon", path);
      equal(abandoned.code, 0, `${times}: ${abandoned.stderr}`);
      deepEqual(content(m1!.directory), before);
    }
    match(
      (await recover("explain", path)).stdout,
      /^The plan was abandoned, and everything stands as/m,
    );
    const again = await recover("apply", path, `--confirm=${word}`);
    equal(again.code, 64);
    match(again.stderr, /was abandoned: make a new one/);

    // etcd's way: the member's own flags, and the flag once; then without it, or with it in vain.
    m1!.start(["--force-new-cluster"]);
    equal((await cluster.ready()).name, "m1");
    equal(m1!.logged(/looks at one directory only: quorate recover compares/), true);
    const found = await getAll(m1!.client, "r/");
    equal(typeof found === "string" ? found : found.size, keys);
    equal((await put(m1!.client, "r/after", "x")).code, GrpcCode.Ok);
    const { clusterId } = (await m1!.status())!;
    for (const flags of [[], ["--force-new-cluster"]]) {
      await m1!.kill();
      m1!.start(flags);
      await cluster.ready();
      equal((await m1!.status())!.clusterId, clusterId);
    }
    equal(
      m1!.logged("--force-new-cluster has no effect: this member is alone in its cluster"),
      true,
    );
    m2!.start();
    equal((await m2!.ended()).code, 74);
  });
});
