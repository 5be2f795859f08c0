// Advice for the search (black-box.ts): at which revision each operation of unknown outcome took
// effect, as the log has it. It says what to try first, and so only how long the search takes: wrong
// advice makes it slow, none makes it neither stricter nor milder.
import { type ClientOperation, type LeaseEnd, Outcome } from "../client/history.ts";
import type { Evidence } from "./evidence.ts";

/** Operation, or end of a lease → revision; missing: it took no effect. */
export type LikelyRevisions = ReadonlyMap<ClientOperation | LeaseEnd, number>;

export function likelyRevisions({ history, replay, answers }: Evidence): LikelyRevisions {
  const heard = new Set(answers.flatMap(({ revision, changed }) => (changed ? [revision] : [])));
  const unheard = new Map<string, ClientOperation[]>();
  for (const operation of history.operations) {
    const { outcome, key } = operation;
    if (outcome !== Outcome.Unknown && outcome !== Outcome.Pending) continue;
    const same = unheard.get(key);
    if (same === undefined) unheard.set(key, [operation]);
    else same.push(operation);
  }
  const likely = new Map<ClientOperation | LeaseEnd, number>();
  for (const [key, operations] of unheard) {
    const revisions = replay
      .operationsOf(key)
      .flatMap(({ revision, changed }) => (changed && !heard.has(revision) ? [revision] : []));
    // Of equal requests the first called goes first: nobody can tell them apart.
    for (const [at, revision] of revisions.entries()) {
      const operation = operations[at];
      if (operation !== undefined) likely.set(operation, revision);
    }
  }
  const ends = new Map<number, number[]>();
  for (const { lease, end } of replay.model.leases.lives) {
    if (end === null || end.deleted === 0) continue;
    ends.set(lease, [...(ends.get(lease) ?? []), end.revision]);
  }
  for (const end of history.leaseEnds) {
    const revision = ends.get(end.lease)?.shift();
    if (revision !== undefined) likely.set(end, revision);
  }
  return likely;
}
