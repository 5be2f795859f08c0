// Ranked timeouts: the leader tells each voter its place in the order of succession with every
// heartbeat, and the r-th waits T and r - 1 slots for it instead of a random time, so that one
// candidate has asked and won before the next one would ask.
//
// Only ever advice. Any election timeout is safe in Raft (§5.2 needs randomness for liveness alone),
// so nothing here has to be right. For liveness a rank is forgotten with the role and term in which
// it was told, so that whoever has tried in vain waits a random time: wrong ranks cost time, but
// cannot make the same candidates collide for ever.
import { isVoter, memberIds } from "./confchange/conf-state.ts";
import type { Raft } from "./raft.ts";
import { rankedElectionTimeout, randomElectionTimeout } from "./roles/role-state.ts";
import type { LeaderState } from "./roles/role-state.ts";
import type { Progress } from "./tracker/progress.ts";
import { Role } from "./types.ts";

/** Heartbeats without an answer after which a voter comes last: its rank would be a slot lost. */
const silentHeartbeats = 3;

/** Leader, before a heartbeat round: whose turn it would be if this were the last one. */
export function rankSuccessors(raft: Raft, state: LeaderState): void {
  if (raft.config.electionRankSlotTicks === 0) return;
  const isTimed = state.timedRound > 0;
  if (!isTimed || raft.now - state.timedTick >= raft.config.electionTimeoutTicks) {
    state.timedRound = raft.heartbeatRound;
    state.timedTick = raft.now;
  }
  const successors: Progress[] = [];
  for (const progress of state.tracker.all) {
    progress.rank = 0;
    const isSuccessor = progress.id !== raft.id && !progress.regressed;
    if (isSuccessor && isVoter(raft.conf, progress.id)) successors.push(progress);
  }
  successors.sort((a, b) => compareSuccessors(raft, a, b));
  for (let i = 0; i < successors.length; i++) successors[i]!.rank = i + 1;
}

/** Who can win comes before who would be better: the order of the conditions is the order of need. */
function compareSuccessors(raft: Raft, a: Progress, b: Progress): number {
  return (
    Number(isSilent(raft, a)) - Number(isSilent(raft, b)) ||
    b.match - a.match ||
    preferenceOf(raft, b) - preferenceOf(raft, a) ||
    a.latencyTicks - b.latencyTicks ||
    a.id - b.id
  );
}

function isSilent(raft: Raft, progress: Progress): boolean {
  return raft.now - progress.lastAnswerTick > silentHeartbeats * raft.config.heartbeatTicks;
}

function preferenceOf(raft: Raft, progress: Progress): number {
  return raft.peers.get(progress.id)?.preference ?? 0;
}

/** Leader: ticks are all the core knows of time, so that on a LAN most answers are equally fast. */
export function timeAnswer(
  raft: Raft,
  state: LeaderState,
  progress: Progress,
  round: number,
): void {
  if (round > 0 && round === state.timedRound) progress.latencyTicks = raft.now - state.timedTick;
}

/** Follower: the newest rank counts. Drawn anew only with another rank, so that heartbeats do not
 * keep on drawing until a wait is short. */
export function heedRank(raft: Raft, told: number): void {
  const { state, config } = raft;
  if (config.electionRankSlotTicks === 0 || state.role !== Role.Follower) return;
  if (told === state.rank) return;
  // Beyond the voters known here, it is of another configuration: then rather a random wait.
  const rank = told <= memberIds(raft.conf).length ? told : 0;
  if (rank === state.rank) return;
  state.rank = rank;
  raft.electionTimeout =
    rank > 0 ? rankedElectionTimeout(config, rank) : randomElectionTimeout(config);
}
