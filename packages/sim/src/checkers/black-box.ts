// Linearizability by search (reliability.md §2.4, tier B): from what clients called and heard alone,
// with rules of its own; the log only advises what to try first. First the revisions of the whole history, as
// one counter; then every partition of keys, with their values, versions and revisions. A search that
// is not done within its limits proves nothing, and fails.
import type { History } from "../client/history.ts";
import { clientView } from "../search/client-view.ts";
import { KeysModel, type KeysOperation, type Partition } from "../search/keys-model.ts";
import { property } from "../search/property.ts";
import { partition } from "../search/partitions.ts";
import { checkRevisionOrder } from "../search/revision-order.ts";
import { Search, Verdict } from "../search/search.ts";
import type { LikelyRevisions } from "./likely-revisions.ts";
import { demand } from "./violation.ts";

const designProperty = `${property}: design`;

export interface SearchLimits {
  /** Of one partition. */
  readonly operationsMax: number;
  /** Of one search. */
  readonly statesMax: number;
}

export const searchLimits: SearchLimits = { operationsMax: 20_000, statesMax: 2_000_000 };

export interface SearchTotals {
  readonly partitions: number;
  readonly operations: number;
  readonly states: number;
}

/** `likely`: what to try first. */
export function checkBlackBox(
  history: History,
  likely: LikelyRevisions = new Map(),
  limits: SearchLimits = searchLimits,
): SearchTotals {
  const view = clientView(history);
  const order = checkRevisionOrder(view);
  const partitions = partition(view, order, likely);
  let states = 0;
  for (const part of partitions) {
    states += searchThrough(part, new KeysModel(part, view.seen), limits);
  }
  const operations = view.heard.length + view.unheard.length;
  return { partitions: partitions.length, operations, states };
}

function searchThrough(
  { keys, operations }: Partition,
  model: KeysModel,
  { operationsMax, statesMax }: SearchLimits,
): number {
  const name = (): string =>
    `the partition of ${keys.slice(0, 5).join(", ")} (${keys.length} keys)`;
  demand(
    operations.length <= operationsMax,
    designProperty,
    () => `${name()} has ${operations.length} operations`,
  );
  const { verdict, states, deepest, stuck } = new Search(operations, model, statesMax).run();
  demand(
    verdict !== Verdict.Exceeded,
    designProperty,
    () => `${name()}: ${operations.length} operations, not decided after ${states} states`,
  );
  demand(
    verdict === Verdict.Linearizable,
    property,
    () =>
      `${name()}: no order of its ${operations.length} operations explains their answers; behind ` +
      `${deepest} of them none of these fits:${described(operations, stuck)}`,
  );
  return states;
}

const describedMax = 8;

function described(operations: readonly KeysOperation[], stuck: readonly number[]): string {
  const lines = operations
    .filter(({ id }) => stuck.includes(id))
    .slice(0, describedMax)
    .map(({ id, revision, changes, returnedAt }) => {
      const what = changes ? "a change" : "seen";
      const heard = returnedAt === Infinity ? ", nobody heard of it" : "";
      return `\n  operation ${id}: ${what} at revision ${revision === 0 ? "unknown" : revision}${heard}`;
    });
  return lines.join("");
}
