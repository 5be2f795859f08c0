// Whom a member dials: everybody in its table, and, as long as that does not name itself, those it was
// told of when it joined, where it was told that they are: its table may begin with a configuration that
// is long gone, and who is dialled in vain is not answered.
import { isVoter } from "@quorate/raft";
import type { Listed } from "../genesis/member-list.ts";
import type { ListedMember } from "../host-api.ts";
import type { PeerMember } from "../peers/peers-api.ts";
import type { MembershipTable } from "./membership-table.ts";

export interface PeerListParts {
  readonly selfMemberId: string;
  readonly selfRaftId: number;
  readonly table: MembershipTable;
  readonly introduced: readonly Listed[];
  /** For the transport: by how this member was started, or as the URL says. */
  addressOf(url: string): string;
}

export function peerList(parts: PeerListParts): PeerMember[] {
  const { table, selfMemberId } = parts;
  const isNamed = table.byRaftId(parts.selfRaftId) !== null;
  const known = new Set(table.members.map((m) => m.memberId));
  const told = isNamed ? [] : parts.introduced;
  const urls = new Map(told.map((m) => [m.memberId, m.peerUrls]));
  const listed = [
    ...table.members.map(({ memberId, raftId, name, peerUrls }) => ({
      memberId,
      raftId,
      name,
      peerUrls: urls.get(memberId) ?? peerUrls,
    })),
    ...told.filter((m) => !known.has(m.memberId)).map((m) => ({ ...m, raftId: 0 })),
  ];
  return listed
    .filter((m) => m.memberId !== selfMemberId)
    .map(({ memberId, raftId, name, peerUrls }) => ({
      memberId,
      raftId,
      name,
      peerUrls,
      addresses: peerUrls.map((url) => parts.addressOf(url)),
    }));
}

/**
 * Where the others dial this member: as its table says, and as it was started: either may be behind when
 * it has moved.
 */
export function ownUrls(
  memberId: string,
  listed: readonly ListedMember[],
  table: MembershipTable,
): readonly string[] {
  const own = [...table.members, ...listed].filter((m) => m.memberId === memberId);
  return [...new Set(own.flatMap((m) => m.peerUrls))];
}

/** As this member was started, or as the URL says. */
export function addressIn(listed: readonly ListedMember[], url: string): string {
  for (const { peerUrls, peerAddresses } of listed) {
    const address = peerAddresses[peerUrls.indexOf(url)];
    if (address !== undefined) return address;
  }
  return addressOfUrl(url);
}

/** What the transport dials for a peer URL: "host:port", with "https://" before it where TLS is spoken. */
export function addressOfUrl(url: string): string {
  const start = url.indexOf("://");
  if (start < 0) return url;
  const bare = url.slice(start + 3).replace(/\/.*$/, "");
  return url.startsWith("https:") ? `https://${bare}` : bare;
}

/** A learner, or one that has joined and is not in the configuration yet. */
export function isLearner(table: MembershipTable, raftId: number): boolean {
  return !isVoter(table.confState, raftId) && !table.removed.includes(raftId);
}
