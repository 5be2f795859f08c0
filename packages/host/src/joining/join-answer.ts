// What a member tells a process that asks who it is. Pure; by the table as this member has applied it,
// which may lag: the asker asks everybody, again and again.
import type { NodeId } from "@quorate/raft";
import type { GenesisRecord } from "../peers/peers-api.ts";
import { byPeerUrls } from "../members/members-change.ts";
import type { MembershipTable } from "../members/membership-table.ts";
import type { JoinAnswer, JoinAsk } from "./join-frames.ts";

export function answerJoin(
  ask: JoinAsk | null,
  clusterId: string,
  genesis: GenesisRecord | null,
  table: MembershipTable,
  lives: (raftId: NodeId) => boolean,
): JoinAnswer {
  if (ask === null) return "the question is malformed";
  if (genesis === null) return "it has not started yet";
  const urls = ask.peerUrls.join(",");
  const member = byPeerUrls(table, ask.peerUrls);
  if (member === null) return `no member has the peer URLs ${urls}: add it first (member add)`;
  // A born one may have lost its disk: it rejoins, and the leader makes sure (P3).
  if (member.raftId !== 0 && lives(member.raftId)) {
    return (
      `the member with the peer URLs ${urls} is or was just now alive, with a data directory of its own ` +
      `(raft id ${member.raftId}): stop it first, or remove it and add it anew`
    );
  }
  const members = table.members.map(({ memberId, name, peerUrls }) => ({
    memberId,
    name,
    peerUrls,
  }));
  return { clusterId, memberId: member.memberId, genesis, members };
}
