// A recovery is planned only where a quorum is gone for good and every member is accounted for; what
// the plan says about losses follows from how many voters are left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfState, Entry, EntryKind } from "@quorate/raft";
import type { InspectedDirectory } from "@quorate/storage";
import { MemberRecord } from "../members/member-record.ts";
import { MembershipTable } from "../members/membership-table.ts";
import { SettingsTable } from "../settings.ts";
import { planRecovery, type PlanRefusal, type RecoveryPlan } from "./plan.ts";
import type { Survivor } from "./survivor.ts";

function tableOf(conf: ConfState): MembershipTable {
  const table = new MembershipTable();
  const members = [...new Set([...conf.voters, ...conf.votersOutgoing])].map((id) => {
    return { memberId: `id${id}`, raftId: id, name: `m${id}`, peerUrls: [`http://m${id}:2380`] };
  });
  table.found({ genesisId: 1, members });
  table.setConfState(conf);
  return table;
}

const conf = (voters: number[], outgoing: number[] = []) =>
  new ConfState(voters, outgoing, [], [], outgoing.length > 0);

function survivor(id: number, of: ConfState, terms: readonly number[], commit: number): Survivor {
  const entries = terms.map(
    (term, at) => new Entry(term, at + 1, EntryKind.Empty, 1, 0, new Uint8Array(0)),
  );
  return {
    inspected: { directory: `/data/m${id}` } as InspectedDirectory,
    name: `m${id}`,
    memberId: `id${id}`,
    clusterId: "c",
    genesisId: 1,
    raftId: id,
    bootCount: 1,
    term: terms.at(-1) ?? 0,
    commit,
    lastIndex: terms.length,
    lastTerm: terms.at(-1) ?? 0,
    seq: 1,
    isVoter: of.voters.includes(id),
    membership: tableOf(of),
    settings: new SettingsTable(1),
    changesInTail: 0,
    checkpoint: null,
    entries,
    lastWallMs: 0,
    rate: 2,
  };
}

function planned(plan: RecoveryPlan | PlanRefusal): RecoveryPlan {
  assert.ok(plan.ok, plan.ok ? "" : plan.reason);
  return plan;
}

function reason(plan: RecoveryPlan | PlanRefusal): string {
  assert.ok(!plan.ok, "a refusal");
  return plan.reason;
}

const five = conf([1, 2, 3, 4, 5]);

test("where a quorum is left there is nothing to recover", () => {
  const left = [1, 2, 3].map((id) => survivor(id, five, [1], 1));
  assert.match(
    reason(planRecovery(left, ["m4", "m5"])),
    /a quorum is left: m1, m2, m3 .*start them/,
  );
});

test("a joint configuration has a quorum only where both halves have one", () => {
  const joint = conf([1, 2, 3, 4, 5], [1, 2, 3]);
  const both = [1, 2, 4].map((id) => survivor(id, joint, [1], 1));
  assert.match(reason(planRecovery(both, ["m3", "m5"])), /a quorum is left/);
  const one = [1, 4, 5].map((id) => survivor(id, joint, [1], 1));
  // Three of five are left, one of three: what committed in the joint phase is on a survivor.
  assert.equal(planned(planRecovery(one, ["m2", "m3"])).mayLose, false);
});

test("every member is given or named dead, nobody both, and no stranger", () => {
  const left = [1, 2].map((id) => survivor(id, five, [1], 1));
  assert.match(reason(planRecovery(left, ["m3", "m4"])), /nothing is known of member m5/);
  assert.match(reason(planRecovery(left, ["m3", "m4", "m5", "m9"])), /--dead m9: .*no such member/);
  assert.match(
    reason(planRecovery(left, ["m1", "m3", "m4", "m5"])),
    /--dead m1: its data directory/,
  );
  assert.match(reason(planRecovery([], [])), /no data directory/);
  const twice = [survivor(1, five, [1], 1), survivor(1, five, [1, 1], 1)];
  assert.match(reason(planRecovery(twice, [])), /two directories belong to member id1/);
  const foreign = { ...survivor(2, five, [1], 1), clusterId: "other" };
  assert.match(reason(planRecovery([left[0]!, foreign], [])), /of cluster c, .* of cluster other/);
  const removed = { ...survivor(2, five, [1], 1), memberId: "id7" };
  const newer = survivor(1, five, [1, 1], 1);
  assert.match(
    reason(planRecovery([newer, removed], [])),
    /by the newest log, that of m1, member id7/,
  );
});

test("the newest log wins, by term before length; what it lacks of others is named", () => {
  const left = [survivor(1, five, [1, 1, 1, 1], 1), survivor(2, five, [1, 1, 2], 2)];
  const plan = planned(planRecovery(left, ["id3", "id4", "id5"]));
  assert.equal(plan.winner.name, "m2");
  assert.equal(plan.term, 3);
  assert.equal(plan.mayLose, true);
  const text = plan.statements.join("\n");
  assert.match(text, /^Kept for certain: every entry up to 2\.$/m);
  assert.match(text, /clients may have seen an error: entries 3 to 3\.$/m);
  assert.match(text, /^May be lost: .* in term 2 after entry 3, or in any later term: /m);
  assert.match(text, /2\.0 entries a second/);
  assert.match(text, /^Discarded: entries 3 to 4 of m1, which no leader has kept\.$/m);
});

test("nothing acknowledged can be missing while the dead are fewer than a quorum", () => {
  const four = conf([1, 2, 3, 4]);
  const left = [1, 2].map((id) => survivor(id, four, [1], 1));
  const plan = planned(planRecovery(left, ["m3", "m4"]));
  assert.equal(plan.mayLose, false);
  assert.match(plan.statements.join("\n"), /No acknowledged write can be missing/);
});

test("changes of members that may not be committed are not carried out, and named", () => {
  const left = [{ ...survivor(1, five, [1, 1], 1), changesInTail: 1 }];
  const plan = planned(planRecovery(left, ["m2", "m3", "m4", "m5"]));
  assert.match(plan.statements.join("\n"), /^Not carried out: 1 changes of the members/m);
});

test("a member that has not started yet must be named too", () => {
  const one = survivor(1, five, [1], 1);
  one.membership.put(new MemberRecord("id6", 0, "", ["http://m6:2380"], []));
  const dead = ["m2", "m3", "m4", "m5"];
  assert.match(reason(planRecovery([one], dead)), /nothing is known of member id6/);
  assert.equal(planned(planRecovery([one], [...dead, "id6"])).survivors.length, 1);
});
