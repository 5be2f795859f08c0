// What a member counts, gathered for metrics.
import type { HostCounters } from "./host-api.ts";
import { LoadLevel } from "./load/load-level.ts";
import type { Proposals } from "./proposals.ts";
import type { Running } from "./running.ts";

/** What the host itself has seen. */
export interface SeenCounters {
  leaderChanges: number;
  snapshotsSent: number;
  snapshotsReceived: number;
}

export function nothingSeen(): SeenCounters {
  return { leaderChanges: 0, snapshotsSent: 0, snapshotsReceived: 0 };
}

export function countersOf(
  running: Running | null,
  proposals: Pick<Proposals, "count" | "failed">,
  seen: Readonly<SeenCounters>,
): HostCounters {
  return {
    ...seen,
    loadLevel: running?.load.level ?? LoadLevel.None,
    requestsRefused: running?.load.refused ?? 0,
    proposalsCommitted: running?.raft.status().committed ?? 0,
    proposalsApplied: running?.pump.applied ?? 0,
    proposalsPending: proposals.count,
    proposalsFailed: proposals.failed,
    heartbeatSendFailures: 0,
    slowReadIndexes: running?.pump.reads.retries ?? 0,
    puts: running?.kv.puts ?? 0,
    deletes: running?.kv.deletes ?? 0,
    watchStreams: running?.watches.streams ?? 0,
    watchers: running?.watches.watchers ?? 0,
    slowWatchers: running?.kv.watches.counts.lagging ?? 0,
    watchBufferedBytes: running?.watches.bufferedBytes ?? 0,
  };
}
