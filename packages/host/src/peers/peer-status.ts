// What `quorate status`, logs and metrics say of another member. Reads only.
import type { Peer } from "./peer.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeerStatus } from "./peers-api.ts";
import type { Remote } from "./remote.ts";

/** `started`: this member takes part in a genesis; before, genesis talk is all there is to say. */
export function peerStatus(
  peer: Peer,
  remote: Remote | null,
  incoming: readonly PeerLink[],
  started: boolean,
  nowMs: number,
): PeerStatus {
  let heardMs = peer.heardMs;
  let bytesSent = peer.bytesSent;
  let bytesReceived = peer.bytesReceived;
  for (const link of incoming) {
    heardMs = Math.max(heardMs, link.heardMs);
    bytesSent += link.bytesSent;
    bytesReceived += link.bytesReceived;
  }
  const reason = whyNotConnected(peer, started);
  const acceptedMs = peer.control.link?.acceptedMs ?? -1;
  return {
    memberId: peer.member.memberId,
    raftId: peer.raftId,
    name: peer.member.name,
    connected: reason === "",
    connectedMs: reason === "" && acceptedMs >= 0 ? Math.max(0, nowMs - acceptedMs) : -1,
    session: remote?.session ?? 0,
    bootCount: remote?.bootCount ?? 0,
    silentMs: heardMs < 0 ? -1 : Math.max(0, nowMs - heardMs),
    reason,
    roundTripMs: remote?.roundTripMs ?? 0,
    queuedBytes: peer.queuedBytes + (remote?.queuedBytes ?? 0),
    bytesSent,
    bytesReceived,
  };
}

/** Empty when what this member has started to speak can be spoken with that one. */
export function whyNotConnected(peer: Peer, started: boolean): string {
  const link = peer.control.link;
  if (link === null || !link.accepted) return peer.reason === "" ? "connecting" : peer.reason;
  if (!started) return "";
  const named = peer.member.raftId;
  const speaks = link.hello?.raftId ?? 0;
  if (named !== 0 && speaks !== named) {
    return `its disk was wiped: it has raft id ${speaks}, the cluster knows ${named}`;
  }
  return link.raft ? "" : "has not started yet";
}
