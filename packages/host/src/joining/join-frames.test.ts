// What joins and what answers: codecs, whom a question names, and bytes that are neither.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemberAim } from "../members/member-record.ts";
import { applyRecordChanges, RecordChangeKind } from "../members/members-change.ts";
import { MembershipTable } from "../members/membership-table.ts";
import { answerJoin } from "./join-answer.ts";
import { decodeJoinAnswer, decodeJoinAsk, encodeJoinAnswer, encodeJoinAsk } from "./join-frames.ts";

const clusterId = "00000000000000c1";
const genesis = {
  genesisId: 7,
  members: [{ memberId: "00000000000000a1", raftId: 11, name: "n1", peerUrls: ["http://1:1"] }],
};

const alive = (): boolean => true;

function table(): MembershipTable {
  const members = new MembershipTable();
  members.found(genesis);
  applyRecordChanges(members, [
    {
      kind: RecordChangeKind.Add,
      memberId: "00000000000000a2",
      name: "",
      peerUrls: ["http://2:1", "http://2:2"],
      aim: MemberAim.Voter,
    },
  ]);
  return members;
}

test("an unborn member is told who it is by its URLs, in any order", () => {
  const ask = { name: "n2", peerUrls: ["http://2:2", "http://2:1"] };
  const answer = answerJoin(decodeJoinAsk(encodeJoinAsk(ask)), clusterId, genesis, table(), alive);
  const said = decodeJoinAnswer(encodeJoinAnswer(answer));
  deepEqual(said, {
    clusterId,
    memberId: "00000000000000a2",
    genesis,
    members: [
      { memberId: "00000000000000a1", name: "n1", peerUrls: ["http://1:1"] },
      { memberId: "00000000000000a2", name: "", peerUrls: ["http://2:1", "http://2:2"] },
    ],
  });
});

test("a member that has lost its disk is told who it was, and not while its old process is heard", () => {
  const ask = { name: "n1", peerUrls: ["http://1:1"] };
  const told = answerJoin(ask, clusterId, genesis, table(), () => false);
  equal(typeof told === "string" ? told : told.memberId, "00000000000000a1");
  equal(typeof answerJoin(ask, clusterId, genesis, table(), alive), "string");
});

test("everybody else is told why not", () => {
  const why = (peerUrls: readonly string[]): string => {
    const answer = answerJoin({ name: "n", peerUrls }, clusterId, genesis, table(), alive);
    const said = decodeJoinAnswer(encodeJoinAnswer(answer));
    return typeof said === "string" ? said : "told";
  };
  match(why(["http://3:1"]), /no member has the peer URLs http:\/\/3:1: add it first/);
  match(why(["http://2:1"]), /no member has the peer URLs/);
  match(why(["http://1:1"]), /alive, with a data directory of its own \(raft id 11\)/);
  equal(answerJoin(null, clusterId, genesis, table(), alive), "the question is malformed");
  const early = answerJoin(
    { name: "n", peerUrls: [] },
    clusterId,
    null,
    new MembershipTable(),
    alive,
  );
  equal(early, "it has not started yet");
});

test("nonsense is neither question nor answer", () => {
  const answer = encodeJoinAnswer(
    answerJoin(
      { name: "", peerUrls: ["http://2:1", "http://2:2"] },
      clusterId,
      genesis,
      table(),
      alive,
    ),
  );
  const ask = encodeJoinAsk({ name: "n", peerUrls: ["http://2:1"] });
  for (let cut = 0; cut < answer.length; cut += 1) {
    equal(decodeJoinAnswer(answer.subarray(0, cut)), null);
    equal(cut < ask.length ? decodeJoinAsk(ask.subarray(0, cut)) : null, null);
  }
  fc.assert(
    fc.property(fc.nat(answer.length - 1), fc.nat(255), (at, to) => {
      decodeJoinAnswer(answer.with(at, to));
      decodeJoinAsk(answer.with(at, to));
    }),
  );
});
