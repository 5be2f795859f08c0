// A quorum is lost for good: three of five data directories are gone. `quorate recover` says what is
// left and what may be lost, and brings the two others back as a cluster of their own. A dead member
// that returns with a copy of what it had is refused, and ends with 74.
import { equal, match } from "node:assert/strict";
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster, type TestCluster } from "./cluster.ts";
import { runQuorate } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";

const keys = 300;

async function recover(...argv: readonly string[]) {
  return runQuorate(["recover", ...argv]);
}

/** Enough for checkpoints and entries behind them; all five have all of it. */
async function fill(cluster: TestCluster): Promise<number> {
  const leader = await cluster.leader();
  for (let at = 0; at < keys; at += 1) {
    equal((await put(leader.client, `r/${at}`, `value ${at}`)).code, GrpcCode.Ok);
  }
  await cluster.equalDigests();
  return Number((await leader.status())!.revision);
}

test("three of five disks are lost: the two others go on, the old ones are refused", async () => {
  await withCluster({ size: 5, flags: ["--checkpoint-interval=500"] }, async (cluster) => {
    const revision = await fill(cluster);
    const [m1, m2, m3, ...lost] = cluster.members;
    await Promise.all(cluster.members.map((member) => member.kill()));
    const copy = join(cluster.folder, "copy-of-m3");
    cpSync(m3!.directory, copy, { recursive: true });

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
    cpSync(copy, m3!.directory, { recursive: true });
    m3!.start();
    equal((await m3!.ended()).code, 74);
    equal(m3!.logged(/lost its quorum and goes on as/), true);
    equal(existsSync(m3!.directory), true);
  });
});
