// The keys of one partition, as the clients' own view of the store has them: a model of its own, that
// shares no rule with the twin which the log is replayed through (kv-model.ts). It is asked whether an
// answer is possible. What only the wire's form decides (sorting, which keys a limit leaves out of a
// sorted range) is not asked here.
//
// The revisions of the partition's changes are known, each is somebody's, and so is what each answer saw
// of them. What the search has to find is who filled the gaps (revision-order.ts): those whose outcome
// nobody heard, and no answer shows.
import { assert, latin1Decode as textOf } from "@quorate/base";
import {
  type Compare,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type KeyValue,
  OpType,
  type PutRequest,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
} from "@quorate/kv";
import { leaseNumber } from "../model/lease-number.ts";
import { type Branch, type Guard, leaseEndType, type LeaseEndStep, type Step } from "./branches.ts";
import { type Named, placeOf, placesOf } from "./key-order.ts";
import type { Gap } from "./revision-order.ts";
import { areMet, needOf } from "./needs.ts";
import { holds, isInOrderOfKeys, isWithin, type Life } from "./rules.ts";
import type { SearchModel, Timed } from "./search.ts";
import type { Seen, SeenCells } from "./seen-cells.ts";
import { StateHash } from "./state-hash.ts";

export interface KeysOperation extends Timed, Branch {
  /** Of a change its own, 0: any gap; of anything else the one whose state it saw. */
  readonly revision: number;
  /** An operation that takes effect before this one, if both do; -1: none. */
  readonly twin: number;
}

interface Cell extends Life {
  readonly writer: number;
}

interface Undo {
  readonly place: number;
  readonly cell: Cell | null;
}

/** A revision of the partition, in order. */
export interface Position {
  readonly revision: number;
  /** Null: what has it is known. */
  readonly gap: Gap | null;
  /** Operations that saw the state behind it, and not the next one. */
  readonly seenBy: number;
}

export interface Partition {
  /** In order. Empty: operations that name no key which ever was. */
  readonly keys: readonly string[];
  readonly operations: readonly KeysOperation[];
  /** The first one is that before all changes. */
  readonly positions: readonly Position[];
}

export class KeysModel implements SearchModel<KeysOperation> {
  readonly hash: StateHash;
  readonly #keys: readonly string[];
  readonly #positions: readonly Position[];
  readonly #gaps: readonly number[];
  /** Keys that one operation which may fill a gap puts, at most. */
  readonly #fillerKeysMax: number;
  /** Key → revisions of all puts that are known, in order. */
  readonly #puts: ReadonlyMap<string, readonly number[]>;
  readonly #seen: SeenCells;
  readonly #cells: (Cell | null)[];
  /** Of the newest change among the positions. */
  #at: number;
  /** Operations that must still see this state: the next change waits for them. */
  #unseen: number;
  /** Unheard operations that took effect: only one of the ways that each can have gone. */
  readonly #taken: Set<number>;
  /** What each change overwrote. */
  readonly #undos: Undo[][];

  constructor({ keys, operations, positions }: Partition, seen: SeenCells) {
    this.hash = new StateHash();
    this.#keys = keys;
    this.#positions = positions;
    this.#gaps = positions.flatMap(({ gap }) => gap?.revision ?? []);
    this.#fillerKeysMax = fillerKeysMax(operations);
    this.#puts = putsOf(operations);
    this.#seen = seen;
    this.#cells = keys.map(() => null);
    this.#at = 0;
    this.#unseen = positions[0]!.seenBy;
    this.#taken = new Set();
    this.#undos = [];
  }

  apply(operation: KeysOperation): boolean {
    return operation.changes ? this.#change(operation) : this.#see(operation);
  }

  undo({ id, changes }: KeysOperation): void {
    if (!changes) {
      this.#unseen++;
      return;
    }
    this.#taken.delete(id);
    this.#restore();
    this.#at--;
    // All had seen it before the next change came.
    this.#unseen = 0;
  }

  #see({ id, revision, guards, steps }: KeysOperation): boolean {
    if (revision < this.#revision) return false;
    const next = this.#positions[this.#at + 1];
    if (next !== undefined && revision >= next.revision) return false;
    const fits =
      guards.every((guard) => this.#isSo(guard)) && steps.every((step) => this.#step(step, id));
    if (fits) this.#unseen--;
    return fits;
  }

  #change(operation: KeysOperation): boolean {
    const { id, steps, guards, twin, returnedAt } = operation;
    if (this.#unseen > 0 || !this.#isNext(operation)) return false;
    if (this.#taken.has(id) || (twin >= 0 && !this.#taken.has(twin))) return false;
    if (!guards.every((guard) => this.#isSo(guard))) return false;
    this.#undos.push([]);
    this.#at++;
    const fits =
      steps.every((step) => this.#step(step, id)) &&
      this.#undos.at(-1)!.length > 0 &&
      this.#createsWhatIsSeen() &&
      this.#hasGapsEnough();
    if (!fits) {
      this.#restore();
      this.#at--;
      return false;
    }
    this.#unseen = this.#positions[this.#at]!.seenBy;
    if (returnedAt === Infinity) this.#taken.add(id);
    return true;
  }

  #isNext({ revision, calledAt }: KeysOperation): boolean {
    const next = this.#positions[this.#at + 1];
    if (next === undefined) return false;
    if (next.gap === null) return revision === next.revision;
    return revision === 0 && calledAt < next.gap.before;
  }

  get #revision(): number {
    return this.#positions[this.#at]!.revision;
  }

  #restore(): void {
    for (const { place, cell } of this.#undos.pop()!.toReversed()) this.#set(place, cell);
  }

  // ---- what is there ------------------------------------------------------------------------------

  /** Who fills a gap begins the lives that begin with it. */
  #createsWhatIsSeen(): boolean {
    const revision = this.#revision;
    for (const key of this.#seen.createdAt(revision)) {
      const place = placeOf(this.#keys, key);
      if (this.#keys[place] === key && this.#cells[place]?.create !== revision) return false;
    }
    return true;
  }

  #hasGapsEnough(): boolean {
    const position = this.#positions[this.#at]!;
    if (position.gap === null) return true;
    const needs = this.#keys.flatMap((key, place) => {
      const next = this.#seen.next(key, position.revision);
      const puts = this.#puts.get(key) ?? [];
      return next === null ? [] : needOf(this.#cells[place]!, next, position.revision, puts);
    });
    return areMet(
      needs,
      this.#gaps.slice(this.#gaps.indexOf(position.revision) + 1),
      this.#fillerKeysMax,
    );
  }

  /** Places of the named keys that are there. */
  #live(named: Named): number[] {
    const places: number[] = [];
    const [from, end] = placesOf(this.#keys, named);
    for (let place = from; place < end; place++) {
      if (this.#cells[place] !== null) places.push(place);
    }
    return places;
  }

  /**
   * False: some answer shows what was there later, or shows another way what is there now, or what
   * this cannot become. That answer would not fit when its turn comes: the search need not go so far.
   */
  #write(place: number, cell: Cell | null): boolean {
    const key = this.#keys[place]!;
    const before = this.#cells[place]!;
    const seenBefore = before === null ? null : this.#seen.of(key, before.mod);
    if (seenBefore !== null && seenBefore.until >= this.#revision) return false;
    const seen = cell === null ? null : this.#seen.of(key, cell.mod);
    if (seen !== null && !isSameLife(seen, cell!)) return false;
    const next = this.#seen.next(key, this.#revision);
    if (next !== null && !mayBecome(cell, next, this.#revision)) return false;
    this.#undos.at(-1)!.push({ place, cell: before });
    this.#set(place, cell);
    return true;
  }

  #set(place: number, cell: Cell | null): void {
    this.#toggle(place, this.#cells[place]!);
    this.#cells[place] = cell;
    this.#toggle(place, cell);
  }

  #toggle(place: number, cell: Cell | null): void {
    if (cell === null) return;
    this.hash.toggle(2 * place, cell.writer, cell.version);
    this.hash.toggle(2 * place + 1, cell.create, cell.mod);
  }

  // ---- what an operation does, and whether its answer is possible ---------------------------------

  #step({ request, reply }: Step, id: number): boolean {
    switch (request.type) {
      case OpType.Put:
        return this.#put(request, reply?.type === OpType.Put ? reply : null, id);
      case OpType.DeleteRange:
        return this.#delete(request, reply?.type === OpType.DeleteRange ? reply : null);
      case leaseEndType:
        return this.#end(request);
      default:
        assert(reply?.type === OpType.Range, "a read is answered by one");
        return this.#shows(request, reply);
    }
  }

  #put(request: PutRequest, reply: PutResponse | null, id: number): boolean {
    const place = placeOf(this.#keys, textOf(request.key));
    const before = this.#cells[place]!;
    if ((request.ignoreValue || request.ignoreLease) && before === null) return false;
    const shown = request.prevKv ? before : null;
    if (reply !== null && !this.#isShown(reply.prevKv, shown, place)) return false;
    return this.#write(place, {
      value: request.ignoreValue ? before.value : textOf(request.value),
      lease: request.ignoreLease ? before.lease : leaseNumber(request.leaseHigh, request.leaseLow),
      version: (before?.version ?? 0) + 1,
      create: before?.create ?? this.#revision,
      mod: this.#revision,
      writer: id,
    });
  }

  #delete(request: DeleteRangeRequest, reply: DeleteRangeResponse | null): boolean {
    const live = this.#live(request);
    if (reply !== null) {
      const { deleted, prevKvs } = reply;
      if (deleted !== live.length) return false;
      if (prevKvs.length !== (request.prevKv ? deleted : 0)) return false;
      const isShown = (kv: KeyValue, at: number): boolean =>
        this.#isShown(kv, this.#cells[live[at]!]!, live[at]!);
      if (!prevKvs.every(isShown)) return false;
    }
    return live.every((place) => this.#write(place, null));
  }

  #end({ lease, keys }: LeaseEndStep): boolean {
    const places = keys.map((key) => placeOf(this.#keys, key));
    const carrying = places.filter((place) => this.#cells[place]?.lease === lease);
    return carrying.every((place) => this.#write(place, null));
  }

  #shows(request: RangeRequest, { kvs, count, more }: RangeResponse): boolean {
    const live = this.#live(request);
    if (count !== live.length) return false;
    if (request.countOnly) return kvs.length === 0;
    const hidden = new Set(live.filter((place) => isWithin(request, this.#cells[place]!)));
    for (const kv of kvs) {
      const place = placeOf(this.#keys, textOf(kv.key));
      if (!hidden.delete(place)) return false;
      const cell = this.#cells[place]!;
      if (!this.#isShown(kv, request.keysOnly ? { ...cell, value: "" } : cell, place)) return false;
    }
    if (hidden.size === 0) return true;
    if (request.limit === 0 || kvs.length !== request.limit || !more) return false;
    const [first] = hidden;
    return !isInOrderOfKeys(request) || kvs.every(({ key }) => textOf(key) < this.#keys[first!]!);
  }

  #isShown(kv: KeyValue | null, cell: Cell | null, place: number): boolean {
    if (kv === null || cell === null) return kv === null && cell === null;
    return (
      textOf(kv.key) === this.#keys[place] &&
      kv.version === cell.version &&
      kv.createRevision === cell.create &&
      kv.modRevision === cell.mod &&
      leaseNumber(kv.leaseHigh, kv.leaseLow) === cell.lease &&
      textOf(kv.value) === cell.value
    );
  }

  #isSo({ compares, holds: wanted }: Guard): boolean {
    const lives = (compare: Compare): Cell[] =>
      this.#live(compare).map((place) => this.#cells[place]!);
    return compares.every((compare) => holds(compare, lives(compare))) === wanted;
  }
}

function fillerKeysMax(operations: readonly KeysOperation[]): number {
  let most = 0;
  for (const { steps, revision, changes } of operations) {
    if (!changes || revision > 0) continue;
    const puts = steps.flatMap(({ request }) =>
      request.type === OpType.Put ? [textOf(request.key)] : [],
    );
    most = Math.max(most, new Set(puts).size);
  }
  return most;
}

function putsOf(operations: readonly KeysOperation[]): Map<string, readonly number[]> {
  const puts = new Map<string, Set<number>>();
  for (const { steps, revision } of operations) {
    for (const { request } of steps) {
      if (request.type !== OpType.Put || revision === 0) continue;
      const key = textOf(request.key);
      puts.set(key, (puts.get(key) ?? new Set<number>()).add(revision));
    }
  }
  return new Map([...puts].map(([key, own]) => [key, [...own].toSorted((a, b) => a - b)]));
}

/** A put that is seen later goes on with the life that the key has now, or with a later one. */
function mayBecome(cell: Cell | null, next: Seen, revision: number): boolean {
  if (next.create > revision) return true;
  return cell !== null && next.create === cell.create && next.version > cell.version;
}

function isSameLife(seen: Seen, { version, create }: Cell): boolean {
  return seen.version === version && seen.create === create;
}
