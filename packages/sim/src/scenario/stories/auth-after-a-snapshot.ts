// etcd #14571 (reliability.md §8, 3): who may do what was kept in memory beside the replicated table, and
// not made anew when a member took its state from a snapshot: it refused at apply what the others carried
// out, and the states differed for good. Every member here has asked for a user's rights before; one is
// away while they change, with writes of that user all the time, and gets them by a snapshot; another by a
// start. What the user may do since, all of them carry out; what it may no more, none (S16).
import { latin1Encode } from "@quorate/base";
import { PutRequest, RangeRequest, TxnRequest } from "@quorate/kv";
import { planned, type PlannedOperation } from "../../workloads/workload.ts";
import { AuthActs } from "../auth-acts.ts";
import type { Scenario } from "../scenario.ts";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const user = "alice";
function put(s: Scenario, key: string): PlannedOperation {
  return planned(putOf(s, key));
}

/** To keys of either right, all in one, each deeper than the one before. */
function putAll(s: Scenario, ...keys: readonly [string, string]): PlannedOperation {
  const inner = new TxnRequest({ success: [putOf(s, keys[1])] });
  return planned(new TxnRequest({ success: [putOf(s, keys[0]), inner] }));
}

function putOf(s: Scenario, key: string): PutRequest {
  const value = latin1Encode(`alice ${s.history.operations.length}`);
  return new PutRequest({ key: latin1Encode(key), value });
}

/** Every member finds out what the user may do. */
function askEverywhere(s: Scenario, auth: AuthActs): void {
  for (const name of s.names) {
    const read = planned(new RangeRequest({ key: latin1Encode("a/1") }), true);
    auth.mustDo(name, user, read);
  }
}

export const authAfterASnapshot: Story = story("auth-after-a-snapshot", { host: shortLog }, (s) => {
  const leader = s.found();
  const auth = new AuthActs(s);
  auth.enable(leader, user, "a/", "a0");
  auth.mustDo(leader, user, put(s, "a/1"));
  s.waitFor("all have applied it", 2_000, () => allEqual(s));
  askEverywhere(s, auth);
  const [late, other] = s.others(leader) as [string, string];
  s.cutForGood([late], s.others(late));
  const alive = s.waitForLeader(10 * s.timeoutMs, s.others(late));
  // What it may do changes while it writes.
  auth.grant(alive, user, "b/", "b0");
  for (let at = 0; at < 5; at++) auth.ask(alive, user, putAll(s, `a/${at}`, `b/${at}`));
  auth.revoke(alive, user, "a/", "a0");
  for (let at = 0; at < 5; at++) auth.ask(alive, user, put(s, `b/${at}`));
  auth.mustBeDenied(alive, user, putAll(s, "b/1", "a/1"));
  s.fallBehind(late);
  s.heal();
  const received = (): number => s.member(late).host!.counters().snapshotsReceived;
  s.waitFor("a snapshot is in force", 20_000, () => received() > 0);
  s.waitForLeader(20 * s.timeoutMs);
  for (const name of s.names) {
    auth.mustDo(name, user, put(s, "b/2"));
    auth.mustBeDenied(name, user, put(s, "a/2"));
    auth.mustBeDenied(name, user, putAll(s, "b/3", "a/3"));
  }
  s.waitFor("all states are equal", 5_000, () => allEqual(s));
  // From its own disk.
  s.kill(other);
  s.start(other);
  s.waitForLeader(20 * s.timeoutMs);
  for (const name of s.names) {
    auth.mustDo(name, user, putAll(s, "b/4", "b/5"));
    auth.mustBeDenied(name, user, put(s, "a/4"));
  }
  s.waitFor("all states are equal", 5_000, () => allEqual(s));
  auth.judge();
});

function allEqual(s: Scenario): boolean {
  const texts = s.names.map((name) => {
    const { applied, lastIndex, liveDigest } = s.status(name);
    return applied === lastIndex ? `${applied} ${liveDigest.low} ${liveDigest.high}` : name;
  });
  return new Set(texts).size === 1;
}
