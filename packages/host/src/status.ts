// What a member tells about itself, gathered from its parts; read by etcd's Status, `quorate status`,
// metrics and the simulator's checkers.
import type { KvApi } from "@quorate/kv";
import { isVoter, Role } from "@quorate/raft";
import type { RaftStatus } from "@quorate/raft";
import type { DataDirectory, StorageUsage } from "@quorate/storage";
import type { HostConfig, HostStatus, MemberStatus, Phase } from "./host-api.ts";
import { MemberAim } from "./members/member-record.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { PeerStatus } from "./peers/peers-api.ts";
import type { Running } from "./running.ts";

export interface StatusParts {
  readonly config: HostConfig;
  readonly phase: Phase;
  readonly reason: string;
  readonly session: number;
  readonly directory: DataDirectory | null;
  readonly membership: MembershipTable;
  readonly peers: readonly PeerStatus[];
  readonly missing: readonly string[];
  readonly raft: RaftStatus | null;
  readonly kv: KvApi | null;
  readonly applied: number;
  readonly usage: StorageUsage | null;
  readonly requestsInFlight: number;
}

const noDigest = { low: 0, high: 0 };

export function describeStatus(parts: StatusParts): HostStatus {
  const { config, raft, kv, directory, membership } = parts;
  return {
    phase: parts.phase,
    reason: parts.reason,
    name: config.members.find((m) => m.memberId === config.memberId)?.name ?? "",
    memberId: config.memberId,
    clusterId: config.clusterId,
    raftId: directory?.raftId ?? 0,
    bootCount: directory?.bootCount ?? 0,
    session: parts.session,
    role: raft?.role ?? Role.Follower,
    term: raft?.term ?? 0,
    leaderMemberId: raft === null ? "" : (membership.byRaftId(raft.leader)?.memberId ?? ""),
    committed: raft?.committed ?? 0,
    applied: parts.applied,
    lastIndex: raft?.lastIndex ?? 0,
    durableIndex: raft?.durableIndex ?? 0,
    revision: kv?.revision ?? 0,
    compactRevision: kv?.compactRevision ?? 0,
    keys: kv?.keys ?? 0,
    liveBytes: kv?.liveBytes ?? 0,
    liveDigest: kv?.liveDigest() ?? noDigest,
    applyDigest: kv?.applyDigest() ?? noDigest,
    quiet: raft?.quiet ?? false,
    level: raft?.level ?? 0,
    confState: raft?.confState ?? null,
    members: membersOf(parts),
    peers: parts.peers,
    progress: raft?.progress ?? [],
    missing: parts.missing,
    usage: parts.usage,
    requestsInFlight: parts.requestsInFlight,
    quotaBytes: config.quotaBytes,
    alarms: kv?.alarms ?? [],
    downgradeTarget: kv?.downgradeTarget ?? "",
  };
}

/** Names of the voters not heard for so long, ascending. */
export function missingOf(peers: readonly PeerStatus[], silentMsMax: number): readonly string[] {
  return peers
    .filter((p) => p.silentMs < 0 || p.silentMs > silentMsMax)
    .map((p) => p.name)
    .sort();
}

/** What is not as it should be in a member whose phase is as it should be; empty: nothing. */
export function reasonOf(running: Pick<Running, "guest" | "logRepair"> | null): string {
  if (running === null) return "";
  return running.guest.reason === "" ? running.logRepair.reason : running.guest.reason;
}

/** Before the first configuration is known, the listed members stand in. */
function membersOf(parts: StatusParts): readonly MemberStatus[] {
  const { membership, config } = parts;
  if (membership.members.length === 0) {
    return config.members.map((m) => ({
      memberId: m.memberId,
      raftId: 0,
      name: m.name,
      peerUrls: m.peerUrls,
      clientUrls: [],
      isLearner: false,
    }));
  }
  return memberStatuses(membership);
}

export function memberStatuses(membership: MembershipTable): readonly MemberStatus[] {
  const { confState } = membership;
  return membership.members.map((m) => ({
    memberId: m.memberId,
    raftId: m.raftId,
    name: m.name,
    peerUrls: m.peerUrls,
    clientUrls: m.clientUrls,
    // Who is unborn is what it was added as; then the configuration says.
    isLearner: m.raftId === 0 ? m.aim === MemberAim.Learner : !isVoter(confState, m.raftId),
  }));
}
