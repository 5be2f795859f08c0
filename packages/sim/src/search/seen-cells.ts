// All that answers show of keys: each put that anybody saw, with the life of its key and how long it
// was there. The same put looks the same in every answer.
import { latin1Decode as textOf } from "@quorate/base";
import { type KeyValue, OpType } from "@quorate/kv";
import { demand } from "../checkers/violation.ts";
import type { Step } from "./branches.ts";
import { property } from "./property.ts";

/** A put, as answers show it. */
export interface Seen {
  readonly mod: number;
  readonly create: number;
  readonly version: number;
  /** Null: nobody saw its value. */
  readonly value: string | null;
  /** The newest revision at which it is shown. */
  readonly until: number;
}

export class SeenCells {
  /** Key → mod revision → what was seen. */
  readonly #cells: Map<string, Map<number, Seen>>;
  /** Revision → keys that began a life with it. */
  readonly #created: Map<number, Set<string>>;
  /** Key → mod revisions in order; made when somebody asks, once all is heard. */
  readonly #mods: Map<string, readonly number[]>;

  constructor() {
    this.#cells = new Map();
    this.#created = new Map();
    this.#mods = new Map();
  }

  /** Null: nobody saw it. */
  of(key: string, mod: number): Seen | null {
    return this.#cells.get(key)?.get(mod) ?? null;
  }

  /** Keys whose creation at this revision somebody saw. */
  createdAt(revision: number): Iterable<string> {
    return this.#created.get(revision) ?? [];
  }

  /** The first one of the key that was put behind a revision; null: none. */
  next(key: string, revision: number): Seen | null {
    const cells = this.#cells.get(key);
    if (cells === undefined) return null;
    let mods = this.#mods.get(key);
    if (mods === undefined) {
      mods = [...cells.keys()].toSorted((a, b) => a - b);
      this.#mods.set(key, mods);
    }
    let low = 0;
    let high = mods.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (mods[middle]! <= revision) low = middle + 1;
      else high = middle;
    }
    return low === mods.length ? null : cells.get(mods[low]!)!;
  }

  /** `revision`: the header's; `changes`: it is that of a change, whose answer shows what was before. */
  heard({ request, reply }: Step, revision: number, changes: boolean): void {
    const past = request.type === OpType.Range ? Math.max(0, request.revision) : 0;
    const until = past > 0 ? past : changes ? revision - 1 : revision;
    const hasValues = request.type !== OpType.Range || !request.keysOnly;
    for (const kv of kvsOf(reply)) this.#see(kv, hasValues, until);
  }

  #see(
    { key: bytes, modRevision: mod, createRevision, version, value }: KeyValue,
    hasValue: boolean,
    until: number,
  ): void {
    const key = textOf(bytes);
    const cells = this.#cells.get(key) ?? new Map<number, Seen>();
    this.#cells.set(key, cells);
    const before = cells.get(mod);
    const text = hasValue ? textOf(value) : (before?.value ?? null);
    demand(
      before === undefined ||
        (before.create === createRevision &&
          before.version === version &&
          (before.value ?? text) === text),
      property,
      () => `${key}, put at revision ${mod}, looks different in two answers`,
    );
    // What a change put itself is there at its own revision, not before.
    const newest = Math.max(mod, until, before?.until ?? 0);
    const created = this.#created.get(createRevision) ?? new Set();
    this.#created.set(createRevision, created.add(key));
    cells.set(mod, { mod, create: createRevision, version, value: text, until: newest });
  }

  /** Each put whose value was seen. */
  *values(): Generator<{ readonly key: string; readonly value: string; readonly mod: number }> {
    for (const [key, cells] of this.#cells) {
      for (const [mod, { value }] of cells) if (value !== null) yield { key, value, mod };
    }
  }
}

function kvsOf(reply: Step["reply"]): readonly KeyValue[] {
  if (reply?.type === OpType.Range) return reply.kvs;
  if (reply?.type === OpType.DeleteRange) return reply.prevKvs;
  return reply?.type === OpType.Put && reply.prevKv !== null ? [reply.prevKv] : [];
}
