// Changes of member records: rows for what is refused and what takes effect, and a codec that damaged
// bytes cannot make throw.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemberAim } from "./member-record.ts";
import {
  applyRecordChanges,
  byPeerUrls,
  checkRecordChanges,
  decodeRecordChanges,
  encodeRecordChanges,
  MemberError,
  RecordChangeKind,
} from "./members-change.ts";
import type { RecordChange } from "./members-change.ts";
import { MembershipTable } from "./membership-table.ts";

const { Add, Aim, Bind, Drop, Rebind, Urls } = RecordChangeKind;
const { Learner, Voter } = MemberAim;

function founded(): MembershipTable {
  const table = new MembershipTable();
  const members = [1, 2, 3].map((n) => ({
    memberId: `m${n}`,
    raftId: n,
    name: `n${n}`,
    peerUrls: [`http://${n}:1`],
  }));
  table.found({ genesisId: 7, members });
  return table;
}

const add = (memberId: string, url: string, aim: MemberAim = Voter, name = ""): RecordChange => ({
  kind: Add,
  memberId,
  name,
  peerUrls: [url],
  aim,
});

const learners = (count: number): RecordChange[] =>
  Array.from({ length: count }, (_, at) => add(`l${at}`, `http://l${at}:1`, Learner));

test("what is refused, each after those before it", () => {
  const rows: readonly (readonly [readonly RecordChange[], MemberError])[] = [
    [[add("m4", "http://4:1")], MemberError.None],
    [[add("m3", "http://4:1")], MemberError.IdExists],
    [[add("m4", "http://3:1")], MemberError.PeerUrlExists],
    [[add("m4", "http://4:1", Voter, "n1")], MemberError.NameExists],
    [[add("m4", "http://4:1"), add("m5", "http://4:1")], MemberError.PeerUrlExists],
    [learners(9), MemberError.None],
    [learners(10), MemberError.TooManyLearners],
    [[add("m4", "http://4:1"), add("m5", "http://5:1", Learner)], MemberError.None],
    [[{ kind: Urls, memberId: "m9", peerUrls: ["http://9:1"] }], MemberError.NotFound],
    [[{ kind: Urls, memberId: "m1", peerUrls: ["http://2:1"] }], MemberError.PeerUrlExists],
    [[{ kind: Urls, memberId: "m1", peerUrls: [] }], MemberError.BadUrls],
    [[add("m4", `http://${"4".repeat(250)}:1`)], MemberError.BadUrls],
    [[{ kind: Urls, memberId: "m1", peerUrls: ["http://1:1", "http://1:2"] }], MemberError.None],
    [[{ kind: Bind, memberId: "m1", raftId: 44 }], MemberError.Overtaken],
    [[{ kind: Rebind, memberId: "m1", lostRaftId: 1, raftId: 44 }], MemberError.None],
    [[{ kind: Rebind, memberId: "m1", lostRaftId: 2, raftId: 44 }], MemberError.Overtaken],
    [[{ kind: Rebind, memberId: "m1", lostRaftId: 1, raftId: 3 }], MemberError.Overtaken],
    [[{ kind: Rebind, memberId: "m9", lostRaftId: 1, raftId: 44 }], MemberError.NotFound],
    [[add("m4", "http://4:1"), { kind: Bind, memberId: "m4", raftId: 3 }], MemberError.Overtaken],
    [[add("m4", "http://4:1"), { kind: Bind, memberId: "m4", raftId: 44 }], MemberError.None],
    [[{ kind: Aim, memberId: "m1", aim: Voter }], MemberError.NotLearner],
    [[{ kind: Drop, memberId: "m1" }], MemberError.Overtaken],
    [[add("m4", "http://4:1"), { kind: Drop, memberId: "m4" }], MemberError.None],
  ];
  for (const [changes, error] of rows) {
    const table = founded();
    const before = table.snapshot();
    equal(checkRecordChanges(table, changes), error, JSON.stringify(changes));
    deepEqual(table.snapshot(), before, "a check changes nothing");
  }
});

test("a raft id that was removed never comes back, under whichever member", () => {
  const table = founded();
  table.setConfState({ ...table.confState, voters: [1, 2] });
  deepEqual(table.removed, [3]);
  equal(table.byMemberId("m3"), null);
  const again = [add("m3", "http://3:1"), { kind: Bind, memberId: "m3", raftId: 3 } as const];
  equal(checkRecordChanges(table, again), MemberError.Overtaken);
  equal(checkRecordChanges(table, again.slice(0, 1)), MemberError.None);
});

test("an unborn member outlives changes of the configuration, and is found by its URLs in any order", () => {
  const table = founded();
  const peerUrls = ["http://4:1", "http://4:2"];
  applyRecordChanges(table, [
    { kind: Add, memberId: "m4", name: "", peerUrls, aim: Voter },
    { kind: Aim, memberId: "m4", aim: Learner },
  ]);
  table.setConfState({ ...table.confState, voters: [1, 2] });
  equal(byPeerUrls(table, peerUrls.toReversed())?.memberId, "m4");
  equal(byPeerUrls(table, peerUrls.slice(1)), null);
  equal(table.byMemberId("m4")?.aim, Learner);
  equal(table.byRaftId(0), null, "0 is nobody's raft id");
  const restored = new MembershipTable();
  equal(restored.restore(table.snapshot()), true);
  deepEqual(restored.snapshot(), table.snapshot());
});

const text = fc.string({ maxLength: 12 });
const memberId = text;
const peerUrls = fc.array(text, { maxLength: 4 });
const aim = fc.constantFrom<MemberAim>(Learner, Voter);
const raftId = fc.integer({ min: 1, max: 2 ** 52 });
const plain = { noNullPrototype: true };
const anyChange: fc.Arbitrary<RecordChange> = fc.oneof(
  fc.record({ kind: fc.constant(Add), memberId, name: text, peerUrls, aim }, plain),
  fc.record({ kind: fc.constant(Bind), memberId, raftId }, plain),
  fc.record({ kind: fc.constant(Aim), memberId, aim }, plain),
  fc.record({ kind: fc.constant(Urls), memberId, peerUrls }, plain),
  fc.record({ kind: fc.constant(Drop), memberId }, plain),
);

test("changes survive their codec; cut or damaged bytes never throw", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 5 }), fc.nat(), fc.nat(255), (changes, at, to) => {
      const bytes = encodeRecordChanges(changes);
      deepEqual(decodeRecordChanges(bytes), changes);
      decodeRecordChanges(bytes.subarray(0, at % bytes.length));
      decodeRecordChanges(bytes.with(at % bytes.length, to));
    }),
  );
});
