// Strict quorum on real processes, sockets and partitions: five members, each in a namespace of its
// own. Timings are printed, never asserted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { Members, until } from "./members.ts";
import { Hosts, whyNot } from "./net.ts";
import { notCommitted, Writers } from "./writers.ts";

const reason = whyNot();
const skip = reason === null ? false : `SKIPPED: ${reason}`;
const everyone = [0, 1, 2, 3, 4];

let hosts: Hosts;
let members: Members;

before(() => {
  if (reason === null) {
    hosts = new Hosts(5);
    members = new Members(hosts, 5);
  }
});

after(() => {
  if (reason === null) {
    members.stop();
    hosts.remove();
  }
});

/** All five hold the same state, and no write that ended is contradicted by it. */
async function assertConverged(writers: Writers): Promise<void> {
  await members.leader(everyone);
  const digests = await until("equal digests", async () => {
    const statuses = await Promise.all(everyone.map((at) => members.status(at)));
    const seen = new Set(statuses.map((s) => `${s?.applied}/${s?.liveDigest}/${s?.applyDigest}`));
    return seen.size === 1 ? seen : null;
  });
  assert.equal(digests.size, 1);
  for (const at of everyone) {
    const present = await members.all(at, "w/");
    for (const { key, code, text } of writers.written) {
      if (code === GrpcCode.Ok) {
        assert.equal(present.get(key), key, `${key} was acknowledged and is gone at ${at}`);
      } else if (notCommitted.includes(text)) {
        assert.equal(present.has(key), false, `${key} was "${text}" and is there at ${at}`);
      }
    }
  }
}

/** Whatever a test leaves behind when it fails, the next one starts whole. */
function cleanUp(t: TestContext, writers: Writers): void {
  t.after(async () => {
    hosts.heal();
    await writers.stop();
  });
}

/** Members as told by the trailer of a refusal. */
function missingIn(trailers: Record<string, unknown>): string[] {
  const names = trailers["quorate-missing"];
  return (typeof names === "string" ? names : "").split(",").filter((name) => name !== "");
}

test(
  "the leader and one more cut off from three: no write, no linearizable read, one history",
  { skip },
  async (t) => {
    const leader = await members.leader(everyone);
    const partner = everyone.find((at) => at !== leader)!;
    const minority = [leader, partner];
    const majority = everyone.filter((at) => !minority.includes(at));
    const termBefore = Number((await members.status(leader))!.term);
    const writers = new Writers(members, everyone, 2);
    cleanUp(t, writers);
    await until("writes on every member", async () =>
      everyone.every((at) => writers.successesOn([at], 0) > 20) ? true : null,
    );

    hosts.split(minority, majority);
    const cutMs = performance.now();
    await until("the minority's leader to step down", async () =>
      (await members.status(leader))?.role === "leader" ? null : true,
    );
    t.diagnostic(`stepped down ${(performance.now() - cutMs).toFixed(0)} ms after the cut`);

    for (const at of minority) {
      const refused = await until("a refusal at once", async () => {
        const startedMs = performance.now();
        const result = await members.put(at, "minority", "never");
        assert.notEqual(result.code, GrpcCode.Ok);
        const elapsedMs = performance.now() - startedMs;
        const allMissed = missingIn(result.trailers).length === majority.length;
        return result.text === "etcdserver: no leader" && allMissed ? { result, elapsedMs } : null;
      });
      assert.equal(refused.result.code, GrpcCode.Unavailable);
      t.diagnostic(`${members.name(at)} refused a write in ${refused.elapsedMs.toFixed(1)} ms`);
      assert.deepEqual(
        missingIn(refused.result.trailers),
        majority.map((m) => members.name(m)),
      );
      const status = await members.status(at);
      assert.deepEqual(
        status!.missing,
        majority.map((m) => members.name(m)),
      );
      const read = await members.get(at, "minority", false);
      assert.equal(read.code, GrpcCode.Unavailable);
      const local = await members.get(at, "minority", true);
      assert.equal(local.code, GrpcCode.Ok);
      const log = members.log(at);
      assert.ok(
        majority.every((m) => log.includes(members.name(m))),
        "the log names who is missing",
      );
    }

    const next = await members.leader(majority);
    assert.ok(majority.includes(next));
    const acceptedSince = performance.now();
    await until("writes on the majority's side", async () =>
      majority.every((at) => writers.successesOn([at], acceptedSince) > 20) ? true : null,
    );
    t.diagnostic(
      `majority writes again, ${(performance.now() - cutMs).toFixed(0)} ms after the cut`,
    );
    assert.equal(writers.successesOn(minority, cutMs), 0, "the minority acknowledged nothing");
    for (const at of minority) {
      const term = Number((await members.status(at))!.term);
      assert.equal(term, termBefore, "terms do not grow in the minority");
    }

    hosts.heal();
    const healMs = performance.now();
    await until("writes on every member again", async () =>
      everyone.every((at) => writers.successesOn([at], healMs) > 20) ? true : null,
    );
    t.diagnostic(`all write again ${(performance.now() - healMs).toFixed(0)} ms after the heal`);
    await writers.stop();
    await assertConverged(writers);
    const counts = new Map<string, number>();
    for (const { code, text } of writers.written) {
      const outcome = code === GrpcCode.Ok ? "success" : text;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    t.diagnostic(`outcomes: ${JSON.stringify(Object.fromEntries(counts))}`);
  },
);

test(
  "a leader that is heard but hears nobody steps down; the others elect",
  { skip },
  async (t) => {
    const leader = await members.leader(everyone);
    const others = everyone.filter((at) => at !== leader);
    const writers = new Writers(members, everyone, 1);
    cleanUp(t, writers);
    await until("writes", async () => (writers.successesOn(everyone, 0) > 50 ? true : null));
    for (const other of others) {
      hosts.cutOneWay(other, leader);
    }
    const cutMs = performance.now();
    const next = await members.leader(others);
    assert.notEqual(next, leader);
    t.diagnostic(`a new leader ${(performance.now() - cutMs).toFixed(0)} ms after the one-way cut`);
    const refused = await until("the old leader's refusal", async () => {
      const result = await members.put(leader, "one-way", "never");
      return result.text === "etcdserver: no leader" ? result : null;
    });
    assert.equal(refused.code, GrpcCode.Unavailable);
    const electedMs = performance.now();
    await until("writes on the others", async () =>
      writers.successesOn(others, electedMs) > 50 ? true : null,
    );
    hosts.heal();
    await writers.stop();
    await assertConverged(writers);
  },
);

test("a follower cut off from the leader alone disturbs nobody", { skip }, async (t) => {
  const leader = await members.leader(everyone);
  const follower = everyone.find((at) => at !== leader)!;
  const termBefore = Number((await members.status(leader))!.term);
  const writers = new Writers(
    members,
    everyone.filter((at) => at !== follower),
    1,
  );
  cleanUp(t, writers);
  hosts.cut(leader, follower);
  const cutMs = performance.now();
  await until("the follower to miss its leader", async () =>
    (await members.status(follower))?.leader === "" ? true : null,
  );
  t.diagnostic(`missed the leader ${(performance.now() - cutMs).toFixed(0)} ms after the cut`);
  await until("three election timeouts of pre-votes", async () =>
    performance.now() - cutMs > 6000 ? true : null,
  );
  assert.equal(await members.leader(everyone.filter((at) => at !== follower)), leader);
  for (const at of everyone) {
    const term = Number((await members.status(at))!.term);
    assert.equal(term, termBefore, `no term grows (${members.name(at)})`);
  }
  assert.ok(writers.successesOn(everyone, cutMs) > 100, "the others wrote all the time");
  hosts.heal();
  await writers.stop();
  await assertConverged(writers);
});
