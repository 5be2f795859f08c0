// The revisions of a history, for all keys at once: one counter that every change raises by one and
// that everything else reads. Each operation that was answered has its place: a change that of its
// revision, anything else right behind it. So no search is needed: what returned before another was
// called must not stand behind it. A revision that nobody heard as his own is a gap: one of those whose
// outcome is unknown must have filled it, and was called before anything behind it had returned.
import { demand } from "../checkers/violation.ts";
import type { ClientView, Heard, Unheard } from "./client-view.ts";
import { property } from "./property.ts";

/** Of a new cluster. */
const revisionFirst = 1;

export interface Gap {
  readonly revision: number;
  /** What fills it was called before. */
  readonly before: number;
}

export class RevisionOrder {
  /** Gaps that no answer gives to any operation, in order. */
  readonly gaps: readonly Gap[];
  /** Revision → call of the change that was heard to have it. */
  readonly #calls: readonly number[];

  constructor(gaps: readonly Gap[], calls: readonly number[]) {
    this.gaps = gaps;
    this.#calls = calls;
  }

  /** A time before which nothing at this revision, or behind it, had returned. */
  earliest(revision: number): number {
    return this.#calls[Math.min(revision, this.#calls.length - 1)] ?? 0;
  }
}

export function checkRevisionOrder({ heard, unheard }: ClientView): RevisionOrder {
  const fresh = heard.filter(({ operation, changes }) => changes || !operation.serializable);
  const changes = changesOf(fresh);
  const before = checkPlaces(fresh);
  const gaps: Gap[] = [];
  for (let revision = revisionFirst + 1; revision < before.length; revision++) {
    if (!changes.has(revision)) gaps.push({ revision, before: before[revision]! });
  }
  const free = withoutSeen(gaps, unheard);
  checkFilled(free, unheard);
  return new RevisionOrder(free, callsOf(changes, before.length));
}

function changesOf(heard: readonly Heard[]): Map<number, Heard> {
  const changes = new Map<number, Heard>();
  for (const one of heard) {
    if (!one.changes) continue;
    const { revision, operation } = one;
    const other = changes.get(revision)?.operation.id;
    demand(
      other === undefined && revision > revisionFirst,
      property,
      () => `revision ${revision} is that of operation ${operation.id} and of ${other ?? "none"}`,
    );
    changes.set(revision, one);
  }
  return changes;
}

/** Revision → the first return of anything behind its change. */
function checkPlaces(heard: readonly Heard[]): number[] {
  const placeOf = ({ revision, changes }: Heard): number => 2 * revision + (changes ? 0 : 1);
  const ordered = heard.toSorted((a, b) => placeOf(b) - placeOf(a));
  const newest = ordered[0]?.revision ?? revisionFirst;
  const before = Array.from({ length: newest + 1 }, () => Infinity);
  let first: Heard | null = null;
  let at = 0;
  for (let place = 2 * newest + 1; place >= 2 * revisionFirst; place--) {
    if (place % 2 === 0) before[place / 2] = first?.operation.returnedAt ?? Infinity;
    const end = endOf(ordered, at, (one) => placeOf(one) === place);
    for (const { operation, revision } of ordered.slice(at, end)) {
      demand(
        first === null || operation.calledAt < first.operation.returnedAt,
        property,
        () =>
          `the counter of revisions: operation ${operation.id} is at ${revision}, and ` +
          `${first!.operation.id}, which had returned before, at ${first!.revision}`,
      );
    }
    for (const one of ordered.slice(at, end)) {
      if (first === null || one.operation.returnedAt < first.operation.returnedAt) first = one;
    }
    at = end;
  }
  demand(
    at === ordered.length,
    property,
    () => `operation ${ordered[at]!.operation.id} is at revision ${ordered[at]!.revision}`,
  );
  return before;
}

function endOf<T>(list: readonly T[], from: number, isOf: (one: T) => boolean): number {
  let end = from;
  while (end < list.length && isOf(list[end]!)) end++;
  return end;
}

/** What was seen fills its own gap. */
function withoutSeen(gaps: readonly Gap[], unheard: readonly Unheard[]): Gap[] {
  const byRevision = new Map(gaps.map((gap) => [gap.revision, gap]));
  for (const { operation, revision } of unheard) {
    if (revision === 0) continue;
    const gap = byRevision.get(revision);
    demand(
      gap !== undefined && operation.calledAt < gap.before,
      property,
      () =>
        `operation ${operation.id} is seen at revision ${revision}, which ` +
        `${gap === undefined ? "is another's" : "was over before it was called"}`,
    );
    byRevision.delete(revision);
  }
  return [...byRevision.values()];
}

/** Later gaps may be filled by whatever earlier ones may be (Hall): counting is enough. */
function checkFilled(gaps: readonly Gap[], unheard: readonly Unheard[]): void {
  const calls = unheard
    .filter(({ revision }) => revision === 0)
    .map(({ operation }) => operation.calledAt)
    .toSorted((a, b) => a - b);
  for (const [at, { revision, before }] of gaps.entries()) {
    const call = calls[at];
    demand(
      call !== undefined && call < before,
      property,
      () => `the counter of revisions: nothing that was called can have made revision ${revision}`,
    );
  }
}

function callsOf(changes: ReadonlyMap<number, Heard>, length: number): number[] {
  const calls: number[] = [];
  for (let revision = 0; revision < length; revision++) {
    calls.push(changes.get(revision)?.operation.calledAt ?? calls.at(-1) ?? 0);
  }
  return calls;
}
