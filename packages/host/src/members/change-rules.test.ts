// The leader's rules: etcd's for what comes through its API (etcd-api.md M1, M2), row by row as its
// IsReadyTo… tests have them, and P2's for what the leader does by itself.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { ConfChangeType, ConfState } from "@quorate/raft";
import { changeOf, decide, votersMax, weakens } from "./change-rules.ts";
import type { MembersView } from "./change-rules.ts";
import { MemberAim } from "./member-record.ts";
import { decodeMemberRequest, encodeMemberRequest, MemberRequestKind } from "./member-request.ts";
import type { MemberRequest, SingleRequest } from "./member-request.ts";
import { applyRecordChanges, MemberError, RecordChangeKind } from "./members-change.ts";
import { MembershipTable } from "./membership-table.ts";

interface Situation {
  /** Raft ids of voters; member 1 leads and asks. */
  readonly voters: readonly number[];
  /** Connected for long enough; the leader always is. */
  readonly healthy: readonly number[];
  /** Added as voters, and not started. */
  readonly unborn?: readonly number[];
  readonly learner?: number;
  /** Of the learner, when the leader's log has 100 entries. */
  readonly match?: number;
}

function viewOf({ voters, healthy, unborn = [], learner = 0, match = 0 }: Situation): MembersView {
  const table = new MembershipTable();
  const born = learner === 0 ? voters : [...voters, learner];
  const members = born.map((raftId) => ({
    memberId: `m${raftId}`,
    raftId,
    name: `n${raftId}`,
    peerUrls: [`http://${raftId}:1`],
  }));
  table.found({ genesisId: 7, members });
  const learners = learner === 0 ? [] : [learner];
  table.setConfState(new ConfState(voters, [], learners, [], false));
  for (const id of learners) {
    table.put(table.byRaftId(id)!.with({ aim: MemberAim.Learner }));
  }
  const { Add } = RecordChangeKind;
  const aim = MemberAim.Voter;
  applyRecordChanges(
    table,
    unborn.map((n) => ({
      kind: Add,
      memberId: `m${n}`,
      name: "",
      peerUrls: [`http://${n}:1`],
      aim,
    })),
  );
  return {
    table,
    selfId: 1,
    healthMs: 5000,
    learnersMax: 1,
    connectedMs: (id) => (healthy.includes(id) ? 5000 : -1),
    match: (id) => (id === 1 ? 100 : id === learner ? match : 100),
  };
}

const add = (aim: MemberAim = MemberAim.Voter): MemberRequest => ({
  kind: MemberRequestKind.Add,
  memberId: "m9",
  name: "",
  peerUrls: ["http://9:1"],
  aim,
});
const remove = (n: number): SingleRequest => ({
  kind: MemberRequestKind.Remove,
  memberId: `m${n}`,
});
const promote = (n: number): SingleRequest => ({
  kind: MemberRequestKind.Promote,
  memberId: `m${n}`,
});

function errorOf(situation: Situation, request: MemberRequest): MemberError {
  const decision = decide(viewOf(situation), request);
  return "error" in decision ? decision.error : MemberError.None;
}

const several = (changes: readonly SingleRequest[], force: boolean = false): MemberRequest => ({
  kind: MemberRequestKind.Several,
  changes,
  force,
});
const addOf = (n: number): SingleRequest => ({
  kind: MemberRequestKind.Add,
  memberId: `m${n}`,
  name: `n${n}`,
  peerUrls: [`http://${n}:1`],
  aim: MemberAim.Voter,
});

const { None, NotEnoughStarted, Unhealthy, NotFound, NotLearner, LearnerNotReady } = MemberError;

test("add: every voter is connected, and a majority of what will be has started", () => {
  const rows: readonly (readonly [Situation, MemberRequest, MemberError])[] = [
    [{ voters: [1], healthy: [] }, add(), None],
    [{ voters: [1], healthy: [], unborn: [8] }, add(), NotEnoughStarted],
    [{ voters: [1, 2, 3], healthy: [2, 3] }, add(), None],
    [{ voters: [1, 2, 3], healthy: [2] }, add(), Unhealthy],
    [{ voters: [1, 2, 3], healthy: [2] }, add(MemberAim.Learner), Unhealthy],
    [{ voters: [1, 2, 3], healthy: [2, 3], unborn: [7] }, add(), None],
    [{ voters: [1, 2, 3], healthy: [2, 3], unborn: [7, 8] }, add(), NotEnoughStarted],
    [{ voters: [1, 2, 3], healthy: [2, 3], unborn: [7, 8] }, add(MemberAim.Learner), None],
  ];
  for (const [situation, request, error] of rows) {
    equal(errorOf(situation, request), error, JSON.stringify([situation, request]));
  }
});

test("bounds: nine voters, and so many learners as the leader's setting says", () => {
  const ids = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
  const learner: SingleRequest = {
    kind: MemberRequestKind.Add,
    memberId: "m30",
    name: "n30",
    peerUrls: ["http://30:1"],
    aim: MemberAim.Learner,
  };
  const eight = { voters: ids(8), healthy: ids(8) };
  const nine = { voters: ids(votersMax), healthy: ids(votersMax) };
  const rows: readonly (readonly [Situation, MemberRequest, MemberError])[] = [
    [eight, addOf(20), None],
    [eight, several([addOf(20), addOf(21)]), MemberError.TooManyMembers],
    [nine, addOf(20), MemberError.TooManyMembers],
    [nine, remove(9), None],
    [nine, several([addOf(20), remove(9)]), None],
    [nine, several([learner]), None],
    [{ ...nine, learner: 10, match: 100 }, promote(10), MemberError.TooManyMembers],
    [{ ...eight, learner: 10, match: 100 }, promote(10), None],
    [{ ...eight, learner: 10 }, learner, MemberError.TooManyLearners],
    [{ ...eight, learner: 10 }, several([learner, remove(10)]), None],
  ];
  for (const [situation, request, error] of rows) {
    equal(errorOf(situation, request), error, JSON.stringify([situation, request]));
  }
});

test("remove: the others keep a connected majority; whoever is not connected may go", () => {
  const rows: readonly (readonly [Situation, number, MemberError])[] = [
    [{ voters: [1, 2, 3], healthy: [2, 3] }, 3, None],
    [{ voters: [1, 2, 3], healthy: [2, 3] }, 1, None],
    [{ voters: [1, 2, 3], healthy: [2, 3] }, 9, NotFound],
    [{ voters: [1, 2, 3], healthy: [2] }, 3, None],
    [{ voters: [1, 2, 3], healthy: [2] }, 2, Unhealthy],
    [{ voters: [1, 2, 3], healthy: [2] }, 1, Unhealthy],
    [{ voters: [1, 2], healthy: [2] }, 1, None],
    [{ voters: [1], healthy: [] }, 1, NotEnoughStarted],
    [{ voters: [1], healthy: [], unborn: [8] }, 8, None],
    [{ voters: [1], healthy: [], unborn: [8] }, 1, NotEnoughStarted],
    [{ voters: [1, 2, 3], healthy: [2, 3], learner: 4 }, 4, None],
  ];
  for (const [situation, n, error] of rows) {
    equal(errorOf(situation, remove(n)), error, JSON.stringify([situation, n]));
  }
});

test("promote: a learner that has nine tenths of the leader's log", () => {
  const base = { voters: [1, 2, 3], healthy: [2, 3] };
  const rows: readonly (readonly [Situation, number, MemberError])[] = [
    [{ ...base, learner: 4, match: 90 }, 4, None],
    [{ ...base, learner: 4, match: 89 }, 4, LearnerNotReady],
    [{ ...base, unborn: [4] }, 4, LearnerNotReady],
    [base, 2, NotLearner],
    [base, 9, NotFound],
  ];
  for (const [situation, n, error] of rows) {
    equal(errorOf(situation, promote(n)), error, JSON.stringify([situation, n]));
  }
});

test("a promotion carries the aim along, a removal nothing", () => {
  const view = viewOf({ voters: [1, 2, 3], healthy: [2, 3], learner: 4, match: 100 });
  const promotion = decide(view, promote(4));
  deepEqual("change" in promotion && promotion.change.changes.map((c) => [c.type, c.node]), [
    [ConfChangeType.AddVoter, 4],
  ]);
  equal("change" in promotion && promotion.change.context.length > 0, true);
  const removal = decide(view, remove(2));
  equal("change" in removal && removal.change.context.length, 0);
});

test("P2: a phase that one more loss would stop, where the present configuration goes on", () => {
  const three = new ConfState([1, 2, 3], [], [4, 5], [], false);
  const adds = (...ids: number[]): ReturnType<typeof changeOf> =>
    changeOf(
      ids.map((id) => [ConfChangeType.AddVoter, id] as const),
      [],
    );
  const rows: readonly (readonly [readonly number[], readonly number[], boolean])[] = [
    [[4], [1, 2, 3, 4], false],
    [[4], [1, 2, 3], true],
    [[4, 5], [1, 2, 3, 4], false],
    [[4, 5], [1, 2, 3], true],
    // One more loss stops the present one too: nothing is lost by it.
    [[4], [1, 2], false],
  ];
  for (const [ids, reachable, weak] of rows) {
    const reaches = (id: number): boolean => reachable.includes(id);
    equal(weakens(three, adds(...ids), reaches), weak, JSON.stringify([ids, reachable]));
  }
});

test("several: refused where a phase is weaker (P2), on an unstarted pile, on duplicates", () => {
  const five = { voters: [1, 2, 3, 4, 5], healthy: [2, 3, 4, 5] };
  const three = { voters: [1, 2, 3], healthy: [2, 3] };
  const swap = { voters: [1, 2, 3], healthy: [2, 3, 4], learner: 4 };
  const { Weakens, NameExists, PeerUrlExists } = MemberError;
  const rows: readonly (readonly [Situation, readonly SingleRequest[], boolean, MemberError])[] = [
    [{ voters: [1], healthy: [] }, [addOf(7), addOf(8)], false, None],
    [{ voters: [1], healthy: [], unborn: [6] }, [addOf(7)], false, NotEnoughStarted],
    [three, [addOf(7), addOf(8)], false, None],
    // A dead one does not keep its successor out.
    [{ ...three, healthy: [2] }, [addOf(7)], false, None],
    [{ ...three, unborn: [7, 8] }, [addOf(9)], false, NotEnoughStarted],
    [three, [addOf(7), { ...addOf(8), name: "n7" } as SingleRequest], false, NameExists],
    [three, [{ ...addOf(8), peerUrls: ["http://2:1"] } as SingleRequest], false, PeerUrlExists],
    [five, [remove(4), remove(5)], false, None],
    [{ ...five, healthy: [2, 4, 5] }, [remove(4), remove(5)], false, Weakens],
    [{ ...five, healthy: [2, 4, 5] }, [remove(4), remove(5)], true, None],
    [{ ...five, healthy: [2, 3, 5] }, [remove(4), remove(5)], false, None],
    [three, [remove(3)], false, Weakens],
    [{ ...three, healthy: [2] }, [remove(3)], false, None],
    [three, [remove(9)], false, NotFound],
    [three, [remove(1), remove(2), remove(3)], true, NotEnoughStarted],
    [{ ...three, healthy: [2] }, [remove(2)], true, Unhealthy],
    [{ ...swap, match: 100 }, [promote(4), remove(3)], false, None],
    [{ ...swap, match: 89 }, [promote(4), remove(3)], false, LearnerNotReady],
  ];
  for (const [situation, changes, force, error] of rows) {
    const request = several(changes, force);
    equal(errorOf(situation, request), error, JSON.stringify([situation, changes, force]));
  }
});

test("several voters are one change; what is said of them by records comes along", () => {
  const view = viewOf({ voters: [1, 2, 3, 4, 5], healthy: [2, 3, 4, 5], unborn: [8] });
  const decision = decide(view, several([remove(4), remove(5), remove(8)]));
  deepEqual("change" in decision && decision.change.changes.map((c) => [c.type, c.node]), [
    [ConfChangeType.Remove, 4],
    [ConfChangeType.Remove, 5],
  ]);
  equal("change" in decision && decision.change.context.length > 0, true);
});

test("a request comes back from its bytes; cut short it is nonsense", () => {
  const request = several([addOf(7), remove(2), promote(3)], true);
  const bytes = encodeMemberRequest(request);
  deepEqual(decodeMemberRequest(bytes), request);
  for (let cut = 0; cut < bytes.length; cut += 1) {
    equal(decodeMemberRequest(bytes.subarray(0, cut)), null);
  }
  deepEqual(decodeMemberRequest(encodeMemberRequest(remove(2))), remove(2));
});
