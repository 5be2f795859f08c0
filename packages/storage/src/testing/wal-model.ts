// What a log must give back, computed the dumb way: the list of requests so far, replayed from the
// start. The twin that the WAL's crash tests compare with. Only tests import it.
import { equalBytes } from "@quorate/base";
import { HardState } from "@quorate/raft";
import type { Entry, NodeId } from "@quorate/raft";
import type { PeerRecord } from "../storage-api.ts";
import type { RecoveredLog, WalMark } from "../wal/wal-api.ts";

/** One request as it was made. */
export interface WalRequest {
  readonly hardState: HardState;
  readonly firstIndex: number;
  readonly entries: readonly Entry[];
  readonly peers: readonly PeerRecord[];
  readonly mustSync: boolean;
  readonly mark: WalMark | null;
}

export interface ModelCheckpoint {
  readonly index: number;
  readonly term: number;
}

export interface ModelLog {
  hardState: HardState;
  /** Entries above; everything below came by a snapshot. */
  baseIndex: number;
  baseTerm: number;
  entries: Entry[];
  readonly peers: Map<NodeId, PeerRecord>;
}

export function replayRequests(
  requests: readonly WalRequest[],
  checkpoint: ModelCheckpoint | null,
): ModelLog {
  const log: ModelLog = {
    hardState: new HardState(0, 0, 0),
    baseIndex: 0,
    baseTerm: 0,
    entries: [],
    peers: new Map(),
  };
  let commit = 0;
  // From a void mark on, commit indexes are about a log that never came to be.
  let isVoid = false;
  for (const request of requests) {
    log.hardState = request.hardState;
    for (const peer of request.peers) log.peers.set(peer.raftId, peer);
    const { mark } = request;
    if (mark !== null && mark.index <= (checkpoint?.index ?? 0)) {
      log.baseIndex = mark.index;
      log.baseTerm = mark.term;
      log.entries = [];
    } else if (mark !== null) {
      isVoid = true;
    }
    if (request.entries.length > 0) {
      log.entries.length = request.firstIndex - 1 - log.baseIndex;
      log.entries.push(...request.entries);
    }
    const about = request.hardState.commit <= log.baseIndex + log.entries.length;
    if (about && !isVoid) commit = request.hardState.commit;
  }
  const { term, vote } = log.hardState;
  log.hardState = new HardState(term, vote, Math.max(commit, checkpoint?.index ?? 0));
  return log;
}

/** Null: the recovered log is that of the model. Otherwise the first difference. */
export function difference(
  model: ModelLog,
  recovered: RecoveredLog,
  checkpoint: ModelCheckpoint | null,
): string | null {
  const { hardState, startIndex, startTerm, entries, peers } = recovered;
  const want = model.hardState;
  if (hardState.term !== want.term || hardState.vote !== want.vote) return "term or vote";
  if (hardState.commit !== want.commit) return `commit ${hardState.commit}, not ${want.commit}`;
  if (startIndex > (checkpoint?.index ?? 0)) return "the log starts above the checkpoint";
  if (startIndex < model.baseIndex) return "the log starts below the snapshot";
  const at = startIndex - model.baseIndex;
  const below = at === 0 ? model.baseTerm : model.entries[at - 1]?.term;
  if (startTerm !== below) return `start term ${startTerm}, not ${below}`;
  const rest = model.entries.slice(at);
  if (entries.length !== rest.length) return `${entries.length} entries, not ${rest.length}`;
  for (let i = 0; i < rest.length; i++) {
    if (!sameEntry(entries[i]!, rest[i]!)) return `entry ${rest[i]!.index}`;
  }
  if (peers.length !== model.peers.size) return `${peers.length} peers, not ${model.peers.size}`;
  for (const peer of peers) {
    const known = model.peers.get(peer.raftId);
    const same = known?.bootCount === peer.bootCount && known.session === peer.session;
    if (!same) return `peer ${peer.raftId}`;
  }
  return null;
}

function sameEntry(a: Entry, b: Entry): boolean {
  return (
    a.term === b.term &&
    a.index === b.index &&
    a.kind === b.kind &&
    a.level === b.level &&
    a.wallMs === b.wallMs &&
    equalBytes(a.payload, b.payload)
  );
}

/**
 * Everything a crash may leave of requests of which the first `certain` were acknowledged as
 * durable: all or a prefix of the rest, the last of these in part when its entries were split.
 * The longest first.
 */
export function* possibleHistories(
  requests: readonly WalRequest[],
  certain: number,
): Generator<readonly WalRequest[]> {
  for (let kept = requests.length; kept >= certain; kept--) {
    const whole = requests.slice(0, kept);
    yield whole;
    const last = whole.at(-1);
    if (last === undefined || kept === certain) continue;
    for (let entries = last.entries.length - 1; entries > 0; entries--) {
      yield [...whole.slice(0, -1), part(last, entries)];
    }
  }
}

function part(request: WalRequest, entries: number): WalRequest {
  const kept = request.entries.slice(0, entries);
  const { term, vote, commit } = request.hardState;
  const hardState = new HardState(term, vote, Math.min(commit, kept.at(-1)!.index));
  return { ...request, hardState, entries: kept };
}
