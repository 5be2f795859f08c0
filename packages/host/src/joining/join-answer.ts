// What a member tells a process that asks who it is. Pure; by the table as this member has applied it,
// which may lag: the asker asks everybody, again and again.
import type { GenesisRecord } from "../peers/peers-api.ts";
import { byPeerUrls } from "../members/members-change.ts";
import type { MembershipTable } from "../members/membership-table.ts";
import type { JoinAnswer, JoinAsk } from "./join-frames.ts";

export function answerJoin(
  ask: JoinAsk | null,
  clusterId: string,
  genesis: GenesisRecord | null,
  table: MembershipTable,
): JoinAnswer {
  if (ask === null) return "the question is malformed";
  if (genesis === null) return "it has not started yet";
  const urls = ask.peerUrls.join(",");
  const member = byPeerUrls(table, ask.peerUrls);
  if (member === null) return `no member has the peer URLs ${urls}: add it first (member add)`;
  if (member.raftId !== 0) {
    return (
      `the member with the peer URLs ${urls} has a data directory already (raft id ` +
      `${member.raftId}): start it there, or remove it and add it anew`
    );
  }
  const members = table.members.map(({ memberId, name, peerUrls }) => ({
    memberId,
    name,
    peerUrls,
  }));
  return { clusterId, memberId: member.memberId, genesis, members };
}
