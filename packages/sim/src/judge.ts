// The judgement of a whole history once a run is over: the committed log is replayed through the
// naive twin, and what clients heard is held against it.
import { checkAcknowledgedWrites } from "./checkers/acknowledged-writes.ts";
import { checkLeaseRights } from "./checkers/auth-leases.ts";
import { checkLocalReads } from "./checkers/auth-local-reads.ts";
import { checkPermitted, checkPermittedChanges } from "./checkers/auth-permitted.ts";
import { checkRevoked, checkWatchRights } from "./checkers/auth-revoked.ts";
import type { CommittedLog } from "./checkers/committed-log.ts";
import { checkCompaction } from "./checkers/compaction.ts";
import { Evidence, type Limits } from "./checkers/evidence.ts";
import { checkFreshReads } from "./checkers/fresh-reads.ts";
import { checkLimits } from "./checkers/limits.ts";
import { checkLinearizability } from "./checkers/linearizability.ts";
import { checkPastRanges } from "./checkers/past-ranges.ts";
import { checkRevisions } from "./checkers/revisions.ts";
import { checkSerializableReads } from "./checkers/serializable-reads.ts";
import { checkTransactions } from "./checkers/transactions.ts";
import { checkLeaseAnswers } from "./checkers/lease-answers.ts";
import { timedLives } from "./checkers/lease-lives.ts";
import { checkNeverEarly } from "./checkers/lease-never-early.ts";
import type { AuthHistory } from "./client/auth-history.ts";
import type { History } from "./client/history.ts";
import type { WatchRecord } from "./client/watch-history.ts";
import type { LeaseHistory } from "./client/lease-history.ts";
import type { KvModel } from "./model/kv-model.ts";
import type { LeaseWatch } from "./watch/lease-watch.ts";

/** In an order in which what is most particular speaks first. */
const checkers: readonly ((evidence: Evidence) => void)[] = [
  checkLimits,
  checkPermitted,
  checkLocalReads,
  checkAcknowledgedWrites,
  checkRevisions,
  checkFreshReads,
  checkSerializableReads,
  checkCompaction,
  checkPastRanges,
  checkTransactions,
  checkLinearizability,
];

/** What was judged. */
export function judge(history: History, committed: CommittedLog, limits: Limits): Evidence {
  const evidence = new Evidence(history, committed.entries(), limits);
  for (const check of checkers) check(evidence);
  return evidence;
}

/** A1 and A2, beyond what clients heard of keys. */
export function judgeAuth(
  auth: AuthHistory,
  leases: LeaseHistory,
  watchers: readonly WatchRecord[],
  { history, replay }: Evidence,
): void {
  checkPermittedChanges(auth, replay.model.auth);
  checkRevoked(auth, history.operations, replay.model.auth);
  checkWatchRights(watchers, replay.model.auth);
  checkLeaseRights(leases.operations, replay);
}

/** T1 and T4; T2 and T3 are asked on the way. */
export function judgeLeases({ operations }: LeaseHistory, model: KvModel, watch: LeaseWatch): void {
  const lives = timedLives(model.leases, (index) => watch.appliedUs(index));
  checkNeverEarly(operations, lives);
  checkLeaseAnswers(operations, lives, model);
}
