// What a plan says about losses, held against the history of the run: which committed entries are not
// kept, which acknowledged writes, and what the state is that the kept log makes.
import assert from "node:assert/strict";
import { latin1Encode } from "@quorate/base";
import type { RecoveryPlan } from "@quorate/host";
import { applicationKindMin } from "@quorate/raft";
import { type CommittedEntry, otherKind } from "../../src/checkers/committed-log.ts";
import { Evidence, isLogged } from "../../src/checkers/evidence.ts";
import { Outcome } from "../../src/client/history.ts";
import { kvText } from "../../src/model/canonical.ts";
import type { Run } from "../../src/run.ts";

/** Kinds from here on are the host's own (host/members/entry-kinds.ts). */
const hostKindMin = 64;

export interface Truth {
  /** Committed entries that the plan does not keep, as it said. */
  readonly lostEntries: number;
  /** Writes that a client heard OK for, among them. */
  readonly lostWrites: number;
  /** Of the state after the kept log. */
  readonly revision: number;
  /** All keys, as texts. */
  readonly live: readonly string[];
}

export function keptState(run: Run, plan: RecoveryPlan): Truth {
  const { watch, history, cluster } = run;
  const { winner } = plan;
  const below = winner.checkpoint?.index ?? 0;
  const kept = [
    ...watch.committed.entries().slice(0, below),
    ...winner.entries.map(({ term, index, kind, level, wallMs, payload }) => {
      const isOperation = kind >= applicationKindMin && kind < hostKindMin;
      return { index, term, level, wallMs, payload, kind: isOperation ? kind : otherKind };
    }),
  ];
  assert.equal(kept.length, winner.lastIndex, "the kept log has every index once");
  const lost = lostOf(run, plan, kept);
  const evidence = new Evidence(history, kept, cluster.members[0]!.config);
  const { model } = evidence.replay;
  const everything = latin1Encode("\0");
  return {
    lostEntries: lost.length,
    lostWrites: lostWrites(run, plan, evidence, lost),
    revision: model.revision,
    live: model.liveAt(everything, everything, model.revision).map(kvText),
  };
}

/** Every committed entry is kept, but for those of which the plan says that it may not be. */
function lostOf(
  { watch, world }: Run,
  plan: RecoveryPlan,
  kept: readonly CommittedEntry[],
): readonly CommittedEntry[] {
  const { winner, mayLose, survivors } = plan;
  const certain = Math.max(...survivors.map(({ commit }) => commit));
  const lost = watch.committed
    .entries()
    .filter(({ index, term }) => kept[index - 1]?.term !== term);
  for (const { index, term } of lost) {
    const isExcused =
      term > winner.lastTerm || (term === winner.lastTerm && index > winner.lastIndex);
    assert.ok(
      mayLose && isExcused && index > certain,
      `seed ${world.seed} at ${world.nowMs} ms: committed entry ${index} of term ${term} is not kept: ` +
        plan.statements.join(" "),
    );
  }
  return lost;
}

/** A client heard OK, and nothing of it is in the kept log: then it is one of the lost entries. */
function lostWrites(
  { history }: Run,
  { mayLose }: RecoveryPlan,
  { replay }: Evidence,
  lost: readonly CommittedEntry[],
): number {
  const acknowledged = history.operations.filter(
    (operation) => operation.outcome === Outcome.Ok && isLogged(operation),
  );
  const missing = acknowledged.filter(({ key }) => replay.operationsOf(key).length === 0);
  assert.ok(missing.length <= lost.length, "an acknowledged write was never committed");
  assert.ok(mayLose || missing.length === 0, "no acknowledged write can be missing, said the plan");
  return missing.length;
}
