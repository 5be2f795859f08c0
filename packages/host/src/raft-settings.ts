// From a member's configuration and what its disk gave back to what a core is made with.
import { HardState, raftDefaults } from "@quorate/raft";
import type { ConfState, InitialState, NodeId, RaftConfig } from "@quorate/raft";
import { mayRunRaft } from "@quorate/storage";
import type { DataDirectory, Env, Recovered } from "@quorate/storage";
import type { HostConfig } from "./host-api.ts";
import type { SettingsTable } from "./settings.ts";

/** Highest feature level of this binary (P11). */
export const levelMax = 1;

/** The envelope around a request's bytes: user name and auth revision. */
export const envelopeBytesMax = 4096;

/** From the evidence that the leader's process is dead to the own candidacy (P6). */
const closeHintBaseMs = 20;
const closeHintSpreadMs = 50;

export function electionTicks(config: HostConfig): number {
  return Math.max(2, Math.floor(config.electionTimeoutMs / config.tickMs));
}

export function closeHintTicks(
  tickMs: number,
): Pick<RaftConfig, "closeHintBaseTicks" | "closeHintSpreadTicks"> {
  return {
    closeHintBaseTicks: Math.ceil(closeHintBaseMs / tickMs),
    closeHintSpreadTicks: Math.ceil(closeHintSpreadMs / tickMs),
  };
}

export function raftConfig(
  env: Env,
  config: HostConfig,
  directory: DataDirectory,
  session: number,
  votersAtStart: readonly NodeId[],
): RaftConfig {
  const random = env.random.fork("raft");
  // P5: a directory that took part before makes no promise until a leader or the others have spoken.
  const hasOthers = votersAtStart.some((id) => id !== directory.raftId);
  const tookPart = !directory.fresh && mayRunRaft(directory.genesisState);
  return {
    ...raftDefaults,
    id: directory.raftId,
    session,
    tickMs: config.tickMs,
    electionTimeoutTicks: electionTicks(config),
    electionTimeoutRandomizationTicks: Math.ceil(
      config.electionTimeoutRandomizationMs / config.tickMs,
    ),
    electionRankSlotTicks: Math.ceil(config.electionRankSlotMs / config.tickMs),
    lateVoteAnswers: config.lateVoteAnswers,
    ...closeHintTicks(config.tickMs),
    heartbeatTicks: Math.max(1, Math.floor(config.heartbeatIntervalMs / config.tickMs)),
    futileBytesMax: config.futileBytesMax,
    proposalBytesMax: config.requestBytesMax + envelopeBytesMax,
    random: { below: (n) => random.below(n) },
    level: levelMax,
    quiet: tookPart && hasOthers,
  };
}

export function initialState(
  recovered: Recovered,
  confState: ConfState,
  settings: SettingsTable,
): InitialState {
  const last = recovered.entries[recovered.entries.length - 1];
  return {
    hardState: recovered.hardState,
    confState,
    snapshotIndex: recovered.logStartIndex,
    snapshotTerm: recovered.logStartTerm,
    entries: recovered.entries,
    applied: recovered.checkpoint?.index ?? recovered.lost?.index ?? 0,
    stateLost: recovered.lost !== null,
    promised: recovered.promised,
    wallMs: Math.max(settings.wallMs, last === undefined ? 0 : last.wallMs),
    level: settings.level,
  };
}

/** What is repeated with the first batches: behind lost entries nothing is known to be committed. */
export function knownHardState(recovered: Recovered): HardState {
  const { hardState, promised, logStartIndex, entries } = recovered;
  if (promised === null) return hardState;
  const { term, vote, commit } = hardState;
  return new HardState(term, vote, Math.min(commit, logStartIndex + entries.length));
}
