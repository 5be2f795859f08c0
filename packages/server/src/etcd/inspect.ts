// quorate.v1.Inspect: status and event journal as messages (DESIGN.md 19).
import { create, toBinary } from "@bufbuild/protobuf";
import { JournalKind, Phase } from "@quorate/host";
import type { HostStatus, JournalEvent, PeerStatus } from "@quorate/host";
import { inspect } from "@quorate/proto";
import { alarmCauses, alarmNames, digestText } from "@quorate/kv";
import type { Alarm } from "@quorate/kv";
import { ProgressKind, Role } from "@quorate/raft";
import type { ProgressStatus } from "@quorate/raft";
import type { ServiceFacts } from "./facts.ts";

export const phaseNames: Record<Phase, string> = {
  [Phase.Opening]: "opening",
  [Phase.Genesis]: "genesis",
  [Phase.Recovering]: "recovering",
  [Phase.Scanning]: "scanning",
  [Phase.Running]: "running",
  [Phase.Stopping]: "stopping",
  [Phase.Stopped]: "stopped",
  [Phase.Refused]: "refused",
};

export const roleNames: Record<Role, string> = {
  [Role.Follower]: "follower",
  [Role.PreCandidate]: "pre-candidate",
  [Role.Candidate]: "candidate",
  [Role.Leader]: "leader",
};

const progressNames: Record<ProgressKind, string> = {
  [ProgressKind.Probe]: "probe",
  [ProgressKind.Replicate]: "replicate",
  [ProgressKind.Snapshot]: "snapshot",
};

const journalNames = new Map<number, string>(
  Object.entries(JournalKind).map(([name, kind]) => [kind, name]),
);

export function statusResponse(status: HostStatus, facts: ServiceFacts): Uint8Array {
  const leader = status.members.find((m) => m.memberId === status.leaderMemberId);
  const response = create(inspect.StatusResponseSchema, {
    name: status.name,
    memberId: BigInt(`0x${status.memberId}`),
    clusterId: BigInt(`0x${status.clusterId}`),
    phase: phaseNames[status.phase],
    reason: status.reason,
    role: roleNames[status.role],
    term: BigInt(status.term),
    leader: leader?.name ?? "",
    committed: BigInt(status.committed),
    applied: BigInt(status.applied),
    lastIndex: BigInt(status.lastIndex),
    durableIndex: BigInt(status.durableIndex),
    revision: BigInt(status.revision),
    compactRevision: BigInt(Math.max(0, status.compactRevision)),
    keys: BigInt(status.keys),
    liveBytes: BigInt(status.liveBytes),
    liveDigest: digestText(status.liveDigest),
    applyDigest: digestText(status.applyDigest),
    quiet: status.quiet,
    bootCount: status.bootCount,
    missing: [...status.missing],
    raftId: BigInt(status.raftId),
    walBytes: BigInt(status.usage?.walBytes ?? 0),
    rowBytes: BigInt(status.usage?.rowBytes ?? 0),
    syncs: BigInt(status.usage?.syncs ?? 0),
    peers: status.peers.map((peer) => peerOf(peer, status.progress)),
    stallMaxMs: BigInt(Math.round(facts.stallMaxMs())),
    version: facts.version,
    alarms: status.alarms.map(alarmOf),
  });
  return toBinary(inspect.StatusResponseSchema, response);
}

function peerOf(peer: PeerStatus, progress: readonly ProgressStatus[]): inspect.Peer {
  const known = progress.find((p) => p.id === peer.raftId);
  return create(inspect.PeerSchema, {
    name: peer.name,
    raftId: BigInt(peer.raftId),
    connected: peer.connected,
    reason: peer.reason,
    roundTripMs: peer.roundTripMs,
    silentMs: peer.silentMs,
    match: BigInt(known?.match ?? 0),
    progress: known === undefined ? "" : progressNames[known.kind],
    bytesSent: BigInt(peer.bytesSent),
    bytesReceived: BigInt(peer.bytesReceived),
  });
}

function alarmOf({ memberId, type, cause, text, sinceMs }: Alarm): inspect.Alarm {
  const { advice, endsByItself } = alarmCauses[cause];
  return create(inspect.AlarmSchema, {
    memberId: BigInt(`0x${memberId}`),
    type: alarmNames[type],
    text,
    advice,
    sinceMs: BigInt(sinceMs),
    endsByItself,
  });
}

export function journalResponse(events: readonly JournalEvent[]): Uint8Array {
  const response = create(inspect.JournalResponseSchema, {
    events: events.map((event) => ({
      kind: journalNames.get(event.kind) ?? String(event.kind),
      wallMs: BigInt(Math.max(0, Math.floor(event.wallMs))),
      term: BigInt(event.term),
      peer: BigInt(event.peer),
      value: event.value,
      reason: event.reason,
    })),
  });
  return toBinary(inspect.JournalResponseSchema, response);
}
