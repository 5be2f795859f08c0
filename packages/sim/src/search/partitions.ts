// A history taken apart by keys (P-compositionality: Horn and Kroening, arXiv 1504.00204): keys that
// any operation names together are one partition, and each partition has an order of its own. A read
// of everything would make one of all: each partition gets its share of it, which asks for less than
// the one moment that it all was (revisions ask for that: revision-order.ts). What may have filled a gap
// in the revisions is of one partition, too, so that each gap is filled there, and once.
import { latin1Decode as textOf, latin1Encode, must } from "@quorate/base";
import { CompareResult, CompareTarget, OpType, type RangeRequest } from "@quorate/kv";
import { type Branch, leaseEndType, type Step } from "./branches.ts";
import type { LikelyRevisions } from "../checkers/likely-revisions.ts";
import type { ClientView, Heard, Unheard } from "./client-view.ts";
import { leaseNumber } from "../model/lease-number.ts";
import { type Named, placesOf } from "./key-order.ts";
import type { KeysOperation, Partition, Position } from "./keys-model.ts";
import type { Gap, RevisionOrder } from "./revision-order.ts";
import { UnionFind } from "./union-find.ts";

export function partition(
  view: ClientView,
  order: RevisionOrder,
  likely: LikelyRevisions,
): Partition[] {
  const ways = [
    ...view.heard.flatMap(({ branch }) => branch ?? []),
    ...view.unheard.flatMap(({ branches }) => branches),
  ];
  const asked = [
    ...view.heard.flatMap((one) => operationsOf(one, order)),
    ...unheardOf(view, comparedValues(ways), likely),
  ];
  const whole = asked.filter(isOfEverything);
  const parts = asked.filter((operation) => !isOfEverything(operation));
  const keys = [...new Set(parts.flatMap(keysPut))].toSorted();
  const union = new UnionFind(keys.length);
  const firsts = parts.map((operation) => joined(operation, keys, union));
  const filling = firsts.filter((place, at) => place >= 0 && parts[at]!.revision === 0);
  for (const place of filling) union.join(filling[0]!, place);
  const groups = new Map<number, { keys: string[]; operations: KeysOperation[] }>();
  const nothing = { keys: [], operations: [] };
  const groupOf = (place: number): { keys: string[]; operations: KeysOperation[] } => {
    if (place < 0) return nothing;
    const root = union.rootOf(place);
    const group = groups.get(root) ?? { keys: [], operations: [] };
    groups.set(root, group);
    return group;
  };
  for (const [place, key] of keys.entries()) groupOf(place).keys.push(key);
  for (const [at, operation] of parts.entries()) {
    const place = firsts[at]!;
    // What nobody ever put nobody can delete.
    const isNothing = place < 0 && operation.returnedAt === Infinity;
    if (!isNothing) groupOf(place).operations.push(operation);
  }
  const filled = groupOf(filling[0] ?? -1);
  if (order.gaps.length > 0) filled.operations.push(endOf(order));
  const known = new Set(keys);
  return [nothing, ...groups.values()].map((group) => {
    const { keys: own, operations } = group;
    const set = new Set(own);
    // Keys that nobody ever put fall to the group without keys, which shows none.
    const isOwn = (key: string): boolean => (own.length === 0 ? !known.has(key) : set.has(key));
    const shares = whole.flatMap((operation) => shareOf(operation, isOwn) ?? []);
    const all = [...operations, ...shares];
    return {
      keys: own,
      operations: all,
      positions: positionsOf(all, group === filled ? order.gaps : []),
    };
  });
}

// ---- what is to be explained ----------------------------------------------------------------------

/** The operation in the present, and each of its ranges at a revision of the past by itself. */
function operationsOf(
  { operation, revision, branch, changes }: Heard,
  order: RevisionOrder,
): KeysOperation[] {
  if (branch === null) return [];
  const { id, calledAt, returnedAt, serializable } = operation;
  const steps = branch.steps.filter(({ request }) => pastOf(request) === 0);
  // What is seen of a revision stands behind its change; it does not matter when somebody looked.
  const seen = (at: number): number => Math.min(calledAt, order.earliest(at));
  const past = branch.steps
    .filter(({ request }) => pastOf(request) > 0)
    .map((step) => {
      const at = pastOf(step.request);
      const guards: [] = [];
      return {
        id,
        calledAt: seen(at),
        returnedAt,
        hint: 2 * at + 1,
        guards,
        steps: [step],
        revision: at,
        changes: false,
        twin: -1,
      };
    });
  if (steps.length === 0 && branch.guards.length === 0) return past;
  const present = {
    id,
    calledAt: serializable ? seen(revision) : calledAt,
    returnedAt,
    hint: 2 * revision + (changes ? 0 : 1),
    guards: branch.guards,
    steps,
    revision,
    changes,
    twin: -1,
  };
  return [present, ...past];
}

function pastOf(request: Step["request"]): number {
  return request.type === OpType.Range ? Math.max(0, request.revision) : 0;
}

/**
 * One of each operation for each way that it can have gone: the model takes only one. Of those that
 * differ in nothing that anybody can see the first called is the first to take effect: it could take
 * the place of any of them, since none has a return.
 */
function unheardOf(
  view: ClientView,
  compared: ComparedValues,
  likely: LikelyRevisions,
): KeysOperation[] {
  const newest = new Map<string, number>();
  const hints = hintsOf(view, compared, likely);
  return view.unheard.flatMap((one) => {
    const { operation, branches, revision } = one;
    const { id, calledAt } = operation;
    const hint = 2 * (hints.get(id) ?? Infinity);
    const looks = looksOf(one, compared);
    const twin = looks === null ? -1 : (newest.get(looks) ?? -1);
    if (looks !== null) newest.set(looks, id);
    return branches.map(({ guards, steps }) => ({
      id,
      calledAt,
      returnedAt: Infinity,
      hint,
      guards,
      steps,
      revision,
      changes: true,
      twin,
    }));
  });
}

/** Id → likely revision. Among those that look the same the first called has the first one. */
function hintsOf(
  { unheard }: ClientView,
  compared: ComparedValues,
  likely: LikelyRevisions,
): Map<number, number> {
  const alike = new Map<string, Unheard["operation"][]>();
  for (const one of unheard) {
    const looks = looksOf(one, compared) ?? `operation ${one.operation.id}`;
    const same = alike.get(looks);
    if (same === undefined) alike.set(looks, [one.operation]);
    else same.push(one.operation);
  }
  const hints = new Map<number, number>();
  for (const operations of alike.values()) {
    const revisions = operations
      .flatMap((operation) => likely.get(operation) ?? [])
      .toSorted((a, b) => a - b);
    for (const [at, revision] of revisions.entries()) hints.set(operations[at]!.id, revision);
  }
  return hints;
}

function looksOf({ branches, revision }: Unheard, compared: ComparedValues): string | null {
  return revision === 0 && branches.length === 1 ? lookOf(branches[0]!, compared) : null;
}

/** Null: something may tell it from all others. A value that is not seen shows in compares alone. */
function lookOf({ guards, steps }: Branch, compared: ComparedValues): string | null {
  if (guards.length > 0 || steps.length !== 1) return null;
  const { request } = steps[0]!;
  // One of two may have nothing to delete, and so no effect.
  if (request.type === leaseEndType) return null;
  const name = `${request.type} ${textOf(request.key)}`;
  if (request.type !== OpType.Put) return `${name}\0${textOf(request.rangeEnd)}`;
  const value = textOf(request.value);
  if (compared === null || compared.has(value)) return null;
  const { leaseHigh, leaseLow, ignoreLease } = request;
  return `${name}\0${ignoreLease ? "the lease of before" : leaseNumber(leaseHigh, leaseLow)}`;
}

/** What values are held against for being equal; null: for more than that. */
type ComparedValues = ReadonlySet<string> | null;

function comparedValues(branches: readonly Branch[]): ComparedValues {
  const compares = branches
    .flatMap(({ guards }) => guards.flatMap((guard) => guard.compares))
    .filter(({ target }) => target === CompareTarget.Value);
  const isEquality = compares.every(
    ({ result }) => result === CompareResult.Equal || result === CompareResult.NotEqual,
  );
  return isEquality ? new Set(compares.map(({ value }) => textOf(value))) : null;
}

/** What nobody asked: by the end all gaps are filled. */
function endOf({ gaps }: RevisionOrder): KeysOperation {
  const { revision } = gaps.at(-1)!;
  const times = { calledAt: 0, returnedAt: Number.MAX_SAFE_INTEGER };
  const nothing = { guards: [], steps: [], twin: -1 };
  return { id: -1, ...times, hint: 2 * revision + 1, ...nothing, revision, changes: false };
}

function positionsOf(operations: readonly KeysOperation[], filled: readonly Gap[]): Position[] {
  const gaps = new Map(filled.map((gap) => [gap.revision, gap]));
  const changed = operations.flatMap(({ changes, revision }) => (changes ? [revision] : []));
  const revisions = [...new Set([0, ...changed, ...gaps.keys()])].toSorted((a, b) => a - b);
  const seen = operations
    .flatMap(({ changes, revision }) => (changes ? [] : [revision]))
    .toSorted((a, b) => a - b);
  let from = 0;
  return revisions.map((revision, at) => {
    const next = revisions[at + 1] ?? Infinity;
    const start = from;
    while (from < seen.length && seen[from]! < next) from++;
    return { revision, gap: gaps.get(revision) ?? null, seenBy: from - start };
  });
}

// ---- which keys an operation names ----------------------------------------------------------------

function keysPut({ steps }: Branch): string[] {
  return steps.flatMap(({ request }) => (request.type === OpType.Put ? [textOf(request.key)] : []));
}

/** Joins all keys that it names; the place of one of them, -1 when it names none. */
function joined({ guards, steps }: Branch, keys: readonly string[], union: UnionFind): number {
  let first = -1;
  const named = [
    ...steps.flatMap(({ request }) => namedBy(request)),
    ...guards.flatMap(({ compares }) => compares),
  ];
  for (const one of named) {
    const [from, end] = placesOf(keys, one);
    for (let place = from; place < end; place++) {
      if (first < 0) first = place;
      union.join(first, place);
    }
  }
  return first;
}

const noEnd = new Uint8Array(0);

function namedBy(request: Step["request"]): Named[] {
  if (request.type === leaseEndType) {
    return request.keys.map((key) => ({ key: latin1Encode(key), rangeEnd: noEnd }));
  }
  return [request.type === OpType.Put ? { key: request.key, rangeEnd: noEnd } : request];
}

// ---- reads of everything --------------------------------------------------------------------------

/** A read alone: compares before it name keys that it is to be judged with. */
function isOfEverything({ guards, steps }: KeysOperation): boolean {
  if (guards.some(({ compares }) => compares.length > 0)) return false;
  const [step, ...others] = steps;
  if (step?.request.type !== OpType.Range || others.length > 0) return false;
  const { key, rangeEnd } = step.request;
  return step.request.limit === 0 && textOf(key) === "\0" && textOf(rangeEnd) === "\0";
}

/** What it showed of these keys; null: it only counted them all. */
function shareOf(operation: KeysOperation, isOwn: (key: string) => boolean): KeysOperation | null {
  const [{ request, reply }] = operation.steps as readonly [Step];
  if ((request as RangeRequest).countOnly) return null;
  const range = must(reply?.type === OpType.Range ? reply : null, "a read is answered by one");
  const kvs = range.kvs.filter(({ key }) => isOwn(textOf(key)));
  return { ...operation, steps: [{ request, reply: { ...range, kvs, count: kvs.length } }] };
}
