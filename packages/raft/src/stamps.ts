// The clock reading that a leader puts into entries (P11): never below the entry before, never more
// than a second above the median of the voters' clocks or the last stamp, whichever is greater. One
// wrong clock can so neither turn time back nor carry the cluster into the future.
import { isVoter } from "./confchange/conf-state.ts";
import type { Raft } from "./raft.ts";
import type { NodeId } from "./types.ts";

const aheadMsMax = 1000;

/** The stamp for entries appended now. Reads the clocks of the voters as of their last answers. */
export function stampMs(raft: Raft): number {
  const last = raft.log.tail.lastWallMs;
  const limit = Math.max(medianMs(raft) + aheadMsMax, last);
  const wanted = Math.max(raft.clockMs, last);
  raft.clockClamped = wanted > limit;
  return Math.min(wanted, limit);
}

/** Lower median of the clocks known, moved on to now by ticks; 0 when none is known. */
function medianMs(raft: Raft): number {
  let count = 0;
  const { voters, votersOutgoing } = raft.conf;
  if (scratch.length < voters.length + votersOutgoing.length + 1) {
    scratch = new Float64Array(2 * (voters.length + votersOutgoing.length + 1));
  }
  // Our own reading counts also when we vote no more: a removed leader still opens its term's end.
  if (raft.clockMs > 0 && !isVoter(raft.conf, raft.id)) count = insert(raft.clockMs, count);
  for (const id of voters) count = insert(clockOf(raft, id), count);
  for (const id of votersOutgoing) {
    if (!voters.includes(id)) count = insert(clockOf(raft, id), count);
  }
  return count === 0 ? 0 : scratch[(count - 1) >> 1]!;
}

function clockOf(raft: Raft, id: NodeId): number {
  if (id === raft.id) return raft.clockMs;
  const peer = raft.peers.get(id);
  if (peer === null || peer.wallMs === 0) return 0;
  return peer.wallMs + (raft.now - peer.wallTick) * raft.config.tickMs;
}

/** Ascending; a clock not yet known is left out. */
function insert(ms: number, count: number): number {
  if (ms === 0) return count;
  let at = count;
  while (at > 0 && scratch[at - 1]! > ms) {
    scratch[at] = scratch[at - 1]!;
    at--;
  }
  scratch[at] = ms;
  return count + 1;
}

let scratch = new Float64Array(16);
